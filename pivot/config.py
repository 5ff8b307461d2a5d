"""Settings: what they are, where they come from, and changing them.

`.pivot/config.toml` is in Git and shared; `.pivot/config.local.toml` is this clone's own;
`config.toml` in the user's configuration folder holds for all projects of this user. The nearest
one wins: local, project, user, default.
"""

import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from pivot.distributions import is_valid, normalized
from pivot.errors import UsageError, nearest

type Value = str | int | bool

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_PATTERN = re.compile(r"[A-Za-z0-9_*?]+")
_VARIABLES = "PIVOT_REMOTE_"
_ADDRESS = re.compile(f"{_VARIABLES}(.+)_URL")
_PACKAGE = "fingerprint.package."


class Source(StrEnum):
    """Where a value comes from."""

    LOCAL = "local"
    PROJECT = "project"
    USER = "user"
    DEFAULT = "default"


_OPTIONS = {Source.LOCAL: " --local", Source.PROJECT: "", Source.USER: " --user"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A key that can be set: `check` says what is wrong with a value, or None.

    `is_own`: what the project's file says of it doesn't count, since it came with the repository.
    """

    name: str
    default: Value | None
    summary: str
    parse: Callable[[str], Value]
    check: Callable[[Value], str | None]
    is_own: bool = False


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


def _schemes(value: Value) -> str | None:
    if isinstance(value, str) and all(map(_SCHEME.fullmatch, _listed(value))):
        return None
    return "it must be names of schemes with commas between, such as `hf,gdrive`"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _flag(value: Value) -> str | None:
    return None if isinstance(value, bool) else "it must be true or false"


def _patterns(value: Value) -> str | None:
    if isinstance(value, str) and all(map(_PATTERN.fullmatch, _listed(value))):
        return None
    return "it must be names of variables with commas between, such as `WANDB_*,RUN_NAME`"


def _boolean(text: str) -> Value:
    return {"true": True, "false": False}.get(text.lower(), text)


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
            "fingerprint.ignore_env",
            None,
            "environment variables that may differ, with commas between; `*` stands for any text",
            str,
            _patterns,
        ),
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
            "remote.schemes",
            None,
            "further schemes that remotes may have, with commas between",
            str,
            _schemes,
            is_own=True,
        ),
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
        Setting(
            "run.strict",
            False,  # noqa: FBT003 - a default, named by its place
            "whether a stage fails that uses undeclared files of the project",
            _boolean,
            _flag,
        ),
    )
}


def _of_package(name: str) -> Setting | None:
    """The setting of one package's own policy; None if `name` is none."""
    package = normalized(name.removeprefix(_PACKAGE))
    if not name.startswith(_PACKAGE) or not is_valid(package):
        return None
    summary = f"whether the version of {package} counts"
    return Setting(_PACKAGE + package, None, summary, str, _choice("version", "ignore"))


def _find_setting(name: str) -> Setting | None:
    return SETTINGS.get(name) or _of_package(name)


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """A remote as configured.

    Attributes:
        options: the storage's own, in the words of its page; some may be secret.
        from_repository: its address came with the repository, so it must be confirmed once.
        shared: the names of the options that came with the repository.
        allowed: schemes beyond the usual ones that this user allows.
    """

    name: str
    url: str
    options: Mapping[str, str] = field(repr=False)
    from_repository: bool
    shared: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


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
        name = setting.name
        for source, values in self.layers.items():
            if name in values and not (setting.is_own and source is Source.PROJECT):
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

    def flag(self, name: str) -> bool:
        value, _ = self.get(name)
        return value is True

    def listed(self, name: str) -> tuple[str, ...]:
        """A setting that is a list with commas between."""
        return _listed(self.text(name) or "")

    @property
    def names(self) -> tuple[str, ...]:
        """All settings, those of packages included that some file has; sorted."""
        given = {key for values in self.layers.values() for key in values}
        return tuple(sorted({*SETTINGS, *(key for key in given if key.startswith(_PACKAGE))}))

    @property
    def packages(self) -> dict[str, str]:
        """What counts of the packages that have a policy of their own, by normalised name."""
        own = (name for name in self.names if name.startswith(_PACKAGE))
        return {name.removeprefix(_PACKAGE): self.text(name) or "" for name in own}

    @property
    def own_schemes(self) -> frozenset[str]:
        """The schemes beyond the usual ones that this user allows remotes to have."""
        return frozenset(_listed(self.text("remote.schemes") or ""))

    def remotes(self, environ: Mapping[str, str]) -> dict[str, RemoteConfig]:
        """All remotes by name, those of the environment among them.

        They are in the order in which they are configured: the project's, then this clone's own,
        the user's, and those of the environment.
        `PIVOT_REMOTE_<NAME>_URL` replaces or adds an address, `PIVOT_REMOTE_<NAME>_<OPTION>` an
        option. What the environment says is the user's own.
        """
        names = list(dict.fromkeys(self._remote_names()))
        names += sorted(_environment_remotes(environ, names))
        allowed = self.own_schemes
        found: dict[str, RemoteConfig] = {}
        for name in names:
            values: dict[str, str] = {}
            origin: dict[str, Source] = {}
            for source in (Source.USER, Source.PROJECT, Source.LOCAL):
                for key, value in self._remote(source, name):
                    values[key] = str(value)
                    origin[key] = source
            for key, text in _environment_options(environ, name, names):
                values[key] = text
                origin[key] = Source.LOCAL
            shared = {key for key, source in origin.items() if source is Source.PROJECT}
            url = values.pop("url", "")
            if url:
                found[name] = RemoteConfig(
                    name, url, values, "url" in shared, frozenset(shared - {"url"}), allowed
                )
        return found

    def places(self, remote: str) -> tuple[Source, ...]:
        """The files that say something of a remote, nearest first."""
        return tuple(source for source in self.layers if any(self._remote(source, remote)))

    def _remote_names(self) -> Iterator[str]:
        for source in (Source.PROJECT, Source.LOCAL, Source.USER):
            for key in self.layers.get(source, {}):
                if key.startswith("remotes."):
                    yield key.split(".")[1]

    def _remote(self, source: Source, name: str) -> Iterator[tuple[str, Value]]:
        prefix = f"remotes.{name}."
        for key, value in self.layers.get(source, {}).items():
            if key.startswith(prefix):
                yield key.removeprefix(prefix), value


def environment_name(remote: str, option: str = "url") -> str:
    """The variable that gives a remote's URL or an option of it.

    `PIVOT_REMOTE_TEAM_CACHE_URL` is that for the remote `team-cache`.
    """
    return f"{_VARIABLES}{remote.upper().replace('-', '_')}_{option.upper()}"


def _environment_remotes(environ: Mapping[str, str], configured: Collection[str]) -> set[str]:
    """The names of remotes that only the environment has."""
    given = {match[1]: name for name in environ if (match := _ADDRESS.fullmatch(name))}
    known = {environment_name(name) for name in configured} | set(given.values())
    return {
        middle.lower().replace("_", "-")
        for middle, variable in given.items()
        if variable not in map(environment_name, configured)
        and not (middle.endswith("_ENDPOINT") and _base(variable) in known)
    }


def _base(variable: str) -> str:
    """The variable with the address of the remote whose endpoint `variable` gives."""
    return variable.removesuffix("_ENDPOINT_URL") + "_URL"


def _environment_options(
    environ: Mapping[str, str], remote: str, remotes: Collection[str]
) -> Iterator[tuple[str, str]]:
    """What variables say of a remote, `url` among it; those that are empty say nothing."""
    prefix = environment_name(remote, "")
    longer = tuple(
        other
        for other in (environment_name(name, "") for name in remotes)
        if len(other) > len(prefix)
    )
    for variable, text in environ.items():
        if not text or not variable.startswith(prefix) or variable.startswith(longer):
            continue
        option = variable.removeprefix(prefix)
        if option and (option in ("URL", "ENDPOINT_URL") or not option.endswith("_URL")):
            yield option.lower(), text


def known_setting(name: str) -> Setting:
    """The setting called `name`; raises `UsageError` with the nearest one."""
    setting = _find_setting(name)
    if setting is not None:
        return setting
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
            setting = _find_setting(name)
            if setting is None and not name.startswith("remotes."):
                near = nearest(name, SETTINGS)
                raise UsageError(
                    f"{path} sets {name!r}, which is no setting",
                    hint=f"Did you mean `{near}`?" if near else "`pivot config list` shows them",
                )
            yield (setting.name if setting is not None else name), value
        else:
            raise UsageError(
                f"{path} sets {name!r} to a value of a kind that no setting has",
                hint=f"Correct {path}, then run `pivot config list`",
            )
