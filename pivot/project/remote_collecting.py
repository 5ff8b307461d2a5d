"""Garbage collection of a remote, with all projects that push to it."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pivot.errors import NoProjectError, UsageError
from pivot.paths import RepoPath
from pivot.project.collecting import Kept, UnaskedError, refuse_without_git
from pivot.project.layout import Layout, find_project
from pivot.project.project import Project
from pivot.project.pushers import spoken_for
from pivot.project.roots import Keepers, Roots, Scope, find_roots
from pivot.store.content import Content
from pivot.sync.collect import Collecting, Swept, ask_time, collect, preview
from pivot.transfer.progress import Progress
from pivot.transfer.projects import Noted


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked what a remote's data is needed for.

    Attributes:
        clones: folders of other projects that push there, whose locks count too.
        gone: ids of projects that no longer count, since somebody said so.
    """

    scope: Scope
    clones: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteCollected:
    """What a collection did, or would do; `unasked` are projects that have to be asked first."""

    kept: tuple[Kept, ...]
    swept: Swept
    unasked: tuple[Noted, ...]


def preview_remote(project: Project, collecting: Collecting, asked: Asked) -> RemoteCollected:
    """What `collect_remote` would do; nothing is written there."""
    with _opened(project, asked) as projects:
        now = collecting.clock()
        roots = _roots(projects, asked.scope)
        collecting.remote.open()
        unasked, _ = _sort(collecting.remote.projects.all(), projects, asked.gone)
        swept = preview(collecting, _contents(roots), now)
    return RemoteCollected(_kept(roots, swept), swept, unasked)


def collect_remote(
    project: Project, collecting: Collecting, asked: Asked, progress: Progress | None = None
) -> RemoteCollected:
    """Let a remote keep what the asked projects need, and nothing else once the grace is over.

    Raises `UnaskedError`, before anything is changed, where another project pushes there that
    isn't asked; and where it can't be told what is needed: see `find_roots`.
    """
    with _opened(project, asked) as projects:
        now = ask_time(collecting)
        roots = _roots(projects, asked.scope)
        unasked, gone = _sort(collecting.remote.projects.all(), projects, asked.gone)
        if unasked:
            raise _unasked(unasked, collecting.remote.address)
        swept = collect(collecting, _contents(roots), now, progress)
        collecting.remote.projects.forget(gone)
    return RemoteCollected(_kept(roots, swept), swept, ())


@contextlib.contextmanager
def _opened(project: Project, asked: Asked) -> Iterator[tuple[Project, ...]]:
    """This project, and those of other clones."""
    with contextlib.ExitStack() as stack:
        found = [project]
        for place in asked.clones:
            try:
                layout = find_project(place)
            except NoProjectError as error:
                raise UsageError(
                    f"{place} is in no Pivot project", hint="Name a clone with `--project FOLDER`"
                ) from error
            other = Project(Layout(layout.root))
            stack.callback(other.close)
            found.append(other)
        yield tuple(found)


def _roots(projects: Sequence[Project], scope: Scope) -> list[tuple[str | None, Roots]]:
    for project in projects:
        refuse_without_git(project, scope)
    own = projects[0].root
    return [
        (None if project.root == own else project.root, find_roots(project, scope))
        for project in projects
    ]


def _contents(roots: Sequence[tuple[str | None, Roots]]) -> list[Content]:
    return list({content: None for _, needs in roots for _, content in needs})


def _kept(roots: Sequence[tuple[str | None, Roots]], swept: Swept) -> tuple[Kept, ...]:
    def in_order(item: tuple[tuple[RepoPath, Content], Keepers]) -> RepoPath:
        return item[0][0]

    return tuple(
        Kept(place, path, content, keepers, content not in swept.absent)
        for place, needs in roots
        for (path, content), keepers in sorted(needs.items(), key=in_order)
    )


def _sort(
    notes: Sequence[Noted], projects: Sequence[Project], gone: Sequence[str]
) -> tuple[tuple[Noted, ...], tuple[Noted, ...]]:
    """The projects that nobody speaks for, and those that are gone.

    Raises `UsageError` for an id that no project has.
    """
    known = {note.id for note in notes}
    for id_ in gone:
        if id_ not in known:
            raise UsageError(
                f"no project with the id {id_!r} pushes there",
                hint="`pivot gc --remote NAME --workspace` lists those that aren't asked",
            )
    spoken = {p.id for each in projects for p in spoken_for(each.root, each.clone)}
    unasked = tuple(n for n in notes if n.id not in spoken and n.id not in gone)
    return unasked, tuple(n for n in notes if n.id in gone)


def _unasked(notes: Sequence[Noted], address: str) -> UnaskedError:
    first = notes[0]
    others = f" and {len(notes) - 1} more" if len(notes) > 1 else ""
    return UnaskedError(
        f"{first.shown}{others} also pushes to {address} and wasn't asked what it needs",
        why="what only its locks name would be deleted",
        hint=f"Name a clone of it with `--project FOLDER`, or `--gone {first.id}` if it is gone",
    )
