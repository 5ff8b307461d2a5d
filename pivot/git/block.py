"""A block of lines that Pivot manages in a text file that people edit too. Pure."""

import re
from collections.abc import Sequence

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_CONFLICT = re.compile(r"<{7}|\|{7}|={7}|>{7}")
# A conflict in which neither side has a line of its own left.
_EMPTY_CONFLICT = re.compile(
    r"^<{7}[^\n]*\n(?:\|{7}[^\n]*\n)?={7}\r?\n>{7}[^\n]*(?:\n|\Z)", re.MULTILINE
)


def replace_block(text: str, *, start: str, end: str, lines: Sequence[str]) -> str:
    """`text` with the block between the lines `start` and `end` holding exactly `lines`.

    The block stays where it is, or is added at the end. Text outside is kept byte for byte; only
    a missing line end before a new block is added. The block follows the text's line ends (CRLF
    where the first line has it). A conflict inside the block, a second block, or a marker without
    its partner (with those lines after it that the block has anyway) is cleared away.
    """
    newline = "\r\n" if re.match(r"[^\n]*\r\n", text) else "\n"
    block = "".join(line + newline for line in (start, *lines, end))
    before, after = _outside(_LINE.findall(text), start, end, frozenset(lines))
    if before is None:
        before, after = after, ""
    if before and not before.endswith("\n"):
        before += newline
    return before + block + after


def block_lines(text: str, *, start: str, end: str) -> list[str]:
    """The lines inside the block, or inside all blocks where a merge left several.

    What follows a marker without its partner is not of the block.
    """
    found: list[str] = []
    inside: list[str] | None = None
    for raw in _LINE.findall(text):
        line = raw.strip("\r\n")
        if line.strip() == start:
            inside = []
        elif line.strip() == end:
            found += inside or ()
            inside = None
        elif inside is not None and not _CONFLICT.match(line):
            inside.append(line)
    return found


def _outside(
    lines: Sequence[str], start: str, end: str, managed: frozenset[str]
) -> tuple[str | None, str]:
    """The text before and after the first block; before is None where there is no block."""
    kept: list[str] = []
    place: int | None = None
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line in (start, end):
            place = len(kept) if place is None else place
            at = _skip(lines, at, start, end, managed)
        else:
            kept.append(lines[at])
            at += 1
    if place is None:
        return None, "".join(kept)
    return _join(kept, place)


def _skip(lines: Sequence[str], at: int, start: str, end: str, managed: frozenset[str]) -> int:
    """Where the block whose marker is at `at` ends; a lone marker takes little with it."""
    if lines[at].strip() == end:
        return at + 1
    for stop in range(at + 1, len(lines)):
        line = lines[stop].strip()
        if line == end:
            return stop + 1
        if line == start:
            break
    at += 1
    while at < len(lines) and lines[at].strip("\r\n") in managed:
        at += 1
    return at


def _join(kept: Sequence[str], place: int) -> tuple[str, str]:
    """The text on both sides of `place`, less conflicts that only the removed blocks had."""
    before, after = "".join(kept[:place]), "".join(kept[place:])
    whole = before + after
    for conflict in _EMPTY_CONFLICT.finditer(whole):
        if conflict.start() <= len(before) <= conflict.end():
            return whole[: conflict.start()], whole[conflict.end() :]
    return before, after
