"""Settings: which there are, and which values each may have."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from pivot.distributions import is_valid, normalized
from pivot.errors import UsageError, nearest

type Value = str | int | bool

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_PATTERN = re.compile(r"[A-Za-z0-9_*?]+")

PACKAGE = "fingerprint.package."
"""What the names of the settings of single packages begin with."""


class Source(StrEnum):
    """Where a value comes from."""

    LOCAL = "local"
    PROJECT = "project"
    USER = "user"
    DEFAULT = "default"


class Setting(NamedTuple):
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
    if isinstance(value, str) and all(map(_SCHEME.fullmatch, listed(value))):
        return None
    return "it must be names of schemes with commas between, such as `hf,gdrive`"


def listed(text: str) -> tuple[str, ...]:
    """The parts of a text with commas between."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _flag(value: Value) -> str | None:
    return None if isinstance(value, bool) else "it must be true or false"


def _patterns(value: Value) -> str | None:
    if isinstance(value, str) and all(map(_PATTERN.fullmatch, listed(value))):
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
    package = normalized(name.removeprefix(PACKAGE))
    if not name.startswith(PACKAGE) or not is_valid(package):
        return None
    summary = f"whether the version of {package} counts"
    return Setting(PACKAGE + package, None, summary, str, _choice("version", "ignore"))


def find_setting(name: str) -> Setting | None:
    """The setting called `name`, one package's policy included; None if there is none."""
    return SETTINGS.get(name) or _of_package(name)


def known_setting(name: str) -> Setting:
    """The setting called `name`; raises `UsageError` with the nearest one."""
    setting = find_setting(name)
    if setting is not None:
        return setting
    near = nearest(name, SETTINGS)
    raise UsageError(
        f"there is no setting {name!r}",
        hint=f"Did you mean `{near}`?" if near else "`pivot config list` shows them",
    )
