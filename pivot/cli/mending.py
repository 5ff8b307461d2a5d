"""What `verify --repair` and `doctor --repair` have in common: mending, and telling of it."""

import os
from collections.abc import Iterator, Sequence

from pivot.cli.bringing import tell
from pivot.cli.progress import Progress
from pivot.cli.terminal import note, note_waiting, plural, say
from pivot.errors import PivotError
from pivot.project.givers import givers
from pivot.project.mending import Mended, Mending, mend
from pivot.project.project import Project
from pivot.sync.givers import Givers
from pivot.verify.claim import Claim


def mend_shown(project: Project, claims: Sequence[Claim], those: Givers | None) -> Mended:
    """Mend the store, with progress on stderr."""
    with Progress("read") as repairing, Progress("fetched") as fetching:
        return mend(
            project,
            claims,
            Mending(those, note_waiting, warn, repairing=repairing, fetching=fetching),
        )


def giving(project: Project, name: str | None) -> Givers | None:
    """The remotes that may give back what was lost: the one called `name`, or all in turn.

    Without a name none is fine, and one that may not be used is a warning.
    """
    if name is None and not project.config.remotes(os.environ):
        return None
    try:
        those = givers(project.config, project.root, project.store.root, os.environ, name)
        if name is not None:
            those[0].connect()
        return Givers(those, tell)
    except PivotError as error:
        if name is not None:
            raise
        warn(error)
        return None


def warn(error: PivotError) -> None:
    """Say why the remote wasn't used."""
    note(f"warning: the remote wasn't used: {error}")
    if error.hint is not None:
        note(f"hint: {error.hint}")


def show_mended(done: Mended) -> None:
    """Say what was done."""
    say(f"Repaired the cache: {', '.join(_parts(done))}.")


def _parts(done: Mended) -> Iterator[str]:
    yield f"indexed {plural(done.repaired.indexed, 'pack')}"
    if not done.set_aside:
        yield "found none damaged"
    if done.set_aside:
        yield f"saved {plural(done.repaired.saved, 'object')} of damaged ones"
    if done.retaken:
        yield f"took {plural(done.retaken, 'object')} from the workspace"
    if done.fetched:
        yield f"fetched {plural(done.fetched, 'object')}"
    if done.lost:
        yield f"lost {plural(len(done.lost), 'object')}"
    if done.set_aside:
        yield f"set aside {', '.join(done.set_aside)}"
