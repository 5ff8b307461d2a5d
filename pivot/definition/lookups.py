"""Which names of modules were looked for where: a file that appears there later hides another."""

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from pivot.definition.editables import mapped_roots
from pivot.definition.evidence import Lookups, module_candidates
from pivot.definition.ownership import Ownership


class LookupFinder(MetaPathFinder):
    """Stands first in `sys.meta_path`, finds nothing and notes every name that is looked for.

    `names` maps a package ("" for the top level) to the names of modules within it.
    """

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  # the import system's interface
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        self.names.setdefault(package, set()).add(name)
        return None

    def in_folders(self, own: Ownership) -> dict[str, Lookups]:
        """The lookups in each own folder that modules are searched in, by absolute path."""
        top = {entry: self.names.get("", set()) for entry in own_entries(own)}
        packages = {
            folder: self.names.get(name, set()) | {"__init__"}
            for name, module in list(sys.modules.items())
            for folder in _folders(module)
            if own.is_own(os.path.join(folder, ""))
        }
        return {
            folder: Lookups(tuple(sorted(names)), module_candidates(folder, sorted(names)))
            for folder, names in (top | packages).items()
        }


def own_entries(own: Ownership) -> list[str]:
    """The entries of `sys.path` that hold own code, in order."""
    return [
        entry
        for entry in dict.fromkeys(sys.path)
        if own.is_own(os.path.join(entry, "")) and os.path.isdir(entry)
    ]


def own_sources(own: Ownership) -> list[str]:
    """The files of all own modules that are loaded, sorted."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return sorted({file for file in files if isinstance(file, str) and own.is_own(file)})


def source_roots(own: Ownership) -> list[str]:
    """Where own modules are imported from: entries of `sys.path`, then what import hooks added.

    Some editable installs map a package to its folder by a hook instead of an entry; known kinds
    are asked for all their packages, of others those count that are loaded.
    """
    roots = own_entries(own)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." in name or not isinstance(file, str) or not own.is_own(file):
            continue
        folder = os.path.dirname(file)
        root = os.path.dirname(folder) if hasattr(module, "__path__") else folder
        if root not in roots:
            roots.append(root)
    mapped = (root for root in mapped_roots() if own.is_own(os.path.join(root, "")))
    return list(dict.fromkeys([*roots, *mapped]))


def _folders(module: ModuleType) -> list[str]:
    path = getattr(module, "__path__", None)
    return [] if path is None else [folder for folder in path if isinstance(folder, str)]
