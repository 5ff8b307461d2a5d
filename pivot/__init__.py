"""Pivot: change your code; Pivot knows what to run.

The public names are loaded when they are first used, so that importing `pivot` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pivot.definition.decorator import stage
    from pivot.outputs import IncrementalOut, Metric, Out, Plot

__version__ = "0.1.0"

__all__ = ["IncrementalOut", "Metric", "Out", "Plot", "__version__", "stage"]

_HOMES = {
    "IncrementalOut": "pivot.outputs",
    "Metric": "pivot.outputs",
    "Out": "pivot.outputs",
    "Plot": "pivot.outputs",
    "stage": "pivot.definition.decorator",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'pivot' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
