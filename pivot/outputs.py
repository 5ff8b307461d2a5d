"""What a stage writes. Imported by users' stage modules: light, and it only records.

Example:
    >>> from pivot import Metric, Out, stage
    >>> @stage(deps=["data.csv"], outs=[Out("model.pkl"), Metric("metrics.json")])
    ... def train(): ...
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple

from pivot.paths import RepoPath


class OutKind(StrEnum):
    """How an output is kept; part of a stage's key."""

    OUT = "out"
    METRIC = "metric"
    PLOT = "plot"
    INCREMENTAL = "incremental"
    DIRECTORY = "directory"


class OutSpec(NamedTuple):
    """A declared output, its path resolved: what a stage and its lock hold."""

    path: RepoPath
    kind: OutKind


@dataclass(frozen=True, slots=True)
class Out:
    """A file or directory that is kept in the store and ignored by Git.

    `path` is relative to the project's root, or to the stage's `cwd`.
    """

    path: str
    kind: ClassVar[OutKind] = OutKind.OUT


@dataclass(frozen=True, slots=True)
class Metric(Out):
    """A small file of numbers (JSON, YAML or CSV) that is kept in Git as well as in the store."""

    kind: ClassVar[OutKind] = OutKind.METRIC


@dataclass(frozen=True, slots=True)
class Plot(Out):
    """An image or the data of a chart; kept in the store and shown by `pivot plots`."""

    kind: ClassVar[OutKind] = OutKind.PLOT


@dataclass(frozen=True, slots=True)
class IncrementalOut(Out):
    """A file or directory that a stage adds to: it starts from what its last run left."""

    kind: ClassVar[OutKind] = OutKind.INCREMENTAL
