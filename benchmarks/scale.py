"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of the inputs and numbers of repetitions.

    Attributes:
        starts: repetitions of commands that take milliseconds.
        repetitions: repetitions of commands that take seconds.
        files: small files, of `file_size` bytes each.
        large_size: bytes of a large file.
    """

    starts: int
    repetitions: int
    files: int
    file_size: int
    large_size: int


FULL = Scale(starts=25, repetitions=5, files=10_000, file_size=4096, large_size=300_000_000)
# Large enough for each path that the full scale takes: several folders, a file that is cut.
TINY = Scale(starts=1, repetitions=1, files=150, file_size=512, large_size=6_000_000)
