"""Telling what counts of what a stage was seen to do."""

import fnmatch
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from pivot.files import lstat
from pivot.hashing import ObjectId
from pivot.lock.observed import Observed, names_hash, variable_hash
from pivot.paths import PathError, RepoPath
from pivot.run.observation import Observation, Stamp
from pivot.run.use import PROCESSES, ChangedMeanwhileError, Use
from pivot.track.listings import Listings
from pivot.workspace import Workspace

PERSONAL: Final = (
    *("HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLUMNS", "LINES", "DISPLAY", "HOSTNAME"),
    *("PATH", "PWD", "OLDPWD", "TMPDIR", "TMP", "TEMP", "XDG_*", "VIRTUAL_ENV", "CONDA_*"),
    *("PYTHON*", "PIVOT_*", "CI", "SSH_*", "SLURM_*", "CUDA_VISIBLE_DEVICES", "*_NUM_THREADS"),
    *("*TOKEN*", "*SECRET*", "*PASSWORD*", "*PASSWD*", "*CREDENTIAL*", "*_KEY", "*_KEY_ID"),
)
"""Patterns of variables that say who runs a stage, where and on what machine: they don't count.

So are credentials: even a hash of one has no place in a repository.
"""


@dataclass(frozen=True, slots=True)
class Beyond:
    """Code that ran and isn't in the stage's fingerprint.

    Attributes:
        code: hash by symbol, with all that it leads to.
        places: the file of each of these symbols.
        sources: files of code that ran and whose symbols are known.
        foreign: files of code that ran and that are no modules of the project.
        modules: top-level names of modules from elsewhere that such code imports.
        packages: version by distribution, of what only such code imports.
    """

    code: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, RepoPath] = field(default_factory=dict)
    sources: AbstractSet[RepoPath] = frozenset()
    foreign: AbstractSet[RepoPath] = frozenset()
    modules: AbstractSet[str] = frozenset()
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sifter:
    """Tells what counts of an observation.

    Attributes:
        beyond: the code that ran beyond a symbol's fingerprint.
        environ: the environment that stages run in.
        listings: the names that count in folders.
        ignored: further patterns of variables that don't count.
    """

    workspace: Workspace
    beyond: Callable[[str, Observation], Beyond]
    environ: Mapping[str, str]
    listings: Listings
    ignored: tuple[str, ...] = ()

    def sift(self, symbol: str, seen: Observation) -> Use:
        """What a run of a stage's function used beyond what is declared.

        Raises `ChangedMeanwhileError` for what was changed by someone else while it ran.
        """
        written = {path for text in seen.writes if (path := _path(text)) is not None}
        beyond = self.beyond(symbol, seen)
        self._check_sources(beyond, seen, written)
        files, reads = self._files(seen, beyond, written)
        folders, listed = self._folders(seen, written)
        env = {
            name: variable_hash(self.environ.get(name)) for name in seen.env if self._counts(name)
        }
        code = {
            name: hash_ for name, hash_ in beyond.code.items() if beyond.places[name] not in written
        }
        left = sorted(path for path in written if self.workspace.exists(path))
        unseen = (*seen.unseen, *((PROCESSES,) if seen.processes else ()))
        return Use(
            Observed(code, env, files, folders, beyond.packages),
            tuple(reads),
            tuple(listed),
            tuple(left),
            unseen,
        )

    def _counts(self, name: str) -> bool:
        patterns = (*PERSONAL, *self.ignored)
        return not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    def _check_sources(
        self, beyond: Beyond, seen: Observation, written: AbstractSet[RepoPath]
    ) -> None:
        """The sources of what is hashed now must be those that ran."""
        for file in sorted({*beyond.places.values()} - written):
            state = lstat(self.workspace.absolute(file))
            if state is None or state.ctime_ns >= seen.began_ns:
                raise _changed(file)

    def _files(
        self, seen: Observation, beyond: Beyond, written: AbstractSet[RepoPath]
    ) -> tuple[dict[RepoPath, str | None], list[RepoPath]]:
        """Entries of the lock, and those of them that should be deps."""
        foreign = beyond.foreign - written
        given = {path: stamp for text, stamp in seen.reads.items() if (path := _path(text))}
        for path in beyond.sources | beyond.foreign:
            given.pop(path, None)
        # The stage's own state, which it looked for first.
        reads = [path for path, stamp in given.items() if path in written and stamp is not None]
        others = {
            path: stamp
            for path, stamp in given.items()
            if path not in written and not _is_made_meanwhile(stamp, seen)
        }
        ids = self.workspace.file_ids([*foreign, *others])
        files: dict[RepoPath, str | None] = {path: _text(ids[path]) for path in foreign}
        for path, stamp in others.items():
            if Stamp.of(self.workspace.absolute(path)) != stamp:
                if seen.processes:
                    continue
                raise _changed(path)
            files[path] = _text(ids[path])
            if stamp is not None:
                reads.append(path)
        return files, sorted(reads)

    def _folders(
        self, seen: Observation, written: AbstractSet[RepoPath]
    ) -> tuple[dict[RepoPath, str | None], list[RepoPath]]:
        """Folders for the lock by the hash of their names, and those that should be deps.

        Names count as they were listed, and what the stage itself wrote or removed as it is now.
        """
        folders: dict[RepoPath, str | None] = {}
        listed: list[RepoPath] = []
        changed = {path for text in seen.changes if (path := _path(text)) is not None}
        for text, found in seen.listings.items():
            folder = _path(text)
            if folder is None or any(path.contains(folder) for path in changed):
                continue  # the stage's own state
            own = {
                path[0 if folder == RepoPath.ROOT else len(folder) + 1 :].partition("/")[0]
                for path in written | changed
                if folder.contains(path)
            }
            then, now = self.listings.counted(folder, found), self.listings.names(folder)
            if seen.processes and then != now:
                continue  # as it seems by a process that the stage started
            names = then
            if own and then is not None:
                names = {*(n for n in then if n not in own), *(n for n in now or () if n in own)}
            folders[folder] = names_hash(names)
            if names and not _is_code(names):
                listed.append(folder)
        return folders, listed


def _is_made_meanwhile(stamp: Stamp | None, seen: Observation) -> bool:
    """Whether a file seems to be made by a process that the stage started."""
    return stamp is not None and stamp.mtime_ns >= seen.began_ns and seen.processes


def _text(id_: ObjectId | None) -> str | None:
    return None if id_ is None else str(id_)


def _is_code(names: Collection[str]) -> bool:
    """Whether a folder holds sources: what looks for plugins lists those."""
    return "__init__.py" in names or all(name.endswith(".py") for name in names)


def _path(text: str) -> RepoPath | None:
    """A path that a lock can hold; None for any other."""
    try:
        path = RepoPath(text)
    except PathError:
        return None
    return path if path == text else None  # in another form of Unicode it names another file


def _changed(path: RepoPath) -> ChangedMeanwhileError:
    return ChangedMeanwhileError(
        f"{path} changed while it ran",
        why="its outs may come from the old data or the new",
        hint="Run `pivot repro` again",
    )
