"""What is claimed: that a path holds a content, by a lock, or by what tracks it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pivot.lock.lock import Lock
from pivot.paths import RepoPath, StageName
from pivot.store.content import Content


@dataclass(frozen=True, slots=True)
class Claim:
    """`path` should hold `content`; `owner` is the stage, or the tracked path, that says so."""

    owner: str
    path: RepoPath
    content: Content


def claims_of(
    locks: Mapping[StageName, Lock], tracked: Mapping[RepoPath, Content]
) -> Iterator[Claim]:
    """The claims of locks about their outs, and of tracked paths about themselves."""
    for name, lock in locks.items():
        for path, content in lock.outs.items():
            yield Claim(name, path, content)
    for path, content in tracked.items():
        yield Claim(path, path, content)
