"""The project's modules that Python loads without a source: built in place, or bytecode alone."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES

_SUFFIXES = (*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)


def find_binaries(modules: Iterable[str], folders: Iterable[str]) -> Mapping[str, str]:
    """Dotted module name -> absolute file, for those that the absolute `folders` have."""
    found: dict[str, str] = {}
    listings: dict[str, frozenset[str]] = {}
    bases = tuple(folders)
    for module in modules:
        package, _, name = module.rpartition(".")
        for base in bases:
            folder = os.path.join(base, *package.split("."))
            if folder not in listings:
                listings[folder] = _listed(folder)
            files = (name + suffix for suffix in _SUFFIXES if name + suffix in listings[folder])
            paths = (os.path.join(folder, file) for file in files)
            file = next(filter(os.path.isfile, paths), None)
            if file is not None:
                found[module] = file
                break
    return found


def _listed(folder: str) -> frozenset[str]:
    """The names in a folder that may be binaries; none where there is no folder."""
    with contextlib.suppress(OSError):
        return frozenset(name for name in os.listdir(folder) if name.endswith(_SUFFIXES))
    return frozenset()
