"""Outs kept aside while their stage runs, so that a failure or a crash costs nothing.

`.pivot/aside/<run>/<stage>/` holds the outs as they were, by number, and `outs.json`, their paths.
That file is written first and removed last: where it is left, the run that wrote it died, and the
next one puts things back. A run's folder that came with a clone is let be: it could name any file.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from pivot.errors import LockedError
from pivot.files import locked, write_atomic
from pivot.history import OWNER, is_own, mark_own
from pivot.landing import open_parent
from pivot.paths import PathError, RepoPath, StageName

MANIFEST = "outs.json"
KEPT = "kept"
FLOCK = "run.flock"


@dataclass(frozen=True, slots=True)
class Aside:
    """The outs of one stage in one run. `project` and `folder` are absolute."""

    project: str
    folder: str
    paths: tuple[RepoPath, ...]

    def put(self) -> None:
        """Move what the outs' paths hold out of the way."""
        os.makedirs(self.folder)
        present = [os.path.lexists(os.path.join(self.project, path)) for path in self.paths]
        manifest = json.dumps(list(zip(self.paths, present, strict=True)))
        # It must outlive a power failure only where something is moved by it.
        write_atomic(os.path.join(self.folder, MANIFEST), manifest.encode(), sync=any(present))
        for number, path in enumerate(self.paths):
            self._move(path, self._slot(number))

    def _slot(self, number: int) -> str:
        return os.path.join(self.folder, str(number))

    def restore(self) -> None:
        """Put everything back; what a failed run left in its place is kept beside, not lost."""
        place = self._kept(0)
        shutil.rmtree(place, ignore_errors=True)
        self._restore(place)

    def recover(self) -> None:
        """The same for a run that died: what lies in place may be newer, and the user's own."""
        self._restore(next(p for n in count() if not os.path.lexists(p := self._kept(n))))

    def _kept(self, number: int) -> str:
        kept = os.path.join(os.path.dirname(os.path.dirname(self.folder)), KEPT)
        return os.path.join(kept, os.path.basename(self.folder) + (f",{number}" if number else ""))

    def _restore(self, place: str) -> None:
        entries = self.manifest()
        os.makedirs(place)
        if entries is None:  # nobody can tell what belongs where
            os.rename(self.folder, place)
            return
        for number, (path, present) in enumerate(entries):
            if present and not os.path.lexists(self._slot(number)):
                continue  # we died before it was moved
            self._move(path, os.path.join(place, str(number)))
            if present:
                with open_parent(self.project, path) as (parent, last):
                    os.rename(self._slot(number), last, dst_dir_fd=parent)
        if not os.listdir(place):
            os.rmdir(place)
        self.drop()

    def manifest(self) -> list[tuple[RepoPath, bool]] | None:
        """The paths, and whether anything was there; None if that can't be read any more."""
        try:
            with open(os.path.join(self.folder, MANIFEST), encoding="utf-8") as f:
                return [(RepoPath(path), bool(present)) for path, present in json.load(f)]
        except FileNotFoundError:
            return []  # nothing was moved yet
        except (ValueError, TypeError, PathError):
            return None

    def keep(self) -> None:
        """Set the old outs aside for good: nothing else has them any more."""
        place = next(p for n in count() if not os.path.lexists(p := self._kept(n)))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.rename(self.folder, place)

    def drop(self) -> None:
        """Forget the old outs; the store holds them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _move(self, path: RepoPath, target: str) -> None:
        with (
            open_parent(self.project, path) as (parent, last),
            contextlib.suppress(FileNotFoundError),
        ):
            os.rename(last, target, src_dir_fd=parent)


def aside(project: str, run_id: str, stage: StageName, outs: Iterable[RepoPath]) -> Aside:
    """The place for a stage's outs in a run."""
    name = stage.replace("/", "%2F")
    folder = os.path.join(project, ".pivot", "aside", run_id, name)
    return Aside(project, folder, tuple(outs))


@contextlib.contextmanager
def open_run(project: str, run_id: str) -> Iterator[None]:
    """Hold a run's folder of outs for the length of the run, and remove it at the end."""
    folder = os.path.join(project, ".pivot", "aside", run_id)
    with contextlib.ExitStack() as stack:
        with _gate(project):
            os.makedirs(folder)
            mark_own(folder)
            stack.enter_context(locked(os.path.join(folder, FLOCK), holder=f"run {run_id}"))
        try:
            yield
        finally:
            if not _stages(folder):
                shutil.rmtree(folder, ignore_errors=True)


def recover(project: str) -> tuple[RepoPath, ...]:
    """Put back the outs of runs that died; returns the paths that were put back or emptied."""
    base = os.path.join(project, ".pivot", "aside")
    recovered: list[RepoPath] = []
    with _gate(project):
        for run_id in sorted(set(_names(base)) - {KEPT}):
            folder = os.path.join(base, run_id)
            with contextlib.suppress(LockedError):  # that run lives
                recovered += _recover_run(project, folder) if is_own(folder) else ()
    return tuple(recovered)


def _recover_run(project: str, folder: str) -> list[RepoPath]:
    recovered: list[RepoPath] = []
    with locked(os.path.join(folder, FLOCK), wait=False, holder="recovery"):
        for stage in _stages(folder):
            left = Aside(project, os.path.join(folder, stage), ())
            recovered.extend(path for path, _ in left.manifest() or ())
            left.recover()
        shutil.rmtree(folder, ignore_errors=True)
    return recovered


def _gate(project: str) -> contextlib.AbstractContextManager[int]:
    """Held while a run's folder is made and its flock taken: in between it would look dead."""
    folder = os.path.join(project, ".pivot", "tmp")
    os.makedirs(folder, exist_ok=True)
    return locked(os.path.join(folder, "aside.flock"), holder="recovery")


def _stages(folder: str) -> list[str]:
    """The stages whose outs a run's folder holds."""
    return sorted(set(_names(folder)) - {FLOCK, OWNER})


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
