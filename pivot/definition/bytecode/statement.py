"""One statement of a module: what importing the module does by it."""

import re
from collections.abc import Iterator
from types import CodeType
from typing import Final

_WORD: Final = re.compile(r"[^\W\d]\w*")

type Mention = str | tuple[object]
"""A name, or a constant as the only item of a tuple."""


WHOLE: Final = "__dict__"
"""Mentioned with a module that is used for itself: somebody may go through all that is in it."""


class Statement:
    """One statement at the top level of a module; of several that share a condition, all.

    There are many, so it is no dataclass, and what most have none of is no list.

    Attributes:
        start: offset of its first instruction; `end` is behind its last one.
        binds: names that it binds, those in the body of a class included.
        made_of: for each of them the part of `reads` that its value is made of.
        reads: what it mentions, in order.
        codes: the code in it, in order: functions, and bodies of classes.
        held: what it does something with that may be noticed, or may fail.
        counts: whether it matters also to those who don't read what it binds.
        computed: whether values of names decided that it can't fail.
        changes: names that it binds by other means: attributes, globals from within a class.
        needs: what must be in libraries: `module`, `module:name`, or `module@attribute`.
        wanted: names that it takes from modules of the project's.
        libraries: modules of others that it imports.
    """

    __slots__ = (
        "binds", "changes", "codes", "computed", "counts", "end", "held", "libraries", "made_of",
        "needs", "reads", "start", "wanted",
    )  # fmt: skip

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.binds: list[str] = []
        self.made_of: list[tuple[int, int]] = []
        self.reads: list[Mention] = []
        self.codes: list[CodeType] = []
        self.held: frozenset[Mention] = frozenset()
        self.counts = self.computed = False
        self.changes: tuple[str, ...] = ()
        self.needs: tuple[str, ...] = ()
        self.wanted: tuple[str, ...] = ()
        self.libraries: tuple[str, ...] = ()

    def bind(self, name: str, start: int) -> None:
        """Bind a name to what was mentioned from a place in `reads` on."""
        self.binds.append(name)
        self.made_of.append((start, len(self.reads)))

    def hold(self, start: int = 0, *, names_only: bool = False) -> None:
        """Hold what was mentioned from a place in `reads` on.

        With `names_only`, it is known not to look into texts and modules.
        """
        self.counts = True
        found = self.reads[start:]
        if names_only:
            found = [m for m in found if isinstance(m, str) and m is not WHOLE]
        self.held |= set(found)


def names_of(mention: Mention) -> Iterator[str]:
    """A name; of a constant, all words in its texts: something may look these up."""
    if isinstance(mention, str):
        yield from mention.split(".")
    else:
        yield from _words(mention[0])


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _WORD.findall(value)
    elif isinstance(value, tuple | frozenset):
        for item in value:
            yield from _words(item)
