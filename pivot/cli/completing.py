"""Completion of names, from files alone: no definitions are loaded for a tab."""

import contextlib
import os

import click
from click.shell_completion import CompletionItem

from pivot.config import SETTINGS, Config
from pivot.errors import PivotError
from pivot.lock.folder import list_locks
from pivot.project.layout import find_project
from pivot.track.finding import find_tracked, pass_over


def stages(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The stages that have a lock."""
    with contextlib.suppress(PivotError, OSError):
        names = list_locks(find_project(os.getcwd()).locks)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return []


def tracked(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The tracked paths, as they are named in the working directory."""
    with contextlib.suppress(PivotError, OSError):
        root = find_project(os.getcwd()).root
        paths = find_tracked(root, denied=pass_over)
        names = (os.path.relpath(os.path.join(root, path)) for path in paths)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return []


def targets(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """What has data: stages, and tracked paths."""
    with contextlib.suppress(PivotError, OSError):
        paths = find_tracked(find_project(os.getcwd()).root, denied=pass_over)
        items = [CompletionItem(path) for path in paths if path.startswith(incomplete)]
        return [*stages(context, parameter, incomplete), *items]
    return []


def remotes(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The configured remotes."""
    with contextlib.suppress(PivotError, OSError):
        found = Config.load(find_project(os.getcwd()).root).remotes(os.environ)
        return [CompletionItem(n, help=r.url) for n, r in found.items() if n.startswith(incomplete)]
    return []


def settings(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The settings."""
    return [
        CompletionItem(name, help=setting.summary)
        for name, setting in SETTINGS.items()
        if name.startswith(incomplete)
    ]
