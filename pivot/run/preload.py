"""What the server imports ahead of the stages, so that they find it loaded."""

import contextlib
import os
import site
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

# Distributions that take long to import and that survive being imported before a fork. Others may
# start threads or open connections when they are imported, which a fork would break.
ALLOWED = ("numpy", "pandas", "pyarrow", "scipy", "sklearn", "matplotlib", "pydantic")

# What incompatible, half-installed or misconfigured packages have been seen to raise.
_BROKEN = (
    ImportError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
)
_OWN = frozenset({"__main__", "pivot", "pivot_hooks", "pivot_remotes"})


def preload(names: Sequence[str]) -> tuple[str, ...]:
    """Import those of `names` that are allowed; returns what could be imported.

    A broken one is skipped: a stage that needs it fails with its message, the others don't care.
    """
    loaded = []
    for name in ALLOWED:
        if name in names:
            with contextlib.suppress(*_BROKEN):
                import_module(name)
                loaded.append(name)
    return tuple(loaded)


@contextlib.contextmanager
def installed_only() -> Iterator[tuple[str, ...]]:
    """Import from the standard library and installed distributions only, within the block.

    Gives the entries of `sys.path` that are out of use meanwhile: `PYTHONPATH` and editable
    installs, where a project's own modules may stand.
    """
    everything = list(sys.path)
    trusted = (
        os.path.dirname(os.__file__),
        *site.getsitepackages(),
        site.getusersitepackages(),
    )
    sys.path[:] = [entry for entry in everything if entry.startswith(trusted)]
    try:
        yield tuple(entry for entry in everything if not entry.startswith(trusted))
    finally:
        sys.path[:] = everything


def top_level_names() -> frozenset[str]:
    """The top-level modules that are loaded now, Pivot's own left out."""
    return frozenset(name.partition(".")[0] for name in sys.modules) - _OWN


def overlays(folder: str, names: frozenset[str]) -> bool:
    """Whether `folder`, first on the path, has a module by one of `names`.

    A folder without `__init__.py` doesn't count: as a namespace package it comes last.
    """
    try:
        entries = os.listdir(folder)
    except OSError:
        return False
    for entry in entries:
        stem, _, extension = entry.partition(".")
        if stem in names:
            if extension == "py" or extension.endswith("so"):
                return True
            if not extension and os.path.exists(os.path.join(folder, entry, "__init__.py")):
                return True
    return False
