"""What a stage's process is asked to do: plain data, so that any executor can carry it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pivot.hashing import Json
from pivot.paths import RepoPath, StageName


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one stage.

    Attributes:
        project: absolute path of the project root.
        source: what to load: a pipeline file (`pipeline.py`) below the project root, or
            `module:pkg.stages` for a configured module.
        symbol: the stage's function, `package.module:qualname`.
        params: the effective parameters that the plan reckoned with; None without parameters.
        cwd: where the stage runs.
        log: absolute path of the file that takes the stage's output; it is started anew.
        roots: absolute folders that come first on `sys.path`, in order.
        declared: deps and outs, relative to the project: their use needs no report.
    """

    stage: StageName
    project: str
    source: str
    symbol: str
    params: Mapping[str, Json] | None
    cwd: RepoPath
    log: str
    roots: tuple[str, ...]
    declared: tuple[RepoPath, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            "stage": self.stage,
            "project": self.project,
            "source": self.source,
            "symbol": self.symbol,
            "params": None if self.params is None else dict(self.params),
            "cwd": self.cwd,
            "log": self.log,
            "roots": list(self.roots),
            "declared": list(self.declared),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The job that `to_json` wrote; raises `PathError` for a name or path that isn't one."""
        return cls(
            stage=StageName(value["stage"]),
            project=value["project"],
            source=value["source"],
            symbol=value["symbol"],
            params=value["params"],
            cwd=RepoPath(value["cwd"]),
            log=value["log"],
            roots=tuple(value["roots"]),
            declared=tuple(map(RepoPath, value["declared"])),
        )
