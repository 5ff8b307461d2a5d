"""What was measured of one thing, and what it was to be."""

from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Unit(StrEnum):
    """What a row's numbers are."""

    SECONDS = "s"
    MEGABYTES = "MB"
    FILES = "files"
    REQUESTS = "requests"
    PERCENT = "%"


class Measure(StrEnum):
    """What of a row a target bounds: medians beside the peer's, or the worst sample alone."""

    SPEEDUP = "at least {:g} times faster"
    MULTIPLE = "at most {:g} times as much"
    VALUE = "at most {:g}"


@dataclass(frozen=True, slots=True)
class Target:
    """What an issue asks for."""

    measure: Measure
    bound: float

    def __str__(self) -> str:
        return self.measure.format(self.bound)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report: Pivot's samples, the peer's, and the target.

    Attributes:
        name: what was measured.
        unit: of all samples.
        ours: Pivot's samples, in the order they were taken.
        peer: what it was compared with; empty without one.
        theirs: the peer's samples; empty when it was not measured.
        target: None for what is only reported.
    """

    name: str
    unit: Unit
    ours: tuple[float, ...]
    peer: str = ""
    theirs: tuple[float, ...] = ()
    target: Target | None = None

    @property
    def multiple(self) -> float | None:
        """Pivot's median over the peer's; None without a peer, or with a peer of nothing."""
        if not self.theirs or not median(self.theirs):
            return None
        return median(self.ours) / median(self.theirs)

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached; None where there is none, or no peer to compare with."""
        if self.target is None:
            return None
        if self.target.measure is Measure.VALUE:
            return max(self.ours) <= self.target.bound
        if self.multiple is None:
            return None
        if self.target.measure is Measure.SPEEDUP:
            return self.multiple * self.target.bound <= 1
        return self.multiple <= self.target.bound


def faster(times: float) -> Target:
    """At least `times` faster than the peer."""
    return Target(Measure.SPEEDUP, times)


def within(times: float) -> Target:
    """At most `times` what the peer takes."""
    return Target(Measure.MULTIPLE, times)


def at_most(value: float) -> Target:
    """At most `value` of the row's unit, in every run."""
    return Target(Measure.VALUE, value)
