"""`pivot remote`: where a project's store is kept besides this machine."""

import os
from collections.abc import Callable

import click

from pivot.cli.completing import remotes as complete_remotes
from pivot.cli.terminal import emit, json_option, note, open_project, say, table
from pivot.cli.testing import test
from pivot.config import RemoteConfig
from pivot.errors import DeniedError, UsageError
from pivot.project import naming
from pivot.project.project import Project
from pivot.project.remotes import choose, is_confirmed_here, is_read_only, open_remote, shown_url
from pivot.settings import Source, Value
from pivot.variables import environment_name


@click.group()
def remote() -> None:
    """Manage remotes, and test them."""


remote.add_command(test)


def _place(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose one of the configuration files; the project's without them."""
    for decorate in (
        click.option("--user", "place", flag_value=Source.USER, help="For all your projects."),
        click.option("--local", "place", flag_value=Source.LOCAL, help="In this clone only."),
    ):
        command = decorate(command)
    return command


_of_user = click.option("--user", "of_user", is_flag=True, help="In your own configuration.")


@remote.command()
@click.argument("name")
@click.argument("url")
@click.option("--default", "is_default", is_flag=True, help="Use it where no remote is named.")
@click.option("--read-only", is_flag=True, help="Never push to it.")
@_place
@click.option("-o", "--option", "options", multiple=True, metavar="KEY=VALUE",
              help="An option of the storage, such as endpoint_url.")  # fmt: skip
def add(
    name: str,
    url: str,
    is_default: bool,
    read_only: bool,
    place: str | None,
    options: tuple[str, ...],
) -> None:
    """Add remote NAME at URL.

    URL is a folder, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`,
    `sftp://USER@HOST/PATH`, `webdavs://HOST/PATH`, `https://HOST/PATH` (to read from), or of
    another scheme that you allowed.

    It is written to `.pivot/config.toml`, which Git shares; secrets go to the local file, which it
    doesn't.
    """
    with open_project() as project:
        naming.check_new(project.config, name)
        given: dict[str, Value] = dict(_option(option) for option in options)
        if read_only:
            given["read_only"] = True
        file = Source(place or Source.PROJECT)
        new = RemoteConfig(
            name,
            _portable(url, project.root, file),
            {key: str(value) for key, value in given.items()},
            from_repository=False,
            allowed=project.config.own_schemes,
        )
        _try(new, project)
        naming.add(project, new, given, file, is_default=is_default)
        say(f"Added remote {name}: {shown_url(new.url, project.root)}")


@remote.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the remotes with their addresses."""
    with open_project() as project:
        default = project.config.text("remote.default")
        found = project.config.remotes(os.environ).values()
        told = [(r, is_confirmed_here(r, project.root, os.environ)) for r in found]
        if as_json:
            emit({"remotes": [{"name": r.name, "url": shown_url(r.url, project.root),
                               "default": r.name == default, "read_only": is_read_only(r),
                               "confirmed": confirmed} for r, confirmed in told]})  # fmt: skip
            return
        rows: list[tuple[str, str]] = []
        for r, confirmed in told:
            marks = {
                "default": r.name == default,
                "read-only": is_read_only(r),
                "not confirmed on this machine": not confirmed,
            }
            said = ", ".join(mark for mark, holds in marks.items() if holds)
            rows.append((r.name, shown_url(r.url, project.root) + (f"  ({said})" if said else "")))
        table(rows)


@remote.command()
@click.argument("name", shell_complete=complete_remotes)
@_of_user
def remove(name: str, of_user: bool) -> None:
    """Remove remote NAME from the configuration, its secrets too; what it holds stays.

    Copies here of what it listed are removed. Git still has what was committed.
    """
    with open_project() as project:
        done = naming.remove(project, name, from_user=of_user)
        say(f"Removed remote {name} from {_files(done.files, project.root)}.")
        if done.was_default:
            note(f"warning: {name} was the default, and now there is none")
            note("hint: Choose another with `pivot remote default NAME`")
        if done.still is not None:
            note(f"warning: {done.still} still tells of {name}, for all of your projects")
            note(f"hint: `pivot remote remove --user {name}` removes it there")
        _note_variable(name)


@remote.command()
@click.argument("name", shell_complete=complete_remotes)
@click.argument("new")
@_of_user
def rename(name: str, new: str, of_user: bool) -> None:
    """Rename remote NAME to NEW, with its options and where it is the default."""
    with open_project() as project:
        done = naming.rename(project, name, new, of_user=of_user)
        say(f"Renamed remote {name} to {new} in {_files(done.files, project.root)}.")
        if done.still is not None:
            note(f"warning: {done.still} still tells of {name}, for all of your projects")
            note(f"hint: `pivot remote rename --user {name} {new}` renames it there")
        _note_variable(name)


@remote.command()
@click.argument("name", required=False, shell_complete=complete_remotes)
@_place
@json_option
def default(name: str | None, place: str | None, as_json: bool) -> None:
    """Print the remote that is used where none is named, or make NAME that one."""
    with open_project() as project:
        if name is None:
            chosen = choose(project.config, os.environ, None).name
        else:
            chosen = name
            nearer = naming.set_default(project, name, Source(place or Source.PROJECT))
            if nearer is not None:
                note(f"warning: here {nearer} is the default still: a nearer file says so")
                note("hint: `pivot config unset remote.default --local` lets this one count")
        if as_json:
            emit({"default": chosen})
        else:
            say(chosen if name is None else f"The default remote is {chosen}.")


def _files(paths: tuple[str, ...], root: str) -> str:
    return " and ".join(
        os.path.relpath(path, root) if path.startswith(root + os.sep) else path for path in paths
    )


def _note_variable(name: str) -> None:
    variable = environment_name(name)
    if variable in os.environ:
        note(f"warning: {variable} is set and still gives a remote of that name")


def _try(remote: RemoteConfig, project: Project) -> None:
    """Raise `UsageError` for an address or option that can't be used; nothing is asked of it."""
    try:
        open_remote(remote, project.root, project.store.root)
    except DeniedError as error:  # credentials may come later, and on other machines
        note(f"warning: {error}")


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:  # the text isn't repeated: it may be a secret
        raise UsageError("an option has no key or no value", hint="Write it as `-o KEY=VALUE`")
    return key, value


def _portable(url: str, root: str, place: Source) -> str:
    """A relative path as written from the working directory, made relative to the root.

    For all projects of a user it is absolute.
    """
    if "://" in url or "::" in url or os.path.isabs(os.path.expanduser(url)):
        return url
    if ":" in url.split("/", 1)[0]:  # `s3:/bucket` and `host:/path` would be folders made here
        raise UsageError(  # the text isn't repeated: it may hold a password
            "this address looks like a URL, but has no `://`",
            hint="Write it as `s3://BUCKET/PREFIX` or `sftp://USER@HOST/PATH`; a folder of that"
            " name is `./NAME`",
        )
    full = os.path.abspath(url)
    return full if place is Source.USER else os.path.relpath(full, root)
