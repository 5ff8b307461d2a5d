"""Comments of sources that are meant for Pivot and say nothing to it."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pivot.code.source.ignoring import read_marks
from pivot.code.source.syntax import parse
from pivot.paths import RepoPath


@dataclass(frozen=True, slots=True)
class IdleComment:
    """A comment without effect: what it is, where (line 1-based), and what helps."""

    what: str
    file: RepoPath
    line: int
    hint: str


def idle_comments(root: str, files: Iterable[RepoPath]) -> Iterator[IdleComment]:
    """The idle comments of sources below `root`, an absolute path, in their order."""
    for file in sorted(files):
        try:
            with open(os.path.join(root, file), "rb") as f:
                source = f.read()
            marks = read_marks(source, parse(source))
        except (OSError, SyntaxError, ValueError):
            continue  # told by whoever needs the file
        for line in marks.idle:
            yield IdleComment(
                "`# pivot: ignore` stands at no top-level definition",
                file,
                line,
                "Put it on the line of a top-level `def`, `class` or assignment, or right above",
            )
        for line, word in marks.misspelt:
            yield IdleComment(
                f"`# pivot: {word}` means nothing", file, line, "Write `# pivot: ignore`"
            )
