"""Completion of names, from files alone: no definitions are loaded for a tab."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import click

from pivot.config import Config
from pivot.errors import PivotError
from pivot.lock.folder import list_locks
from pivot.paths import RepoPath
from pivot.printable import printable
from pivot.project.layout import find_project
from pivot.project.project import Project
from pivot.settings import SETTINGS
from pivot.track.finding import find_tracked, pass_over
from pivot.track.pvt import read_pvt

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def stages(_: click.Context, __: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """The stages that have a lock."""
    with contextlib.suppress(PivotError, OSError):
        names = list_locks(find_project(os.getcwd()).locks)
        return [_item(name) for name in names if name.startswith(incomplete)]
    return []


def tracked(_: click.Context, __: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """The tracked paths, as they are named in the working directory."""
    with contextlib.suppress(PivotError, OSError):
        root = find_project(os.getcwd()).root
        paths = find_tracked(root, denied=pass_over)
        names = (os.path.relpath(os.path.join(root, path)) for path in paths)
        return [_item(name) for name in names if name.startswith(incomplete)]
    return []


def targets(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list["CompletionItem"]:
    """What has data: stages, tracked paths, and what lies in tracked directories."""
    with contextlib.suppress(PivotError, OSError):
        root = find_project(os.getcwd()).root
        paths = find_tracked(root, denied=pass_over)
        names = [path for path in paths if path.startswith(incomplete)]
        items = [_item(name) for name in (*names, *_inside(root, paths, incomplete))]
        return [*stages(context, parameter, incomplete), *items]
    return []


def _inside(root: str, paths: Iterable[RepoPath], incomplete: str) -> Iterator[str]:
    """The paths of one folder inside a tracked directory, those of folders with `/` at their end.

    As the workspace has them, and where it lacks the directory as the cache has it.
    """
    folder, slash, start = incomplete.rpartition("/")
    owner = next((path for path in paths if f"{folder}/".startswith(f"{path}/")), None)
    if not slash or owner is None:
        return
    names: dict[str, None] = {}
    try:
        with os.scandir(os.path.join(root, folder)) as entries:
            names.update((e.name + "/" * e.is_dir(follow_symlinks=False), None) for e in entries)
    except FileNotFoundError:
        names.update(dict.fromkeys(_stored(root, owner, folder)))
    for name in sorted(names):
        if name.startswith(start):
            yield f"{folder}/{name}"


def _stored(root: str, owner: RepoPath, folder: str) -> Iterator[str]:
    """The same names of a folder, from the cache."""
    content = read_pvt(root, owner)
    inside = f"{folder}/"[len(owner) + 1 :]
    with contextlib.closing(Project(find_project(root))) as project:
        if content is None or not project.store.holds(content):
            return
        for entry in project.store.tree(content):
            if entry.path.startswith(inside):
                name, slash, _ = entry.path[len(inside) :].partition("/")
                yield name + slash


def remotes(_: click.Context, __: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """The configured remotes, with their addresses unless these could hold a credential."""
    with contextlib.suppress(PivotError, OSError):
        found = Config.load(find_project(os.getcwd()).root).remotes(os.environ)
        return [
            _item(name, help=None if "@" in r.url or "?" in r.url else printable(r.url))
            for name, r in found.items()
            if name.startswith(incomplete)
        ]
    return []


def revisions(_: click.Context, __: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Git's branches and tags; after `..` those that end a range."""
    start, dots, end = incomplete.rpartition("..")
    with contextlib.suppress(PivotError, OSError), contextlib.closing(_project()) as project:
        if project.repository is None:
            return []
        # Git is imported only for this tab: commands that run stages import this file, too.
        refs = import_module("pivot.git.revisions").references(project.repository)
        names = dict.fromkeys(ref.name for ref in refs)
        return [_item(start + dots + name) for name in names if name.startswith(end)]
    return []


def _project() -> Project:
    return Project(find_project(os.getcwd()))


def settings(_: click.Context, __: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """The settings."""
    return [
        _item(name, help=setting.summary)
        for name, setting in SETTINGS.items()
        if name.startswith(incomplete)
    ]


def _item(name: str, help: str | None = None) -> "CompletionItem":  # noqa: A002 - click's word
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - for a tab alone

    return CompletionItem(name, help=help)
