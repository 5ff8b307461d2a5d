"""What a remote lacks of what the workspace's locks and `.pvt` files name."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pivot.paths import RepoPath, StageName
from pivot.project.project import Project
from pivot.project.remotes import allow, choose, open_remote
from pivot.project.wanted import wanted
from pivot.store.content import Content
from pivot.sync.absent import split_absent
from pivot.sync.foreseeing import foresee_push


@dataclass(frozen=True, slots=True)
class Lacking:
    """What `pivot push` would send.

    Attributes:
        name: the remote's.
        missing: objects that aren't there.
        bytes: their size before compression.
        absent: paths whose data is neither here nor there.
    """

    name: str
    missing: int
    bytes: int
    absent: tuple[RepoPath, ...]


def lacking(project: Project, name: str | None, stages: Sequence[StageName] | None) -> Lacking:
    """Compare a remote, or without a name the default, with what the workspace needs.

    With `stages` it is only their outs. Nothing is sent. Raises what `choose`, `allow` and speaking
    to a remote do.
    """
    chosen = choose(project.config, os.environ, name)
    allow(chosen, project.root, os.environ, yes=False)
    remote = open_remote(chosen, project.root, project.store.root)
    roots, absent = split_absent(project.store, remote, _needed(project, stages))
    foreseen = foresee_push(project.store, remote, roots)
    return Lacking(chosen.name, foreseen.objects, foreseen.bytes, absent)


def _needed(project: Project, stages: Sequence[StageName] | None) -> Mapping[RepoPath, Content]:
    if stages is None:
        return wanted(project, ())
    locks = project.locks()
    named = [locks[name] for name in stages if name in locks]  # others never ran
    return {path: content for lock in named for path, content in lock.outs.items()}
