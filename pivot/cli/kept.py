"""What a collection keeps, and for whom: rows for people and for programs."""

from collections.abc import Sequence

from pivot.cli.terminal import size, table
from pivot.project.collecting import Kept


def kept_as_json(kept: Sequence[Kept]) -> list[dict[str, object]]:
    """The member `kept` of the published schemas."""
    return [
        {
            "project": each.project,
            "path": each.path,
            "id": each.content.id.hex(),
            "size": each.content.size,
            "held": each.is_held,
            "keepers": each.keepers.names,
            "keepers_total": each.keepers.count,
        }
        for each in kept
    ]


def show_kept(kept: Sequence[Kept]) -> None:
    """A row for each content that is held."""
    table([_row(each) for each in kept if each.is_held])


def _row(kept: Kept) -> tuple[str, str, str, str]:
    more = kept.keepers.count - len(kept.keepers.names)
    keepers = ", ".join(kept.keepers.names) + (f" and {more} more" if more else "")
    path = kept.path if kept.project is None else f"{kept.project}: {kept.path}"
    return path, kept.content.id.hex()[:8], size(kept.content.size), keepers
