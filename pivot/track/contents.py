"""What tracked data is said to hold, for whoever can't see it in the workspace, or need not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Self

from pivot.lock.sealed import UnreadableLockError
from pivot.paths import RepoPath
from pivot.store.content import Content


class TrackedState(StrEnum):
    """How the workspace compares with a `.pvt` file; the words of `status --json`."""

    UNCHANGED = "unchanged"
    MODIFIED = "modified"
    MISSING = "missing"

    @classmethod
    def of(cls, now: Content | None, tracked: Content) -> Self:
        """The state of a path that holds `now`."""
        if now is None:
            return cls.MISSING
        return cls.UNCHANGED if (now.id, now.type) == (tracked.id, tracked.type) else cls.MODIFIED


class Kept(NamedTuple):
    """What a path that isn't in the workspace should hold.

    Attributes:
        path: that path.
        content: what it should hold.
        owner: the tracked path that it is, or lies in.
        whole: what `owner` should hold.
    """

    path: RepoPath
    content: Content
    owner: RepoPath
    whole: Content


@dataclass(frozen=True, slots=True)
class TrackedContents:
    """All tracked paths of a project.

    Attributes:
        contents: what their `.pvt` files say.
        faults: why some `.pvt` files can't be read.
    """

    contents: Mapping[RepoPath, Content] = field(default_factory=dict)
    faults: Mapping[RepoPath, UnreadableLockError] = field(default_factory=dict)

    @classmethod
    def read(cls, paths: Iterable[RepoPath], read: Callable[[RepoPath], Content | None]) -> Self:
        """Read the `.pvt` files of these paths; one that can't be read is a fault."""
        contents: dict[RepoPath, Content] = {}
        faults: dict[RepoPath, UnreadableLockError] = {}
        for path in paths:
            try:
                content = read(path)
            except UnreadableLockError as error:
                faults[path] = error
            else:
                if content is not None:
                    contents[path] = content
        return cls(contents, faults)

    @property
    def paths(self) -> tuple[RepoPath, ...]:
        """Whatever is tracked, also where it isn't known what it holds."""
        return tuple(sorted((*self.contents, *self.faults)))

    def owner(self, path: RepoPath) -> RepoPath | None:
        """The tracked path that `path` is, or lies in; None where there is none."""
        while path != RepoPath.ROOT:
            if path in self.contents:
                return path
            path = path.parent
        return None

    def inside(self, path: RepoPath) -> tuple[RepoPath, ...]:
        """The tracked paths that lie in `path`, itself left out."""
        return tuple(p for p in self.paths if p != path and path.contains(p))
