"""`pivot doctor`: is everything as it should be, and mending what isn't."""

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import click

from pivot import __version__
from pivot.cli.mending import giving, mend_shown, show_mended
from pivot.cli.terminal import emit, json_option, open_project, plural, say
from pivot.cli.transferring import use_remote
from pivot.code.findings import SCHEME
from pivot.definition.discovery import NoStagesError
from pivot.errors import ExitCode, PivotError
from pivot.lock.folder import list_locks, read_lock
from pivot.lock.lock import Lock
from pivot.paths import RepoPath
from pivot.project.comments import idle_comments
from pivot.project.interpreter import other_environment
from pivot.project.mending import Mended
from pivot.project.planner import Planner
from pivot.project.project import Project
from pivot.project.remotes import secrets_of
from pivot.project.verifying import rekeying, subjects
from pivot.store.check import check
from pivot.track.contents import TrackedContents
from pivot.track.finding import find_tracked
from pivot.track.pvt import read_pvt


class Mark(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `hint` is what helps where it isn't ok."""

    name: str
    mark: Mark
    text: str
    hint: str | None = None


@click.command()
@click.option("--repair", "mend", is_flag=True, help="Make the cache whole from what is sound.")
@click.option("--data", is_flag=True, help="Read and check every byte of the cache, too.")
@click.option("--remote", "ask_remote", is_flag=True, help="Ask the default remote, too.")
@json_option
def doctor(mend: bool, data: bool, ask_remote: bool, as_json: bool) -> int:
    """Check interpreter, Git, configuration, definitions, locks, tracked data and cache.

    Each finding that isn't ok names what helps. `--repair` mends the cache as `pivot verify
    --repair` does; the default remote gives back what is lost only with `--remote`.
    """
    with open_project() as project:
        done = _mended(project, ask_remote=ask_remote) if mend else None
        findings = list(examine(project, read_data=data, ask_remote=ask_remote))
    if as_json:
        emit({"repaired": None if done is None else done.to_json(),
              "checks": [{"name": f.name, "status": f.mark, "text": f.text, "hint": f.hint}
                         for f in findings]})  # fmt: skip
    else:
        _show(done, findings)
    failed = any(finding.mark is Mark.ERROR for finding in findings)
    return ExitCode.FAILED if failed else ExitCode.DONE


def _mended(project: Project, *, ask_remote: bool) -> Mended:
    those = giving(project, None) if ask_remote else None
    return mend_shown(project, subjects(project).claims, those)


def _show(done: Mended | None, findings: Sequence[Finding]) -> None:
    if done is not None:
        show_mended(done)
    for finding in findings:
        say(f"{finding.mark:7}  {finding.name}: {finding.text}")
        if finding.hint is not None:
            say(f"{'hint:':>8} {finding.hint}")


def examine(project: Project, *, read_data: bool, ask_remote: bool) -> Iterator[Finding]:
    """All checks, in the order in which their trouble should be mended."""
    version = platform.python_version()
    yield Finding("versions", Mark.OK, f"pivot {__version__}, Python {version}, {sys.platform}")
    yield _interpreter(project)
    yield _git(project)
    yield from _guarded("configuration", lambda: _configuration(project))
    yield from _guarded("definitions", lambda: _definitions(project))
    yield from _guarded("locks", lambda: _locks(project))
    yield from _guarded("tracked", lambda: _tracked(project))
    yield from _guarded("cache", lambda: _cache(project, read_data=read_data))
    if ask_remote:
        yield from _guarded("remote", lambda: _remote(project))


def _guarded(name: str, examine_one: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from examine_one()
    except PivotError as error:
        yield Finding(name, Mark.ERROR, str(error), error.hint)


def _interpreter(project: Project) -> Finding:
    place = other_environment(project.root, os.environ)
    if place is None:
        return Finding("interpreter", Mark.OK, sys.executable)
    return Finding(
        "interpreter",
        Mark.ERROR,
        f"Pivot runs in {sys.prefix}, but this project's environment is {place}",
        f"Install Pivot there: `{place}/bin/pip install pivot`",
    )


def _git(project: Project) -> Finding:
    try:
        repository = project.repository
    except PivotError as error:
        return Finding("git", Mark.ERROR, str(error), error.hint)
    if repository is None:
        return Finding(
            "git", Mark.WARNING, "no repository, so locks aren't shared", "Run `git init`"
        )
    head = repository.head()
    return Finding("git", Mark.OK, f"{repository.workdir} on {head.branch or 'a detached HEAD'}")


def _configuration(project: Project) -> Iterator[Finding]:
    remotes = project.config.remotes(os.environ)
    yield Finding("configuration", Mark.OK, plural(len(remotes), "remote"))
    for remote in remotes.values():
        for name in sorted(secrets_of(remote.url, remote.shared)):
            yield Finding(
                "configuration",
                Mark.WARNING,
                f"{name} of remote {remote.name} is in .pivot/config.toml, which Git shares",
                "Move it to .pivot/config.local.toml, and have it replaced: others may know it",
            )


def _definitions(project: Project) -> Iterator[Finding]:
    planner = Planner(project)
    try:
        found = planner.definitions
    except NoStagesError:
        if not planner.tracked.paths:
            raise
        yield Finding("definitions", Mark.OK, "no stages")
        return
    yield Finding("definitions", Mark.OK, plural(len(planner.graph.stages), "stage"))
    for impurity in found.evidence.impurities:
        yield Finding(
            "definitions",
            Mark.WARNING,
            f"loaded by every command: {impurity.what} at {impurity.file}:{impurity.line}",
            "Move it into a stage's function",
        )
    record = planner.code.record
    for comment in idle_comments(project.root, (f for f, id_ in record.files.items() if id_)):
        yield Finding(
            "code",
            Mark.WARNING,
            f"{comment.what}: {comment.file}:{comment.line}",
            comment.hint,
        )
    for symbol, fingerprint in record.fingerprints.items():
        for opaque in fingerprint.opaque:
            yield Finding(
                "code",
                Mark.WARNING,
                f"{symbol}: {opaque.what} at {opaque.file}:{opaque.line} can't be followed",
                "Modules that it may mean count, as a whole; name the rest in `extra_code=`",
            )


def _locks(project: Project) -> Iterator[Finding]:
    names = list_locks(project.layout.locks)
    found: list[Lock] = []
    bad = 0
    for name in names:
        try:
            lock = read_lock(project.layout.locks, name)
        except PivotError as error:
            bad += 1
            yield Finding("locks", Mark.ERROR, str(error), error.hint)
        else:
            found += [lock] if lock is not None else []
    others = list(_of_other_schemes(project, found))
    yield from others
    if not bad and not others:
        yield Finding("locks", Mark.OK, plural(len(names), "lock"))


def _of_other_schemes(project: Project, locks: Sequence[Lock]) -> Iterator[Finding]:
    """Locks whose hashes of code were made by other rules than ours."""
    older = [lock for lock in locks if lock.declared.scheme < SCHEME]
    if older:
        rekeyed = rekeying(project).rekeyed
        lost = sum(rekeyed(lock) is None for lock in older)
        schemes = sorted({lock.declared.scheme for lock in older})
        yield Finding(
            "locks",
            Mark.WARNING,
            f"{_of(older)} of fingerprint scheme {', '.join(map(str, schemes))}, here {SCHEME};"
            f" {len(older) - lost} can be re-keyed, of {lost} the sources that ran aren't found",
            "Run `pivot repro`, which re-keys locks, and runs those stages whose sources are lost",
        )
    newer = [lock for lock in locks if lock.declared.scheme > SCHEME]
    if newer:
        yield Finding(
            "locks",
            Mark.WARNING,
            f"{_of(newer)} of a newer Pivot: fingerprint scheme"
            f" {max(lock.declared.scheme for lock in newer)}, here {SCHEME}",
            "Upgrade with `pip install --upgrade pivot`",
        )


def _of(locks: Sequence[Lock]) -> str:
    return f"{plural(len(locks), 'lock')} {'is' if len(locks) == 1 else 'are'}"


def _tracked(project: Project) -> Iterator[Finding]:
    denied: list[Finding] = []
    outs: set[RepoPath] = set()
    with contextlib.suppress(PivotError):  # told as trouble of locks
        outs.update(path for lock in project.locks().values() for path in lock.outs)
    paths = find_tracked(project.root, outs=outs, denied=lambda folder, error: denied.append(
        Finding("tracked", Mark.WARNING, f"{folder} can't be looked into: {error.strerror}",
                f"If tracked data lies there, run `chmod u+rX {folder}`")
    ))  # fmt: skip
    yield from denied
    read = TrackedContents.read(paths, lambda path: read_pvt(project.root, path))
    for fault in read.faults.values():
        yield Finding("tracked", Mark.ERROR, str(fault), fault.hint)
    if not read.faults:
        yield Finding("tracked", Mark.OK, plural(len(paths), "tracked path"))


def _cache(project: Project, *, read_data: bool) -> Iterator[Finding]:
    health = check(project.store, read_data=read_data)
    for name, why in health.damaged_indexes:
        yield Finding("cache", Mark.ERROR, f"index {name} is damaged: {why}", _REPAIR)
    for name, why in health.damaged_packs:
        yield Finding("cache", Mark.ERROR, f"pack {name} is damaged: {why}", _REPAIR)
    for name in health.missing_packs:
        yield Finding("cache", Mark.ERROR, f"pack {name} is missing", _REPAIR)
    if health.unindexed_packs:
        count = plural(len(health.unindexed_packs), "pack")
        yield Finding("cache", Mark.WARNING, f"{count} in no index", _REPAIR)
    if health.is_sound:
        packs, indexes = plural(health.packs, "pack"), plural(health.indexes, "index")
        yield Finding("cache", Mark.OK, f"{packs}, {indexes} in {project.store.root}")


def _remote(project: Project) -> Iterator[Finding]:
    remote = use_remote(project, None, yes=False)
    remote.open()
    yield Finding("remote", Mark.OK, f"{remote.address} answers")


_REPAIR = "Run `pivot verify --repair`, which says how what is lost comes back"
