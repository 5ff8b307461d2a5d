"""Samples of both tools, by step, and the rows that they make."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.row import Row, Target, Unit, at_most
from benchmarks.tool import Tool
from benchmarks.workbench import Sample, Workbench

MEMORY_MB = 200.0
PIVOT, PEER = "pivot", "dvc"


@dataclass(frozen=True, slots=True)
class Tally:
    """What was taken so far: (tool, step) -> samples, in order."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=lambda: defaultdict(list))
    figures: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def take(
        self, bench: Workbench, tool: Tool, step: str, words: Sequence[str], cwd: Path
    ) -> None:
        """Measure a step of a tool."""
        self.samples[tool.name, step].append(bench.measure(words, cwd))

    def note(self, tool: Tool, step: str, figure: float) -> None:
        """Keep something that was counted, not timed."""
        self.figures[tool.name, step].append(figure)

    def time(self, step: str, target: Target | None = None) -> Row:
        """The wall times of a step."""
        ours, theirs = self.samples[PIVOT, step], self.samples[PEER, step]
        return _row(
            step,
            Unit.SECONDS,
            [sample.seconds for sample in ours],
            [sample.seconds for sample in theirs],
            target,
        )

    def memory(self, step: str) -> Row:
        """The peaks of a step, against the limit that holds for all."""
        ours, theirs = self.samples[PIVOT, step], self.samples[PEER, step]
        return _row(
            f"memory: {step}",
            Unit.MEGABYTES,
            [sample.peak / 1e6 for sample in ours],
            [sample.peak / 1e6 for sample in theirs],
            at_most(MEMORY_MB),
        )

    def figure(self, step: str, unit: Unit, target: Target | None = None) -> Row:
        """What was counted."""
        ours, theirs = self.figures[PIVOT, step], self.figures[PEER, step]
        return _row(step, unit, ours, theirs, target)


def _row(
    name: str, unit: Unit, ours: Iterable[float], theirs: Iterable[float], target: Target | None
) -> Row:
    theirs = tuple(theirs)
    return Row(name, unit, tuple(ours), PEER if theirs else "", theirs, target)
