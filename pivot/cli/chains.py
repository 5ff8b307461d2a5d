"""Chains of symbols as a line: `train -> features.build -> utils.normalize`."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from pivot.paths import StageName

_ARROW: Final = " -> "
_LEFT_OUT: Final = "..."
_LEAST_FOLDED: Final = 3


def names(stage: StageName, chain: Sequence[str]) -> tuple[str, ...]:
    """A chain of symbols `package.module:name` in words: it begins with the stage."""
    return (stage, *(symbol.replace(":", ".") for symbol in chain[1:]))


def folded(chain: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
    """A chain without what it has in common with the one shown before it.

    The last common name stays, and a beginning that isn't longer than what would stand for it.
    """
    pairs = zip(chain, before, strict=False)
    common = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    if common < _LEAST_FOLDED:
        return tuple(chain)
    return (_LEFT_OUT, *chain[common - 1 :])


def line(chain: Sequence[str], width: int | None) -> str:
    """A chain on one line; names in its middle are left out where it is longer than `width`."""
    shown = list(chain)
    text = _ARROW.join(shown)
    kept = len(shown)
    while width is not None and len(text) > width and kept > 2:
        kept -= 1
        first = kept // 2
        shown = [*chain[:first], _LEFT_OUT, *chain[len(chain) - (kept - first) :]]
        text = _ARROW.join(shown)
    return text
