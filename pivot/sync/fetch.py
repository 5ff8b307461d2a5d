"""Fetching from one remote: `gather` with nobody else to ask."""

from collections.abc import Iterator, Mapping

from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.store.tree import TreeEntry
from pivot.sync.gather import gather, gather_tree, plan_gather
from pivot.sync.givers import Giver, Givers
from pivot.sync.summary import Summary
from pivot.transfer.jobs import JOBS
from pivot.transfer.progress import Progress
from pivot.transfer.remote import RemoteStore


def fetch(
    store: Store,
    remote: RemoteStore,
    roots: Mapping[RepoPath, Content],
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Summary:
    """Copy what `roots` need and `store` lacks. Raises what `gather` does."""
    return gather(store, _alone(remote), roots, jobs=jobs, progress=progress)


def plan_fetch(store: Store, remote: RemoteStore, roots: Mapping[RepoPath, Content]) -> Summary:
    """What `fetch` would come to; nothing is kept."""
    return plan_gather(store, _alone(remote), roots)


def fetch_tree(store: Store, remote: RemoteStore, content: Content) -> Iterator[TreeEntry]:
    """The entries of a directory that `remote` has; none of it is kept."""
    return gather_tree(store, _alone(remote), content)


def _alone(remote: RemoteStore) -> Givers:
    return Givers([Giver(remote.address, lambda: remote)])
