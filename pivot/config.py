"""The configuration: what the files and the environment say, and which of them wins.

`.pivot/config.toml` is in Git and shared; `.pivot/config.local.toml` is this clone's own;
`config.toml` in the user's configuration folder holds for all projects of this user. The nearest
one wins: local, project, user, default.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from pivot.errors import UsageError, nearest
from pivot.settings import PACKAGE, SETTINGS, Source, Value, find_setting, known_setting, listed
from pivot.variables import environment_options, environment_remotes

_OPTIONS = {Source.LOCAL: " --local", Source.PROJECT: "", Source.USER: " --user"}


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


class Config(NamedTuple):
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
        return listed(self.text(name) or "")

    @property
    def names(self) -> tuple[str, ...]:
        """All settings, those of packages included that some file has; sorted."""
        given = {key for values in self.layers.values() for key in values}
        return tuple(sorted({*SETTINGS, *(key for key in given if key.startswith(PACKAGE))}))

    @property
    def packages(self) -> dict[str, str]:
        """What counts of the packages that have a policy of their own, by normalised name."""
        own = (name for name in self.names if name.startswith(PACKAGE))
        return {name.removeprefix(PACKAGE): self.text(name) or "" for name in own}

    @property
    def own_schemes(self) -> frozenset[str]:
        """The schemes beyond the usual ones that this user allows remotes to have."""
        return frozenset(listed(self.text("remote.schemes") or ""))

    def remotes(self, environ: Mapping[str, str]) -> dict[str, RemoteConfig]:
        """All remotes by name, those of the environment among them.

        They are in the order in which they are configured: the project's, then this clone's own,
        the user's, and those of the environment.
        `PIVOT_REMOTE_<NAME>_URL` replaces or adds an address, `PIVOT_REMOTE_<NAME>_<OPTION>` an
        option. What the environment says is the user's own.
        """
        names = list(dict.fromkeys(self._remote_names()))
        names += sorted(environment_remotes(environ, names))
        allowed = self.own_schemes
        found: dict[str, RemoteConfig] = {}
        for name in names:
            values: dict[str, str] = {}
            origin: dict[str, Source] = {}
            for source in (Source.USER, Source.PROJECT, Source.LOCAL):
                for key, value in self._remote(source, name):
                    values[key] = str(value)
                    origin[key] = source
            for key, text in environment_options(environ, name, names):
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
            setting = find_setting(name)
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
