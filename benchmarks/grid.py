"""A table of what was counted under several settings: no peer, no target."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells below headings; the first column is the setting."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
