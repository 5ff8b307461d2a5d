"""Who commits: the real Git is asked the same, by `git var`."""

import os

import pytest

from pivot.errors import UsageError
from pivot.git.commit import commit_only
from pivot.git.identity import Identity, Moment, parse_date
from pivot.git.repository import WorkPath

ROLES = ("AUTHOR", "COMMITTER")


def ours(work, environ):
    work.write("a.txt", os.urandom(4))
    commit_only(work.open(), [WorkPath("a.txt")], "m", environ=environ)
    return work.git("log", "-1", "--format=%an <%ae>|%cn <%ce>").strip()


def gits(work):
    lines = [work.git("var", f"GIT_{role}_IDENT") for role in ROLES]
    return "|".join(line[: line.index(">") + 1] for line in lines)


@pytest.mark.parametrize(
    ("environ", "config"),
    [
        ({}, {"user.name": "U", "user.email": "u@x"}),
        ({}, {"user.name": "U", "user.email": "u@x", "author.name": "A", "committer.email": "c@x"}),
        ({"GIT_AUTHOR_NAME": "E"}, {"user.name": "U", "user.email": "u@x"}),
        (
            {"GIT_COMMITTER_EMAIL": "e@x"},
            {"user.name": "U", "user.email": "u@x", "author.email": "a@x"},
        ),
        ({"EMAIL": "mail@x"}, {"user.name": "U"}),
        ({"EMAIL": "mail@x"}, {"user.name": "U", "user.email": "u@x"}),
        ({}, {"user.name": " <Ünï>, ", "user.email": "<u@x>"}),
    ],
)
def test_the_same_people_as_git_finds(work, monkeypatch, environ, config):
    for role in ROLES:
        for part in ("NAME", "EMAIL", "DATE"):
            monkeypatch.delenv(f"GIT_{role}_{part}")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for name, value in config.items():
        work.git("config", name, value)
    assert ours(work, environ) == gits(work)


def test_without_any_identity_pivot_itself_commits(work):
    assert ours(work, {}) == "Pivot <pivot@localhost>|Pivot <pivot@localhost>"
    assert work.git("reflog", "-1", "--format=%gn <%ge>").strip() == "Pivot <pivot@localhost>"


def test_use_config_only_refuses_the_fallback(work):
    work.git("config", "user.useConfigOnly", "true")
    with pytest.raises(UsageError, match="doesn't know the author") as caught:
        ours(work, {})
    assert "git config --global user.name" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("@5 +0000", Moment(5, 0)),
        ("1700000000 +0130", Moment(1700000000, 90)),
        ("1700000000 -0130", Moment(1700000000, -90)),
        ("2026-01-02T03:04:05+01:00", Moment(1767319445, 60)),
        ("2026-01-02 03:04:05 -0500", Moment(1767341045, -300)),
        ("2026-01-02T03:04:05Z", Moment(1767323045, 0)),
        ("Fri, 02 Jan 2026 03:04:05 +0100", Moment(1767319445, 60)),
    ],
)
def test_dates_are_read_and_given_on_as_git_reads_them(work, monkeypatch, text, moment):
    assert parse_date(text, variable="D") == moment
    monkeypatch.setenv("GIT_AUTHOR_DATE", text)
    git = work.git("var", "GIT_AUTHOR_IDENT").split("> ")[1].split()
    sign = "-" if moment.offset < 0 else "+"
    zone = f"{sign}{abs(moment.offset) // 60:02}{abs(moment.offset) % 60:02}"
    assert git == [str(moment.seconds), zone]
    written = Identity.of(work.open(), os.environ).environment()["GIT_AUTHOR_DATE"]
    assert written == f"@{moment.seconds} {zone}"


def test_a_date_that_cannot_be_read_is_named(work):
    with pytest.raises(UsageError, match="GIT_AUTHOR_DATE is 'tea time'"):
        ours(work, {"GIT_AUTHOR_DATE": "tea time"})
