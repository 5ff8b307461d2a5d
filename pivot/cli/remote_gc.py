"""How `pivot gc --remote` runs, and what it says."""

import time
from dataclasses import dataclass

from pivot.cli.kept import kept_as_json, show_kept
from pivot.cli.progress import Progress
from pivot.cli.terminal import emit, note, plural, say, size
from pivot.cli.transferring import use_remote
from pivot.errors import ExitCode, UsageError
from pivot.project.project import Project
from pivot.project.remote_collecting import Asked, RemoteCollected, collect_remote, preview_remote
from pivot.settings import SHORTEST_GRACE, age
from pivot.store.entry import FileName
from pivot.sync.collect import Collecting
from pivot.sync.sweeping import DAY, SweepPlan
from pivot.transfer.jobs import JOBS


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """What was asked of `pivot gc --remote`; `grace` in seconds, None for the configured one."""

    name: str
    apply: bool
    grace: float | None
    allow_short_grace: bool
    yes: bool
    as_json: bool


def run(project: Project, options: RemoteOptions, asked: Asked) -> ExitCode:
    """Collect a remote, or show what that would do."""
    grace = _grace(project, options)
    remote = use_remote(project, options.name, yes=options.yes)
    jobs = project.config.number("remote.jobs") or JOBS
    collecting = Collecting(project.store, remote, grace=grace, jobs=jobs)
    if options.apply:
        with Progress("copied") as progress:
            done = collect_remote(project, collecting, asked, progress)
    else:
        done = preview_remote(project, collecting, asked)
    if options.as_json:
        emit(_as_json(done, options, grace))
    else:
        _show(done, options, grace)
    return ExitCode.DONE if done.swept.unfinished is None else ExitCode.PARTIAL


def _grace(project: Project, options: RemoteOptions) -> float:
    grace = options.grace
    if grace is None:
        grace = age(project.config.text("gc.grace") or "14d") or 0.0
    if grace < SHORTEST_GRACE and not options.allow_short_grace:
        raise UsageError(
            "a grace of less than a day is too short",
            why="a push that is under way, or not committed yet, could lose what it relies on",
            hint="If nobody pushes meanwhile, add `--allow-short-grace`",
        )
    return grace


def _total(plan: SweepPlan, packs: tuple[FileName, ...]) -> int:
    return sum(plan.sizes.get(pack, 0) for pack in packs)


def _there(plan: SweepPlan) -> tuple[FileName, ...]:
    """What is deleted and hasn't gone yet."""
    return tuple(pack for pack in plan.delete if pack in plan.sizes)


def _as_json(done: RemoteCollected, options: RemoteOptions, grace: float) -> dict[str, object]:
    plan, deleted = done.swept.plan, _there(done.swept.plan)
    unfinished = done.swept.unfinished
    return {
        "remote": options.name,
        "dry_run": not options.apply,
        "grace_s": grace,
        "kept": kept_as_json(done.kept),
        "kept_entries": plan.kept_entries,
        "kept_bytes": plan.kept_bytes,
        "doomed_packs": [str(pack) for pack in plan.doom],
        "doomed_bytes": _total(plan, plan.doom),
        "rewritten_packs": len(plan.partly),
        "nameless_packs": len(plan.nameless),
        "copied_entries": len(plan.rescue),
        "copied_bytes": plan.rescued_bytes,
        "deleted_packs": [str(pack) for pack in deleted],
        "deleted_bytes": _total(plan, deleted),
        "waiting_packs": [str(pack) for pack in plan.waiting],
        "waiting_bytes": _total(plan, plan.waiting),
        "next_end": None if plan.next_end is None else round(plan.next_end),
        "unasked": [{"id": n.id, "project": n.shown} for n in done.unasked],
        "unfinished": None if unfinished is None else str(unfinished),
    }


def _show(done: RemoteCollected, options: RemoteOptions, grace: float) -> None:
    plan, deleted = done.swept.plan, _there(done.swept.plan)
    if not options.apply:
        show_kept(done.kept)
    would = "" if options.apply else "Would "
    packs, room = plural(len(plan.doom), "pack"), size(_total(plan, plan.doom))
    more = [
        f"{number:,} {text}"
        for number, text in (
            (len(plan.partly), f"of them with needed data, {size(plan.rescued_bytes)} copied"),
            (len(plan.nameless), "left by interrupted pushes"),
        )
        if number
    ]
    tail = f" ({'; '.join(more)})" if more else ""
    if plan.doom:
        say(f"{_verb('mark', would)} {packs} for deletion in {grace / DAY:g} days, {room}{tail}.")
    elif not deleted:
        say("Nothing there can be removed now.")
    if deleted:
        room = size(_total(plan, deleted))
        say(f"{_verb('delete', would)} {plural(len(deleted), 'pack')} marked before, {room}.")
    if plan.waiting:
        waiting = f"{plural(len(plan.waiting), 'pack')}, {size(_total(plan, plan.waiting))}"
        say(f"Marked before and not due yet: {waiting}{_when(plan.next_end)}.")
    if not options.apply:
        _advise(done)
    if done.swept.unfinished is not None:
        note(f"warning: {done.swept.unfinished}")
        note(f"hint: {done.swept.unfinished.hint}")


def _verb(verb: str, would: str) -> str:
    return f"{would}{verb}" if would else f"{verb.capitalize().removesuffix('e')}ed"


def _when(end: float | None) -> str:
    if end is None:
        return ""
    return f"; the first are due on {time.strftime('%Y-%m-%d %H:%M', time.localtime(end))}"


def _advise(done: RemoteCollected) -> None:
    for project in done.unasked:
        day = ""
        if project.noted is not None:
            day = time.strftime(", noted on %Y-%m-%d", time.localtime(project.noted))
        note(f"warning: {project.shown} pushes there too and wasn't asked{day}")
        note(f"hint: Name a clone of it with `--project FOLDER`, or `--gone {project.id}`")
    if not done.swept.plan.is_empty:
        note("hint: The same command with `--apply` does it")
