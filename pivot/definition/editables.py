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


def mapped_modules() -> Iterator[tuple[str, str]]:
    """Dotted names of modules that import hooks of editable installs find, and where.

    The place is absolute: a package's folder, or the file of a single module, maybe without its
    ending. Entries that say something else, as a hook of another kind may, are passed over.
    """
    for mapping in _mappings():
        for name, place in mapping.items():
            if isinstance(name, str) and isinstance(place, str):
                where = os.path.abspath(place)
                if os.path.basename(where) == "__init__.py":
                    where = os.path.dirname(where)
                yield name, where


def mapped_roots() -> Iterator[str]:
    """The folders that these modules would be imported from by path, where their names allow it."""
    for name, place in mapped_modules():
        tail = os.sep + name.replace(".", os.sep)
        where = place.removesuffix(".py")
        if where.endswith(tail):
            yield where.removesuffix(tail)


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
