"""Settings: what they are, where they come from, and changing them.

`.pivot/config.toml` is in Git and shared; `.pivot/config.local.toml` is this clone's own;
`config.toml` in the user's configuration folder holds for all projects of this user. The nearest
one wins: local, project, user, default.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pivot.errors import UsageError, nearest

type Value = str | int | bool


class Source(StrEnum):
    """Where a value comes from."""

    LOCAL = "local"
    PROJECT = "project"
    USER = "user"
    DEFAULT = "default"


_OPTIONS = {Source.LOCAL: " --local", Source.PROJECT: "", Source.USER: " --user"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A key that can be set: `check` says what is wrong with a value, or None."""

    name: str
    default: Value | None
    summary: str
    parse: Callable[[str], Value]
    check: Callable[[Value], str | None]


def _choice(*choices: str) -> Callable[[Value], str | None]:
    return lambda value: None if value in choices else f"it must be one of {', '.join(choices)}"


def _between(low: int, high: int) -> Callable[[Value], str | None]:
    def check(value: Value) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return None
        return f"it must be a whole number from {low} to {high}"

    return check


def _text(value: Value) -> str | None:
    return None if isinstance(value, str) and value else "it must be text"


def _grace(value: Value) -> str | None:
    seconds = age(value) if isinstance(value, str) else None
    if seconds is None:
        return "it must be an age such as 14d, 4w or 2m"
    return None if seconds >= SHORTEST_GRACE else "it must be at least 1d"


def _number(text: str) -> Value:
    try:
        return int(text)
    except ValueError:
        return text


_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400, "m": 30 * 86400, "y": 365 * 86400}
_AGE = re.compile(r"(\d{1,6})([hdwmy])")
# What is under way may take so long, and clocks be so far apart.
SHORTEST_GRACE = 86400.0


def age(text: str) -> float | None:
    """The seconds of an age: 12h, 30d, 8w, 6m (of 30 days), 1y; None for other text."""
    found = _AGE.fullmatch(text)
    return None if found is None else float(int(found[1]) * _UNITS[found[2]])


SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("cache.dir", ".pivot/cache", "folder of the store", str, _text),
        Setting("cache.level", 1, "zstd level of new entries", _number, _between(1, 19)),
        Setting(
            "fingerprint.packages",
            "version",
            "whether versions of imported packages count",
            str,
            _choice("version", "ignore"),
        ),
        Setting(
            "fingerprint.python",
            "minor",
            "whether Python's minor version counts",
            str,
            _choice("minor", "ignore"),
        ),
        Setting(
            "gc.grace",
            "14d",
            "how long a remote's packs stay after `gc` found them needless",
            str,
            _grace,
        ),
        Setting("pipeline.module", None, "module that defines stages", str, _text),
        Setting("remote.default", None, "remote for push, pull and fetch", str, _text),
        Setting("remote.jobs", 8, "transfers at once", _number, _between(1, 256)),
        Setting(
            "run.fetch",
            "auto",
            "whether `repro` fetches known results from the remote",
            str,
            _choice("auto", "never", "require"),
        ),
        Setting(
            "run.jobs", None, "stages at once; default: the processors", _number, _between(1, 1024)
        ),
    )
}


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """A remote as configured: `options` are the storage's own, in the words of its page.

    `from_repository`: its address came with the repository, so it must be confirmed once.
    """

    name: str
    url: str
    options: Mapping[str, str]
    from_repository: bool


@dataclass(frozen=True, slots=True)
class Config:
    """The values of a project's files, one table of dotted names each."""

    layers: Mapping[Source, Mapping[str, Value]]

    @classmethod
    def load(cls, project: str | None) -> Self:
        """Read the files that exist. Raises `UsageError` naming file and key for bad values."""
        paths = config_paths(project)
        return cls({source: _read(path) for source, path in paths.items()})

    def get(self, name: str) -> tuple[Value | None, Source]:
        """A setting's value and where it comes from. Raises `UsageError` for unknown names."""
        setting = known_setting(name)
        for source, values in self.layers.items():
            if name in values:
                value = values[name]
                fault = setting.check(value)
                if fault is not None:
                    raise UsageError(
                        f"setting {name} of the {source} configuration is {value!r}",
                        why=fault,
                        hint=f"Correct it with `pivot config set {name}{_OPTIONS[source]} VALUE`",
                    )
                return value, source
        return setting.default, Source.DEFAULT

    def text(self, name: str) -> str | None:
        value, _ = self.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        value, _ = self.get(name)
        return value if isinstance(value, int) else None

    def remotes(self, environ: Mapping[str, str]) -> dict[str, RemoteConfig]:
        """All remotes by name; `PIVOT_REMOTE_<NAME>_URL` replaces or adds an address."""
        found: dict[str, RemoteConfig] = {}
        names = set(self._remote_names())
        variables = {environment_name(name) for name in names}  # several spellings share one
        names |= {n for n in _environment_remotes(environ) if environment_name(n) not in variables}
        for name in sorted(names):
            options: dict[str, str] = {}
            origin: dict[str, Source] = {}
            for source in (Source.USER, Source.PROJECT, Source.LOCAL):
                for key, value in self._remote(source, name):
                    options[key] = str(value)
                    origin[key] = source
            given = environ.get(environment_name(name))
            url = given or options.get("url", "")
            options.pop("url", None)
            if url:
                # An address of one's own says nothing of an endpoint that the repository sets.
                keys = ("endpoint_url",) if given else ("url", "endpoint_url")
                shared = any(origin.get(key) is Source.PROJECT for key in keys)
                found[name] = RemoteConfig(name, url, options, shared)
        return found

    def _remote_names(self) -> Iterator[str]:
        for values in self.layers.values():
            for key in values:
                if key.startswith("remotes."):
                    yield key.split(".")[1]

    def _remote(self, source: Source, name: str) -> Iterator[tuple[str, Value]]:
        prefix = f"remotes.{name}."
        for key, value in self.layers.get(source, {}).items():
            if key.startswith(prefix):
                yield key.removeprefix(prefix), value


def environment_name(remote: str) -> str:
    """The variable that gives a remote's URL: `PIVOT_REMOTE_TEAM_CACHE_URL` for `team-cache`."""
    return f"PIVOT_REMOTE_{remote.upper().replace('-', '_')}_URL"


def _environment_remotes(environ: Mapping[str, str]) -> Iterator[str]:
    for name in environ:
        if name.startswith("PIVOT_REMOTE_") and name.endswith("_URL"):
            middle = name.removeprefix("PIVOT_REMOTE_").removesuffix("_URL")
            if middle:
                yield middle.lower().replace("_", "-")


def known_setting(name: str) -> Setting:
    """The setting called `name`; raises `UsageError` with the nearest one."""
    if name in SETTINGS:
        return SETTINGS[name]
    near = nearest(name, SETTINGS)
    raise UsageError(
        f"there is no setting {name!r}",
        hint=f"Did you mean `{near}`?" if near else "`pivot config list` shows them",
    )


def config_paths(project: str | None) -> dict[Source, str]:
    """The configuration files, nearest first."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    paths = {Source.USER: os.path.join(home, "pivot", "config.toml")}
    if project is None:
        return paths
    folder = os.path.join(project, ".pivot")
    return {
        Source.LOCAL: os.path.join(folder, "config.local.toml"),
        Source.PROJECT: os.path.join(folder, "config.toml"),
        **paths,
    }


def _read(path: str) -> dict[str, Value]:
    try:
        with open(path, "rb") as f:
            value = tomllib.load(f)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is no valid TOML",
            why=str(error),
            hint=f"Correct {path}, then run `pivot config list`",
        ) from error
    return dict(_flatten(path, value, ""))


def _flatten(path: str, table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, Value]]:
    for key, value in table.items():
        name = prefix + key
        if isinstance(value, dict):
            yield from _flatten(path, value, f"{name}.")
        elif isinstance(value, str | int):
            if not name.startswith("remotes.") and name not in SETTINGS:
                near = nearest(name, SETTINGS)
                raise UsageError(
                    f"{path} sets {name!r}, which is no setting",
                    hint=f"Did you mean `{near}`?" if near else "`pivot config list` shows them",
                )
            yield name, value
        else:
            raise UsageError(
                f"{path} sets {name!r} to a value of a kind that no setting has",
                hint=f"Correct {path}, then run `pivot config list`",
            )
