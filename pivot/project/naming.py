"""Remotes in the configuration files: adding, renaming and removing them.

What is secret goes to the local file, or the user's own, which only their owner can read.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from pivot.config import Config, RemoteConfig, config_paths
from pivot.configure import remove_table, rename_table, update
from pivot.errors import UsageError
from pivot.project.project import Project
from pivot.project.remotes import allow, index_cache, secrets_of, unknown
from pivot.settings import Source, Value

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_DEFAULT = "remote.default"


@dataclass(frozen=True, slots=True)
class Removed:
    """What removing a remote did.

    Attributes:
        files: those that it was taken out of.
        was_default: whether it was the default, which is nothing now.
        still: the user's own file, where that says something of the remote still.
    """

    files: tuple[str, ...]
    was_default: bool
    still: str | None


@dataclass(frozen=True, slots=True)
class Renamed:
    """The files that a remote was renamed in; `still` as for `Removed`."""

    files: tuple[str, ...]
    still: str | None


def check_new(config: Config, name: str) -> None:
    """Raise `UsageError` unless `name` can name another remote."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} can't name a remote",
            why="letters, digits, _ and - are allowed",
            hint="Choose a name such as `storage`",
        )
    if name in config.remotes({}):
        raise UsageError(f"there is a remote {name!r} already", hint="`pivot remote list` shows it")


def add(
    project: Project,
    remote: RemoteConfig,
    options: Mapping[str, Value],
    place: Source,
    *,
    is_default: bool,
) -> None:
    """Write a remote with its options to a file, what is secret to a private one."""
    paths = config_paths(project.root)
    hidden = secrets_of(remote.url, options)
    shared = {name: value for name, value in options.items() if name not in hidden}
    private = {name: value for name, value in options.items() if name in hidden}
    if private:  # first: the other file may be read by others at once
        file = paths[Source.USER if place is Source.USER else Source.LOCAL]
        update(file, _keys(remote.name, private), private=True)
    update(paths[place], _keys(remote.name, {"url": remote.url, **shared}))
    if is_default:
        update(paths[place], {_DEFAULT: remote.name})
    written = Config.load(project.root).remotes({})[remote.name]
    allow(written, project.root, os.environ, yes=True)


def _keys(remote: str, options: Mapping[str, Value]) -> dict[str, Value | None]:
    return {f"remotes.{remote}.{name}": value for name, value in options.items()}


def remove(project: Project, name: str, *, from_user: bool) -> Removed:
    """Take a remote out of the files of this clone, or with `from_user` out of the user's.

    Copies here of what it listed are removed. Raises `UsageError` where these files have none.
    """
    config, paths = project.config, config_paths(project.root)
    places = _places(config, name, from_user=from_user)
    copies = _copies(project, name)
    for place in places:
        remove_table(paths[place], "remotes", name)
    defaults = [p for p in places if config.layers[p].get(_DEFAULT) == name]
    if not from_user:
        defaults = [p for p in _OF_THE_CLONE if config.layers.get(p, {}).get(_DEFAULT) == name]
    for place in defaults:
        update(paths[place], {_DEFAULT: None})
    after = Config.load(project.root)
    left = {index_cache(r, project.root, project.cache) for r in after.remotes(os.environ).values()}
    for folder in copies - left:
        shutil.rmtree(folder, ignore_errors=True)
    files = tuple(paths[place] for place in places)
    return Removed(files, bool(defaults), _still(config, paths, name, from_user=from_user))


def rename(project: Project, old: str, new: str, *, of_user: bool) -> Renamed:
    """Give a remote another name in the files of this clone, or with `of_user` in the user's.

    Its options and the default go with it. Raises `UsageError` where these files have none.
    """
    config, paths = project.config, config_paths(project.root)
    places = _places(config, old, from_user=of_user)
    check_new(config, new)
    for place in places:
        rename_table(paths[place], "remotes", old, new)
    for place in (Source.USER,) if of_user else _OF_THE_CLONE:
        if config.layers.get(place, {}).get(_DEFAULT) == old:
            update(paths[place], {_DEFAULT: new})
    files = tuple(paths[place] for place in places)
    return Renamed(files, _still(config, paths, old, from_user=of_user))


def set_default(project: Project, name: str, place: Source) -> str | None:
    """Make a remote the default in a file; another one that a nearer file names, if any."""
    remotes = project.config.remotes(os.environ)
    if name not in remotes:
        raise unknown(name, remotes)
    update(config_paths(project.root)[place], {_DEFAULT: name})
    counts = Config.load(project.root).text(_DEFAULT)
    return counts if counts != name else None


_OF_THE_CLONE = (Source.LOCAL, Source.PROJECT)


def _places(config: Config, name: str, *, from_user: bool) -> tuple[Source, ...]:
    """The files, of the clone's or of the user's, that tell of a remote."""
    told = config.places(name)
    wanted = (Source.USER,) if from_user else _OF_THE_CLONE
    places = tuple(place for place in told if place in wanted)
    if places:
        return places
    if told:
        whose, other = ("this user", "without") if from_user else ("this project", "with")
        raise UsageError(
            f"remote {name!r} isn't in the configuration of {whose}",
            hint=f"Run it {other} `--user`",
        )
    remotes = config.remotes(os.environ)
    if name in remotes:
        raise UsageError(
            f"remote {name!r} comes from the environment", hint="Unset its PIVOT_REMOTE_ variables"
        )
    raise unknown(name, remotes)


def _still(
    config: Config, paths: Mapping[Source, str], name: str, *, from_user: bool
) -> str | None:
    if from_user or Source.USER not in config.places(name):
        return None
    return paths[Source.USER]


def _copies(project: Project, name: str) -> set[str]:
    """The folders with copies of a remote's indexes, by its address with and without variables."""
    environments: tuple[Mapping[str, str], ...] = ({}, os.environ)
    found = (project.config.remotes(environ).get(name) for environ in environments)
    return {index_cache(r, project.root, project.cache) for r in found if r is not None}
