"""Whether text may be coloured."""

import os


def colour() -> bool | None:
    """What to tell click: none where `NO_COLOR` is set, else what suits where it is written to."""
    return False if os.environ.get("NO_COLOR") else None
