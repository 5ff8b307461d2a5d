"""Why something may be missing among what was seen of a stage."""


class Gaps:
    """Reasons, each noted once; in words."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def note(self, what: str) -> None:
        self._found.setdefault(what)

    @property
    def found(self) -> tuple[str, ...]:
        """In the order in which they were noted."""
        return tuple(self._found)
