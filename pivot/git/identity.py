"""Who commits, and when: environment first, then Git's configuration, as Git does it.

Source: git-commit(1), "Commit information", and git-config(1), `user.*`, `author.*`,
`committer.*`.
"""

import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pivot.errors import UsageError

FALLBACK_NAME = "Pivot"
FALLBACK_EMAIL = "pivot@localhost"

_RAW_DATE = re.compile(r"(?:@(?=\d)|(?=\d{9}))(\d{1,15})(?: ([+-])(\d{2})(\d{2}))?")


class Config(Protocol):
    """The little of a repository that identities come from."""

    def config(self, name: str) -> str | None: ...
    def config_bool(self, name: str, *, default: bool) -> bool: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds since the epoch, and the zone's offset from UTC in minutes."""

    seconds: int
    offset: int


@dataclass(frozen=True, slots=True)
class Person:
    """An author or committer; `when` is None for the present."""

    name: str
    email: str
    when: Moment | None


@dataclass(frozen=True, slots=True)
class Identity:
    """The two people of a commit."""

    author: Person
    committer: Person

    @classmethod
    def of(cls, config: Config, environ: Mapping[str, str]) -> "Identity":
        """Who would commit in a repository with this configuration and environment.

        What is set nowhere becomes `Pivot <pivot@localhost>`, so that a machine without an
        identity (a build server, a container) can commit; with `user.useConfigOnly` it is a
        `UsageError` instead, as in Git. Raises `UsageError` for a date in no known form, too.
        """
        return cls(_person("author", config, environ), _person("committer", config, environ))

    def environment(self) -> dict[str, str]:
        """These two as the variables that the `git` command reads."""
        found: dict[str, str] = {}
        for role, person in (("AUTHOR", self.author), ("COMMITTER", self.committer)):
            found[f"GIT_{role}_NAME"] = person.name
            found[f"GIT_{role}_EMAIL"] = person.email
            if person.when is not None:
                sign = "-" if person.when.offset < 0 else "+"
                hours, minutes = divmod(abs(person.when.offset), 60)
                zone = f"{sign}{hours:02}{minutes:02}"
                found[f"GIT_{role}_DATE"] = f"@{person.when.seconds} {zone}"
        return found


def _person(role: str, config: Config, environ: Mapping[str, str]) -> Person:
    variable = f"GIT_{role.upper()}"
    name = (
        _clean(environ.get(f"{variable}_NAME"))
        or _clean(config.config(f"{role}.name"))
        or _clean(config.config("user.name"))
    )
    address = (
        _clean(environ.get(f"{variable}_EMAIL"))
        or _clean(config.config(f"{role}.email"))
        or _clean(config.config("user.email"))
        or _clean(environ.get("EMAIL"))
    )
    if not (name and address) and config.config_bool("user.useConfigOnly", default=False):
        raise UsageError(
            f"Git doesn't know the {role} of the commit",
            why="user.useConfigOnly is set, and a name or an address is not",
            hint="Run `git config --global user.name NAME` and the same for `user.email`",
        )
    date = environ.get(f"{variable}_DATE")
    when = parse_date(date, variable=f"{variable}_DATE") if date else None
    return Person(name or FALLBACK_NAME, address or FALLBACK_EMAIL, when)


def _clean(text: str | None) -> str | None:
    """A name or address without what can't stand in a commit's header."""
    return None if text is None else re.sub(r"[<>\0\r\n]", "", text).strip(" .,:;\"'\\") or None


def parse_date(text: str, *, variable: str) -> Moment:
    """A date in Git's own (`@1700000000 +0100`), ISO 8601 or RFC 2822 form.

    A date without a zone is local time. Raises `UsageError`, naming `variable`, for other forms.
    """
    raw = _RAW_DATE.fullmatch(text.strip())
    if raw:
        minutes = 60 * int(raw[3] or 0) + int(raw[4] or 0)
        return Moment(int(raw[1]), -minutes if raw[2] == "-" else minutes)
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = read(text.strip())
        except ValueError:
            continue
        zone = moment.utcoffset()
        if zone is None:
            moment = moment.astimezone()
            zone = moment.utcoffset()
        return Moment(int(moment.timestamp()), int(zone.total_seconds()) // 60 if zone else 0)
    raise UsageError(
        f"{variable} is {text!r}, which is no date that Pivot can read",
        hint=f"Write it like `{variable}=2026-01-31T12:00:00+01:00`",
    )
