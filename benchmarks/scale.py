"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of the inputs and numbers of repetitions.

    Attributes:
        starts: repetitions of commands that take milliseconds.
        repetitions: repetitions of commands that take seconds.
        files: small files, of `file_size` bytes each.
        many_files: how many there are where their number is what is measured.
        large_size: bytes of a large incompressible file.
        table_size: bytes of a large table.
        cut_size: bytes of what is cut in several ways.
        slow_repetitions: repetitions of what takes the peer minutes.
        known: objects of a store that knows many, in the same number of files.
        stages: stages of a graph that both tools get.
        many_stages: stages of a graph that Pivot gets alone.
        run_stages: stages of a graph that both tools run.
        modules: modules of a project whose code is analysed, in fifties.
        pushes: how many others pushed to a remote before.
        calls: rounds of a stage of pure Python, some function calls each.
    """

    starts: int
    repetitions: int
    files: int
    file_size: int
    many_files: int
    large_size: int
    table_size: int
    cut_size: int
    slow_repetitions: int
    known: int
    stages: int
    many_stages: int
    run_stages: int
    modules: int
    pushes: int
    calls: int


FULL = Scale(
    starts=25,
    repetitions=5,
    files=10_000,
    file_size=4096,
    many_files=100_000,
    large_size=1 << 30,
    table_size=500_000_000,
    cut_size=100_000_000,
    slow_repetitions=2,
    known=1_000_000,
    stages=200,
    many_stages=1000,
    run_stages=50,
    modules=1000,
    pushes=10_000,
    calls=200_000,
)
# Large enough for each path that the full scale takes: several folders, a file that is cut.
TINY = Scale(
    starts=1,
    repetitions=1,
    files=150,
    file_size=512,
    many_files=300,
    large_size=6_000_000,
    table_size=6_000_000,
    cut_size=6_000_000,
    slow_repetitions=1,
    known=1000,
    stages=3,
    many_stages=6,
    run_stages=3,
    modules=50,
    pushes=40,
    calls=2000,
)
