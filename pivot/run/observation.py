"""What a stage was seen to do, as its process reports it: plain data, nothing judged yet."""

import os
import stat as stat_
from collections.abc import Iterable, Mapping
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
        modules: dotted names that `importlib.import_module` or `__import__` was asked for.
        packages: top-level names of modules that own code imported by other means than a statement,
            or that an object was unpickled from.
        env: variables that the project's code read, unless it had set them itself.
        reads: files that were opened to be read, as they were then; None for what wasn't there.
        writes: paths that were opened to be written, or that something was renamed to.
        listings: folders that were listed, with the names that were in them; None for what was no
            folder. The project itself is `.`.
        changes: folders that were made, and paths that were removed or moved away.
        processes: whether it started other processes, in which nothing is seen.
        unseen: why something may be missing, in words.
    """

    began_ns: int
    code: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    imported: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    reads: Mapping[str, Stamp | None] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    listings: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
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
            "packages": list(self.packages),
            "env": list(self.env),
            "reads": {p: None if stamp is None else list(stamp) for p, stamp in self.reads.items()},
            "writes": list(self.writes),
            "listings": {p: None if n is None else list(n) for p, n in self.listings.items()},
            "changes": list(self.changes),
            "processes": self.processes,
            "unseen": list(self.unseen),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; raises `KeyError`, `TypeError`, `AttributeError` for others."""
        reads = value["reads"].items()
        return cls(
            began_ns=_number(value["began_ns"]),
            code=_lines(value["code"]),
            imported={by: _lines(code) for by, code in value["imported"].items()},
            modules=_texts(value["modules"]),
            packages=_texts(value["packages"]),
            env=_texts(value["env"]),
            reads={path: None if s is None else Stamp(*map(_number, s)) for path, s in reads},
            writes=_texts(value["writes"]),
            listings={p: None if n is None else _texts(n) for p, n in value["listings"].items()},
            changes=_texts(value["changes"]),
            processes=value["processes"] is True,
            unseen=_texts(value["unseen"]),
        )


def _lines(code: Mapping[str, Iterable[object]]) -> dict[str, tuple[int, ...]]:
    return {file: tuple(map(_number, lines)) for file, lines in code.items()}


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError("it is no list of texts")
    return tuple(map(str, value))


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value
