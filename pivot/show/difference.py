"""What differs between two versions of a text, as a unified diff."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

type Lines = Sequence[tuple[int, str]]
"""Lines of a file: the number of each, 1-based, and its text without the line's end."""

_CONTEXT: Final = 3


def numbered(text: str) -> Lines:
    """All lines of a text."""
    lines = text.removesuffix("\n").split("\n") if text else []
    return list(enumerate(lines, start=1))


def unified(old: Lines, new: Lines, old_name: str, new_name: str) -> tuple[str, ...]:
    """The lines of a unified diff; none where the texts are equal.

    The lines may be parts of files: hunks have the numbers that they have there.
    """
    before, after = [text for _, text in old], [text for _, text in new]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    groups = matcher.get_grouped_opcodes(_CONTEXT)
    hunks = [line for group in groups for line in _hunk(group, old, new)]
    return (f"--- {old_name}", f"+++ {new_name}", *hunks) if hunks else ()


def _hunk(group: Sequence[tuple[str, int, int, int, int]], old: Lines, new: Lines) -> Iterator[str]:
    if all(tag == "equal" for tag, *_ in group):
        return
    (_, old_from, _, new_from, _), (_, _, old_to, _, new_to) = group[0], group[-1]
    yield f"@@ -{_range(old, old_from, old_to)} +{_range(new, new_from, new_to)} @@"
    for tag, i, j, k, m in group:
        if tag == "equal":
            yield from (f" {text}" for _, text in old[i:j])
            continue
        yield from (f"-{text}" for _, text in old[i:j])
        yield from (f"+{text}" for _, text in new[k:m])


def _range(lines: Lines, start: int, end: int) -> str:
    """Where a part begins and how many lines it has; one of none stands behind some line."""
    if start == end:
        return f"{lines[start - 1][0] if start else 0},0"
    first = lines[start][0]
    return f"{first},{end - start}" if end - start > 1 else str(first)
