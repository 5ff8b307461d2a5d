"""Roots that can't be sent, since neither side has what they need."""

from collections.abc import Mapping

from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.store.store import Store
from pivot.transfer.remote import RemoteStore


def split_absent(
    store: Store, remote: RemoteStore, roots: Mapping[RepoPath, Content]
) -> tuple[dict[RepoPath, Content], tuple[RepoPath, ...]]:
    """The roots that are here or there, and the others' paths.

    A store that has a content has all that it needs. The remote is asked only where this one
    doesn't have everything; one that doesn't exist yet has nothing.
    """
    missing = {path for path, content in roots.items() if not store.holds(content)}
    if missing:
        remote.open_to_compare()
        missing = {p for p in missing if not remote.has(roots[p].recipe or roots[p].id)}
    there = {path: content for path, content in roots.items() if path not in missing}
    return there, tuple(sorted(missing))
