"""What a push or a fetch came to."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """The result that `push|pull|fetch --json` print.

    Attributes:
        objects: entries that were moved, of `total_objects` that the roots need.
        bytes: their size before compression, of `total_bytes`.
        requests: calls to the remote.
        seconds: wall-clock time.
    """

    objects: int
    bytes: int
    total_objects: int
    total_bytes: int
    requests: int
    seconds: float

    def as_json(self) -> dict[str, int | float]:
        """The object of the published schema."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}
