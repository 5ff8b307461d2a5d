"""What a push or a fetch came to."""

from dataclasses import dataclass

from pivot.hashing import Json


@dataclass(frozen=True, slots=True)
class Given:
    """What one of the remotes gave: so many entries, of so many bytes before compression."""

    remote: str
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The result that `push|pull|fetch --json` print.

    Attributes:
        objects: entries that were moved, of `total_objects` that the roots need.
        bytes: their size before compression, of `total_bytes`.
        requests: calls to the remotes.
        seconds: wall-clock time.
        sources: for a fetch, which remotes gave them, in the order in which they were asked.
    """

    objects: int
    bytes: int
    total_objects: int
    total_bytes: int
    requests: int
    seconds: float
    sources: tuple[Given, ...] | None = None

    def as_json(self) -> dict[str, Json]:
        """The object of the published schema."""
        value: dict[str, Json] = {
            "objects": self.objects,
            "bytes": self.bytes,
            "total_objects": self.total_objects,
            "total_bytes": self.total_bytes,
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
        }
        if self.sources is not None:
            value["sources"] = [
                {"remote": given.remote, "objects": given.objects, "bytes": given.bytes}
                for given in self.sources
            ]
        return value
