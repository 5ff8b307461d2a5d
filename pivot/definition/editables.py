"""Packages that an editable install maps to their folders by an import hook, not by a path.

Which ones there are is asked of the hooks, since a package that is imported within a function
isn't loaded when definitions are.
"""

import os
import sys
from collections.abc import Iterator, Mapping

# Names of the modules that setuptools writes, whose `MAPPING` is name -> folder of a package.
# https://github.com/pypa/setuptools/blob/main/setuptools/command/editable_wheel.py
_SETUPTOOLS = "__editable__"


def mapped_packages() -> Iterator[tuple[str, str]]:
    """Top-level modules that import hooks of editable installs find, and where.

    The place is absolute: a package's folder, or the file of a single module. Entries that say
    something else, as a hook of another kind may, are passed over.
    """
    for mapping in _mappings():
        for name, place in mapping.items():
            if isinstance(name, str) and isinstance(place, str) and "." not in name:
                where = os.path.abspath(place)
                if os.path.basename(where) == "__init__.py":
                    where = os.path.dirname(where)
                yield name, where


def mapped_roots() -> Iterator[str]:
    """The folders that these packages would be imported from by path, under their own names."""
    for name, place in mapped_packages():
        # setuptools names a single module without its ending.
        if os.path.basename(place).removesuffix(".py") == name:
            yield os.path.dirname(place)


def _mappings() -> Iterator[Mapping[object, object]]:
    for name, module in list(sys.modules.items()):
        mapping = getattr(module, "MAPPING", None) if name.startswith(_SETUPTOOLS) else None
        if isinstance(mapping, dict):
            yield mapping
    for finder in sys.meta_path:
        # The finder of the `editables` package, which hatchling and pdm use.
        # https://github.com/pfmoore/editables/blob/main/src/editables/redirector.py
        mapping = getattr(finder, "_redirections", None)
        if isinstance(mapping, dict):
            yield mapping
