"""`pivot remote`: where a project's store is kept besides this machine."""

import os
import re

import click

from pivot.cli.terminal import emit, json_option, note, open_project, say, table
from pivot.config import RemoteConfig, Source, config_paths
from pivot.configure import update
from pivot.errors import DeniedError, UsageError
from pivot.project.project import Project
from pivot.project.remotes import allow, open_remote, shown_url

SECRETS = ("access_key_id", "secret_access_key", "session_token", "password", "passphrase", "token")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@click.group()
def remote() -> None:
    """Add and list remotes."""


@remote.command()
@click.argument("name")
@click.argument("url")
@click.option("--default", "is_default", is_flag=True, help="Use it where no remote is named.")
@click.option("--local", is_flag=True, help="Keep it in this clone; others don't see it.")
@click.option("-o", "--option", "options", multiple=True, metavar="KEY=VALUE",
              help="An option of the storage, such as endpoint_url.")  # fmt: skip
def add(name: str, url: str, is_default: bool, local: bool, options: tuple[str, ...]) -> None:
    """Add remote NAME at URL: a folder, `file://…` or `s3://BUCKET/PREFIX`.

    It is written to `.pivot/config.toml`, which Git shares; secrets go to the local file, which it
    doesn't.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} can't name a remote", why="use letters, digits, _ and -")
    with open_project() as project:
        if name in project.config.remotes({}):
            raise UsageError(
                f"there is a remote {name!r} already", hint="`pivot remote list` shows it"
            )
        given = dict(_option(option) for option in options)
        address = _portable(url, project.root)
        paths = config_paths(project.root)
        shared = paths[Source.LOCAL if local else Source.PROJECT]
        check = RemoteConfig(name, address, given, from_repository=False)
        _try(check, project)
        values = {f"remotes.{name}.{k}": v for k, v in given.items() if k not in SECRETS}
        update(shared, {f"remotes.{name}.url": address, **values})
        secret = {f"remotes.{name}.{k}": v for k, v in given.items() if k in SECRETS}
        if secret:
            update(paths[Source.LOCAL], secret, private=True)
        if is_default:
            update(shared, {"remote.default": name})
        allow(check, project.root, os.environ, yes=True)
        say(f"Added remote {name}: {shown_url(address, project.root)}")


@remote.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the remotes with their addresses."""
    with open_project() as project:
        default = project.config.text("remote.default")
        found = project.config.remotes(os.environ)
        if as_json:
            emit({"remotes": [{"name": r.name, "url": shown_url(r.url, project.root),
                               "default": r.name == default} for r in found.values()]})  # fmt: skip
            return
        table(
            [
                (r.name, shown_url(r.url, project.root) + ("  (default)" * (r.name == default)))
                for r in found.values()
            ]
        )


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


def _portable(url: str, root: str) -> str:
    """A relative path as written from the working directory, made relative to the root."""
    if "://" in url or "::" in url or os.path.isabs(os.path.expanduser(url)):
        return url
    return os.path.relpath(os.path.abspath(url), root)
