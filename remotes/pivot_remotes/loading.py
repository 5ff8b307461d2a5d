"""Modules that are imported when first needed, since an extra or much time goes with them."""

from importlib import import_module
from types import ModuleType

from pivot_remotes.errors import Unsupported


def load(module: str, *, extra: str) -> ModuleType:
    """Import `module`; raises `Unsupported` where a third-party package of `extra` is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith(__package__ or __name__):
            raise
        raise Unsupported(
            f"{extra} storage needs a package that isn't installed",
            why=f"no module named {error.name}",
            hint=f"Run `pip install 'pivot[{extra}]'`",
        ) from error
