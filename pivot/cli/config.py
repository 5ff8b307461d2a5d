"""`pivot config`: settings, shown and changed."""

import os

import click

from pivot.cli.completing import settings as complete_settings
from pivot.cli.terminal import emit, json_option, say, table
from pivot.config import Config, config_paths
from pivot.configure import parse_value, update
from pivot.errors import NoProjectError, UsageError
from pivot.project.layout import find_project
from pivot.settings import Source, Value, known_setting


@click.group()
def config() -> None:
    """Show and change settings. The nearest value counts: local, project, user, default."""


@config.command()
@click.argument("name", shell_complete=complete_settings)
@json_option
def get(name: str, as_json: bool) -> None:
    """Print the value of setting NAME."""
    value, source = Config.load(_project()).get(name)
    if as_json:
        emit({"key": name, "value": value, "source": source})
    else:
        say("" if value is None else _shown(value))


@config.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all settings, their values, and where these come from."""
    loaded = Config.load(_project())
    found = {name: loaded.get(name) for name in loaded.names}
    if as_json:
        emit({n: {"value": value, "source": source} for n, (value, source) in found.items()})
        return
    table(
        [
            (
                name,
                "-" if value is None else _shown(value),
                f"({source}) {known_setting(name).summary}",
            )
            for name, (value, source) in found.items()
        ]
    )


def _shown(value: Value) -> str:
    """A value as the files have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_local = click.option("--local", "place", flag_value="local", help="In this clone only.")
_user = click.option("--user", "place", flag_value="user", help="For all projects of this user.")


@config.command("set")
@click.argument("name", shell_complete=complete_settings)
@click.argument("value")
@_local
@_user
def set_(name: str, value: str, place: str | None) -> None:
    """Set NAME to VALUE for the project.

    The configuration of the project is shared through Git.
    """
    parsed = parse_value(name, value)
    setting = known_setting(name)
    name = setting.name
    if setting.is_own and place is None:
        raise UsageError(
            f"{name} can't be set for the project",
            why="a repository must not decide it for everybody who clones it",
            hint=f"Set it for yourself: `pivot config set --user {name} {value}`",
        )
    update(_file(place), {name: parsed})


@config.command()
@click.argument("name", shell_complete=complete_settings)
@_local
@_user
def unset(name: str, place: str | None) -> None:
    """Remove NAME from the project, so that its default counts."""
    update(_file(place), {known_setting(name).name: None})


def _project() -> str | None:
    try:
        return find_project(os.getcwd()).root
    except NoProjectError:
        return None


def _file(place: str | None) -> str:
    if place == "user":
        return config_paths(None)[Source.USER]
    root = find_project(os.getcwd()).root
    if place not in (None, "local"):
        raise UsageError(f"there is no configuration {place!r}")
    return config_paths(root)[Source.LOCAL if place == "local" else Source.PROJECT]
