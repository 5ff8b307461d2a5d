"""`pivot cache`: where the cache is, what it holds, and who shares it."""

import os

import click

from pivot.cli.terminal import emit, json_option, open_project, plural, say, size
from pivot.errors import UsageError
from pivot.project.collecting import CacheInfo, describe
from pivot.store.projects import Registered, forget, here


@click.group()
def cache() -> None:
    """Show where the cache is, what it holds, and which projects share it."""


@cache.command("dir")
@json_option
def dir_(as_json: bool) -> None:
    """Print the cache's folder."""
    with open_project() as project:
        folder = project.store.root
    if as_json:
        emit({"dir": folder})
    else:
        say(folder)


@cache.command()
@json_option
def info(as_json: bool) -> None:
    """Count what the cache holds, from its indexes."""
    with open_project() as project:
        found = describe(project.store)
    if as_json:
        emit(_as_json(found))
        return
    say(f"{found.folder} (store {found.id}, format {found.format})")
    say(f"{plural(found.packs, 'pack')}, {size(found.stored)}; {plural(found.indexes, 'index')}")
    say(f"{found.entries:,} entries of {size(found.raw)} before compression")
    for sharer in found.projects:
        say(f"shared by {sharer.root} on {sharer.host}")


def _as_json(found: CacheInfo) -> dict[str, object]:
    return {
        "dir": found.folder,
        "id": found.id,
        "format": found.format,
        "packs": found.packs,
        "stored_bytes": found.stored,
        "entries": found.entries,
        "raw_bytes": found.raw,
        "indexes": found.indexes,
        "projects": [{"root": p.root, "host": p.host} for p in found.projects],
    }


@cache.command("forget")
@click.argument("root")
@click.option("--host", help="The host that the project was on.  [default: this one]")
def forget_(root: str, host: str | None) -> None:
    """Let `gc` no longer ask the project at ROOT, which is gone, what it needs.

    What only that project needs is removed by the next `pivot gc`. A project that is still there
    notes itself again at its next command.
    """
    place = Registered(root, host) if host else here(os.path.abspath(root))
    with open_project() as project:
        try:
            forget(project.store.root, place)
        except FileNotFoundError:
            raise UsageError(
                f"no project at {place.root} on {place.host} shares this cache",
                hint="`pivot cache info` lists those that do",
            ) from None
    say(f"Forgot {place.root} on {place.host}.")
