"""What the standard library has for sure, and what importing it does to nobody else."""

import sys
import sysconfig
import warnings
from importlib import import_module
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from types import ModuleType
from typing import Final

# Modules that are always built, and whose import changes nothing that other code could notice.
_MODULES: Final = frozenset({
    "abc", "argparse", "array", "ast", "base64", "bisect", "builtins", "calendar", "cmath",
    "collections", "collections.abc", "concurrent.futures", "configparser", "contextlib",
    "contextvars", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum", "errno",
    "fnmatch", "fractions", "functools", "gc", "glob", "graphlib", "hashlib", "heapq", "hmac",
    "html", "html.parser", "http", "importlib", "importlib.metadata", "importlib.resources",
    "inspect", "io", "ipaddress", "itertools", "json", "keyword", "linecache", "logging", "math",
    "mimetypes", "numbers", "operator", "os", "os.path", "pathlib", "pickle", "pkgutil",
    "platform", "pprint", "queue", "random", "re", "secrets", "shlex", "shutil", "signal",
    "socket", "statistics", "stat", "string", "struct", "subprocess", "sys", "tarfile", "tempfile",
    "textwrap", "threading", "time", "timeit", "tokenize", "tomllib", "traceback", "types",
    "typing", "unicodedata", "urllib", "urllib.error", "urllib.parse", "urllib.request", "uuid",
    "warnings", "weakref", "xml.etree.ElementTree", "zipfile", "zoneinfo", "__future__",
})  # fmt: skip


# Packages whose modules others of the standard library import: these can then be found in them.
PACKAGES: Final = frozenset({
    "asyncio", "concurrent", "ctypes", "email", "encodings", "html", "http", "importlib",
    "multiprocessing", "unittest", "urllib", "wsgiref", "xml",
})  # fmt: skip


def is_standard(module: str) -> bool:
    """Whether a module is one of those whose import goes well and isn't noticed."""
    return module in _MODULES


def has(need: str) -> bool:
    """Whether the standard library has a module, or a name in one, as `Statement.needs` writes it.

    Attributes that are modules themselves are there by chance, so they are not.
    """
    module, _, name = need.replace("@", ":").partition(":")
    if module not in _MODULES or not (name == "" or name.isidentifier()):
        return False
    if name == "":
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # who loads it may have asked for that
            found = getattr(_imported(module), name, None)
    except Warning:
        return False
    return found is not None and ("@" not in need or not isinstance(found, ModuleType))


def _imported(module: str) -> object:
    """A module of the standard library, and of nothing else."""
    if module in sys.modules:
        return sys.modules[module]
    top = module.partition(".")[0]
    if BuiltinImporter.find_spec(top) is None and FrozenImporter.find_spec(top) is None:
        spec = PathFinder.find_spec(top)
        folders = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
        if spec is None or not str(spec.origin).startswith(folders):
            return None
    return import_module(module)
