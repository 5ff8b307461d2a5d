"""Bringing a remote what roots need."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.sync.summary import Summary
from pivot.transfer.abreast import abreast
from pivot.transfer.faults import on_disk
from pivot.transfer.jobs import JOBS
from pivot.transfer.progress import Progress, Transferred
from pivot.transfer.proofs import Proof, digest
from pivot.transfer.remote import RemoteStore

if TYPE_CHECKING:
    from pivot.sync.closure import Closure


def push(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
    note: Callable[[], None] | None = None,
) -> Summary:
    """Copy what `roots` need and `remote` lacks; a new place is made a store first.

    `note` is called once a store is there, before anything is relied on: with `Projects.note` it
    lets a collection know whom to ask. What an earlier push proved to be there isn't looked at
    again, while the proof holds. Raises `MissingDataError` before anything is sent, if something
    is neither here nor there.
    """
    started = time.monotonic()
    name = digest(roots.values())
    moved = Transferred()
    with on_disk(store.root):
        proof = remote.proof(name)
        is_listed = proof is not None
        if is_listed:
            _begin(remote, note, tombstones=True)
        if proof is None or not proof.holds(remote.listed, remote.doomed):
            with store.in_use():  # what is found here must not go before it was sent
                closure = None if is_listed else _begin_abreast(store, remote, roots, note)
                moved, proof = _prove(store, remote, roots, closure, jobs, progress)
            remote.remember(name, proof)
        remote.publish(anew=moved.objects > 0)
    return Summary(
        objects=moved.objects,
        bytes=moved.bytes,
        total_objects=proof.objects,
        total_bytes=proof.size,
        requests=remote.requests,
        seconds=time.monotonic() - started,
    )


def _begin(remote: RemoteStore, note: Callable[[], None] | None, *, tombstones: bool) -> None:
    remote.list_to_write(tombstones=tombstones)
    if note is not None:
        note()


# What follows imports closures, packers and plans, which a push with nothing to do need not.


def _begin_abreast(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    note: Callable[[], None] | None,
) -> "Closure":
    """`_begin`; what is needed is found while the remote answers."""
    from pivot.sync.plan import local_closure  # noqa: PLC0415

    closure, _ = abreast(
        lambda: local_closure(store, roots), lambda: _begin(remote, note, tombstones=False)
    )
    return closure


def _prove(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    closure: "Closure | None",
    jobs: int,
    progress: Progress | None,
) -> tuple[Transferred, Proof]:
    """Make all of it be there: what that moved, and what it rests on."""
    from pivot.sync.completing import complete  # noqa: PLC0415

    remote.load()
    done = complete(store, remote, roots, closure, jobs=jobs, progress=progress)
    if done.moved.objects:
        remote.merge_indexes()
    return done.moved, remote.prove(done.total_objects, done.total_bytes, done.packs)
