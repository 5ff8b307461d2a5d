"""The project's modules that Python loads without a source: built in place, or bytecode alone."""

import os
from collections.abc import Iterable, Mapping
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES

_SUFFIXES = (*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)


def find_binaries(modules: Iterable[str], folders: Iterable[str]) -> Mapping[str, str]:
    """Dotted module name -> absolute file, for those that the absolute `folders` have."""
    found: dict[str, str] = {}
    bases = tuple(folders)
    for module in modules:
        places = (os.path.join(base, *module.split(".")) for base in bases)
        files = (place + suffix for place in places for suffix in _SUFFIXES)
        file = next(filter(os.path.isfile, files), None)
        if file is not None:
            found[module] = file
    return found
