"""What the definitions of a project depended on, and whether that is still so.

Loading definitions runs the user's code, so it is done only when something that the code looked
at has changed. The check runs on every no-op: it needs `os` alone and costs some system calls.

Only what the project's own code looked at counts. What a library reads while it is imported
belongs to the library, and enters as the identity of the installed distributions.
"""

import os
import stat as stat_
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from pivot.definition.executed import Executed
from pivot.definition.influence import Influence
from pivot.hashing import ObjectId, derive, derive_json

# Endings under which the import system finds a module, after the module's name.
_MODULE_ENDINGS = (".py", ".pyc", ".so")
_ENVIRONMENT_CONTEXT = "pivot definitions environment 1"
_LISTING_CONTEXT = "pivot definitions listing 1"


class Impurity(NamedTuple):
    """Something that definition code did and whose result can't be checked later.

    `file` is relative to the project where it lies in it; `line` is 1-based.
    """

    what: str
    file: str
    line: int


class Lookups(NamedTuple):
    """Names of modules that were looked for in one folder, and what the folder held for them."""

    names: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything to compare before cached definitions may be used.

    Paths are relative to the project root, or absolute where they lie outside of it.

    Attributes:
        python: identity of the interpreter, see `interpreter`.
        installed: folders with installed distributions -> their modification time in ns.
        files: files that were read, sources included -> id; None for a file that was missing.
        listings: folders that were listed -> digest of names and types, None where missing.
        states: paths that were asked about -> what `path_state` said.
        details: paths whose size or time was asked for -> what `path_detail` said.
        environment: variables that were read -> digest of the value, None where unset.
        names: digest of the names of all variables, if they were enumerated.
        lookups: folders that modules were looked for in.
        executed: what of own sources matters, where that is less than all of them.
        influence: what decides whether something matters.
        impurities: what makes the definitions uncacheable; empty if they can be cached.
    """

    python: str
    installed: Mapping[str, int]
    files: Mapping[str, str | None]
    listings: Mapping[str, str | None]
    states: Mapping[str, str]
    details: Mapping[str, str]
    environment: Mapping[str, str | None]
    names: str | None
    lookups: Mapping[str, Lookups]
    executed: Mapping[str, Executed] = field(default_factory=dict)
    influence: Influence = field(default_factory=Influence)
    impurities: tuple[Impurity, ...] = ()

    @property
    def cacheable(self) -> bool:
        """Whether a later process may use the definitions at all."""
        return not self.impurities

    def to_json(self) -> dict[str, object]:
        return {
            "python": self.python,
            "installed": self.installed,
            "files": self.files,
            "listings": self.listings,
            "states": self.states,
            "details": self.details,
            "environment": self.environment,
            "names": self.names,
            "lookups": {k: [v.names, v.found] for k, v in self.lookups.items()},
            "executed": {k: v.to_json() for k, v in self.executed.items()},
            "influence": self.influence.to_json(),
            "impurities": [[i.what, i.file, i.line] for i in self.impurities],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; raises `KeyError` or `TypeError` for anything else."""
        lookups = {k: Lookups(tuple(n), tuple(f)) for k, (n, f) in value["lookups"].items()}
        executed = {k: Executed.from_json(v) for k, v in value["executed"].items()}
        impurities = tuple(Impurity(*i) for i in value["impurities"])
        influence = Influence.from_json(value["influence"])
        parts = {"lookups": lookups, "executed": executed, "impurities": impurities}
        return cls(**{**value, **parts, "influence": influence})


def interpreter() -> str:
    """Which Python this is: version, prefix, and the variables that change its search path."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    parts = [sys.version, sys.prefix, sys.base_prefix, os.environ.get("PYTHONHOME", "")]
    parts += [os.path.abspath(path) for path in paths if path]  # relative: where we were started
    return str(derive_json(_ENVIRONMENT_CONTEXT, parts))


def value_digest(value: str) -> str:
    """A variable's value as evidence: secrets stay unknown to whoever reads the cache."""
    return str(derive(_ENVIRONMENT_CONTEXT, value.encode(errors="surrogateescape")))


def names_digest(names: Iterable[str]) -> str:
    return value_digest("\0".join(sorted(names)))


def modified(path: str) -> int:
    """When a folder's entries changed last, in ns; 0 where it can't be told."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def path_state(path: str) -> str:
    """What is at `path`: `file`, `dir`, `other`, `missing`, or `link:` with target and its kind."""
    try:
        mode = os.lstat(path).st_mode
        if not stat_.S_ISLNK(mode):
            return _kind(mode)
        target = os.readlink(path)
    except (OSError, ValueError):
        return "missing"
    try:
        return f"link:{target}:{_kind(os.stat(path).st_mode)}"
    except OSError:
        return f"link:{target}:missing"


def _kind(mode: int) -> str:
    if stat_.S_ISREG(mode):
        return "file"
    return "dir" if stat_.S_ISDIR(mode) else "other"


def path_detail(path: str) -> str:
    """Size and modification time of a file; of a folder only that it is one.

    A folder's own time changes with every run of a stage that writes into it.
    """
    try:
        result = os.stat(path)
    except (OSError, ValueError):
        return "missing"
    if stat_.S_ISDIR(result.st_mode):
        return "dir"
    return f"{result.st_mode}:{result.st_size}:{result.st_mtime_ns}"


def listing_digest(path: str) -> str | None:
    """The names in a folder with their types; None where it can't be listed."""
    try:
        with os.scandir(path) as entries:
            lines = sorted(_entry_line(entry) for entry in entries)
    except OSError:
        return None
    text = "\0".join(lines)
    return str(derive(_LISTING_CONTEXT, text.encode(errors="surrogateescape")))


def _entry_line(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return f"l{entry.name}"
    return f"d{entry.name}" if entry.is_dir(follow_symlinks=False) else f"f{entry.name}"


def module_candidates(folder: str, names: Sequence[str]) -> tuple[str, ...]:
    """The entries of `folder` that an import of one of `names` could take, sorted.

    A folder is written with `/` behind it if it is a regular package.
    """
    wanted = frozenset(names)
    try:
        entries = os.listdir(folder)
    except OSError:
        return ()
    found: list[str] = []
    for entry in entries:
        name, dot, _ = entry.partition(".")
        if name not in wanted:
            continue
        if dot:
            if entry.endswith(_MODULE_ENDINGS):
                found.append(entry)
        elif os.path.exists(os.path.join(folder, entry, "__init__.py")):
            found.append(entry + "/")
        else:
            found.append(entry)
    return tuple(sorted(found))


def surroundings_hold(evidence: Evidence, project: str) -> bool:
    """Whether all but the contents of files is as it was.

    Args:
        evidence: as recorded by the process that loaded the definitions.
        project: absolute path of the project root.
    """
    return (
        evidence.cacheable
        and evidence.python == interpreter()
        and _environment_holds(evidence)
        and all(modified(path) == time for path, time in evidence.installed.items())
        and _paths_hold(evidence, project)
    )


def edited_files(
    evidence: Evidence, ids: Mapping[str, ObjectId | None]
) -> list[tuple[str, ObjectId | None]]:
    """The sources, and files that definition code read, that changed, with their ids now.

    `ids` has the id of each of `evidence.files`, None where there is none.
    """
    return [(path, ids[path]) for path, was in evidence.files.items() if _hex(ids[path]) != was]


def _hex(object_id: ObjectId | None) -> str | None:
    return None if object_id is None else object_id.hex()


def _environment_holds(evidence: Evidence) -> bool:
    for name, known in evidence.environment.items():
        value = os.environ.get(name)
        if (None if value is None else value_digest(value)) != known:
            return False
    return evidence.names is None or evidence.names == names_digest(os.environ)


def _paths_hold(evidence: Evidence, project: str) -> bool:
    join = os.path.join
    return (
        all(path_state(join(project, path)) == known for path, known in evidence.states.items())
        and all(path_detail(join(project, path)) == k for path, k in evidence.details.items())
        and all(listing_digest(join(project, path)) == k for path, k in evidence.listings.items())
        and all(
            module_candidates(join(project, path), known.names) == known.found
            for path, known in evidence.lookups.items()
        )
    )
