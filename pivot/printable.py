"""Text of others, as a terminal may have it."""

from typing import Final

LINES: Final = "\n\t"


def printable(text: str, *, keep: str = "") -> str:
    """`text` with a written-out form of what isn't printed, but for the characters in `keep`.

    What a repository or a storage says must not move the cursor of whoever reads it.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)
