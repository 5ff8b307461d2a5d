"""What `verify --repair` and `doctor --repair` have in common: mending, and telling of it."""

import os
from collections.abc import Iterator, Sequence

from pivot.cli.progress import Progress
from pivot.cli.terminal import note, note_waiting, plural, say
from pivot.cli.transferring import use_remote
from pivot.errors import PivotError
from pivot.project.mending import Mended, Mending, mend
from pivot.project.project import Project
from pivot.transfer.remote import RemoteStore
from pivot.verify.claim import Claim


def mend_shown(project: Project, claims: Sequence[Claim], remote: RemoteStore | None) -> Mended:
    """Mend the store, with progress on stderr."""
    with Progress("read") as repairing, Progress("fetched") as fetching:
        return mend(
            project,
            claims,
            Mending(remote, note_waiting, warn, repairing=repairing, fetching=fetching),
        )


def giver(project: Project, name: str | None) -> RemoteStore | None:
    """The remote that may give back what was lost: the one called `name`, or the default.

    Without a name, none is fine, and one that may not be used is a warning.
    """
    if name is None and not project.config.remotes(os.environ):
        return None
    try:
        return use_remote(project, name, yes=False)
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
