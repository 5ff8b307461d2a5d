"""Samples of all tools, by step, and the rows that they make."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.proxy import Counts
from benchmarks.row import Row, Target, Unit, at_most
from benchmarks.server import Service
from benchmarks.tool import PEER, PIVOT
from benchmarks.workbench import Sample, Workbench

MEMORY_MB = 250.0


@dataclass(frozen=True, slots=True)
class Tally:
    """What was taken so far: (tool, step) -> samples, in order."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=lambda: defaultdict(list))
    figures: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def take(self, bench: Workbench, tool: str, step: str, words: Sequence[str], cwd: Path) -> None:
        """Measure a step of a tool."""
        self.samples[tool, step].append(bench.measure(words, cwd))

    def take_counted(
        self, service: Service, tool: str, step: str, words: Sequence[str], cwd: Path
    ) -> Counts:
        """Measure a step of a tool, and count what of it reaches a server."""
        service.counts()
        self.take(service.bench, tool, step, words, cwd)
        counts = service.counts()
        self.note(tool, requests_of(step), counts.requests)
        return counts

    def note(self, tool: str, step: str, figure: float) -> None:
        """Keep something that was counted, not timed."""
        self.figures[tool, step].append(figure)

    def time(
        self, step: str, target: Target | None = None, *, tool: str = PIVOT, peer: str = PEER
    ) -> Row:
        """The wall times of a step."""
        return _row(
            _name(step, tool, peer),
            Unit.SECONDS,
            [sample.seconds for sample in self.samples[tool, step]],
            (peer, [sample.seconds for sample in self.samples[peer, step]]),
            target,
        )

    def memory(self, step: str, *, tool: str = PIVOT, limit: float | None = MEMORY_MB) -> Row:
        """The peaks of a step, against a limit in MB; None where they are only reported."""
        return _row(
            f"memory: {step}",
            Unit.MEGABYTES,
            [sample.peak / 1e6 for sample in self.samples[tool, step]],
            (PEER, [sample.peak / 1e6 for sample in self.samples[PEER, step]]),
            None if limit is None else at_most(limit),
        )

    def requests(self, step: str, limit: float | None = None) -> Row:
        """The requests of a step that was counted, against a limit."""
        target = None if limit is None else at_most(limit)
        return self.figure(requests_of(step), Unit.REQUESTS, target)

    def figure(
        self, step: str, unit: Unit, target: Target | None = None, *, peer: str = PEER
    ) -> Row:
        """What was counted."""
        ours, theirs = self.figures[PIVOT, step], self.figures[peer, step]
        return _row(_name(step, PIVOT, peer), unit, ours, (peer, theirs), target)


def requests_of(step: str) -> str:
    """What a step's requests are noted as."""
    return f"requests: {step}"


def _name(step: str, tool: str, peer: str) -> str:
    """What a row is about; whom it compares if that isn't Pivot with its usual peer."""
    if tool != PIVOT:
        return f"{step} ({tool})"
    return step if peer == PEER else f"{step}, beside `{peer}`"


def _row(
    name: str,
    unit: Unit,
    ours: Sequence[float],
    theirs: tuple[str, Sequence[float]],
    target: Target | None,
) -> Row:
    peer, samples = theirs
    return Row(name, unit, tuple(ours), peer if samples else "", tuple(samples), target)
