"""What a stage was seen to do, as its process reports it: plain data, nothing judged yet."""

import os
import stat as stat_
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from pivot.hashing import Json


class Stamp(NamedTuple):
    """What tells whether a file changed since it was opened; the time is in nanoseconds."""

    mtime_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, path: str) -> Self | None:
        """Of the regular file at `path`, links followed; None where there is none."""
        try:
            result = os.stat(path)
        except (OSError, ValueError):
            return None
        if not stat_.S_ISREG(result.st_mode):
            return None
        return cls(result.st_mtime_ns, result.st_size, result.st_ino)


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen in one process; paths are relative to the project.

    Attributes:
        began_ns: when the process began to load the stage, since the epoch.
        code: source files with the first lines (1-based) of functions in them that ran; 0 stands
            for the module itself. In the order in which they first ran.
        imported: the same for what ran while modules were imported, by the file that was.
        modules: dotted names that `importlib.import_module` was asked for.
        env: variables that the project's code read, unless it had set them itself.
        reads: files that were opened to be read, as they were then; None for what wasn't there.
        writes: paths that were opened to be written, or that something was renamed to.
        processes: whether it started other processes, in which nothing is seen.
        unseen: why something may be missing, in words.
    """

    began_ns: int
    code: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    imported: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    reads: Mapping[str, Stamp | None] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    processes: bool = False
    unseen: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            "began_ns": self.began_ns,
            "code": {file: list(lines) for file, lines in self.code.items()},
            "imported": {
                by: {file: list(lines) for file, lines in code.items()}
                for by, code in self.imported.items()
            },
            "modules": list(self.modules),
            "env": list(self.env),
            "reads": {p: None if stamp is None else list(stamp) for p, stamp in self.reads.items()},
            "writes": list(self.writes),
            "processes": self.processes,
            "unseen": list(self.unseen),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; raises `KeyError`, `TypeError`, `AttributeError` for others."""
        return cls(
            began_ns=value["began_ns"],
            code=_lines(value["code"]),
            imported={by: _lines(code) for by, code in value["imported"].items()},
            modules=tuple(value["modules"]),
            env=tuple(value["env"]),
            reads={p: None if s is None else Stamp(*s) for p, s in value["reads"].items()},
            writes=tuple(value["writes"]),
            processes=value["processes"],
            unseen=tuple(value["unseen"]),
        )


def _lines(code: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {file: tuple(lines) for file, lines in code.items()}
