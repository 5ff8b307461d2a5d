"""`pivot verify`: are locks, outs and stored data what they should be; and mending the store."""

import os
from collections.abc import Callable, Iterator, Sequence

import click

from pivot.cli.completing import remotes as complete_remotes
from pivot.cli.completing import targets as complete_targets
from pivot.cli.mending import giving, mend_shown, show_mended
from pivot.cli.progress import Progress
from pivot.cli.terminal import emit, json_option, note, open_project, plural, say, size, table
from pivot.cli.transferring import use_remote
from pivot.errors import UsageError
from pivot.hashing import ObjectId
from pivot.project.givers import chosen
from pivot.project.project import Project
from pivot.project.remotes import index_cache
from pivot.project.verifying import Looking, Verified, subjects
from pivot.project.verifying import verify as verify_project
from pivot.store.check import Health, Part
from pivot.transfer.known import known_entries
from pivot.verify.finding import Finding, FindingKind, State, Verdict


class PartType(click.ParamType[Part]):
    """`3/30`: the third of thirty parts."""

    name = "N/T"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Part:
        if isinstance(value, Part):
            return value
        number, _, total = str(value).partition("/")
        if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
            self.fail(f"{value!r} is no part like 1/30", param, ctx)
        return Part(int(number), int(total))


@click.command()
@click.argument("targets", nargs=-1, shell_complete=complete_targets)
@click.option("--data", is_flag=True, help="Read and check every stored byte, too.")
@click.option("--subset", type=PartType(), help="Read only part N of T of the stored bytes.")
@click.option("--repair", is_flag=True, help="Mend the cache, and bring back what it lost.")
@click.option("--allow-missing", is_flag=True, help="Data that a remote has needn't be here.")
@click.option("-r", "--remote", shell_complete=complete_remotes, help="Which remote; it is asked.")
@json_option
def verify(
    targets: tuple[str, ...],
    data: bool,
    subset: Part | None,
    repair: bool,
    allow_missing: bool,
    remote: str | None,
    as_json: bool,
) -> int:
    """Check that TARGETS (all without any) are as their locks say, and that their data is there.

    TARGETS are stages, outs, or folders that outs lie in. No code of the project is loaded or run.
    Exits with 4 if code, deps or outs differ, 14 if data is missing, 13 if it is damaged.

    `--allow-missing` goes by what the remote was last seen to have, `--remote NAME` asks it.
    `--repair` reads the whole cache, sets damaged packs aside, and takes what is lost from the
    workspace or the remote again. `--subset 1/30` today, `2/30` tomorrow: each pack is read
    every thirty days.
    """
    if repair and subset is not None:
        raise UsageError(
            "--subset does not go with --repair", why="repairing reads every pack",
            hint="Leave --subset out",
        )  # fmt: skip
    with open_project() as project:
        what = subjects(project, targets)
        mended = None
        if repair:
            mended = mend_shown(project, subjects(project).claims, giving(project, remote))
        with Progress("read") as progress:
            how = Looking(
                _elsewhere(project, remote) if allow_missing or (remote and not repair) else None,
                read_data=data or subset is not None,
                part=subset,
                progress=progress,
            )
            found = verify_project(project, what, how, mended)
    if as_json:
        emit(_json(found))
    else:
        _show(found)
    return found.state.exit_code


def _elsewhere(project: Project, name: str | None) -> Callable[[ObjectId], bool]:
    """Whether an entry can be had from the remote called `name`, which is asked; or from any,
    as it was last seen.
    """
    if name is None:
        known = [
            known_entries(index_cache(remote, project.root, project.cache))
            for remote in chosen(project.config, os.environ)
        ]
        return lambda id_: any(has(id_) for has in known)
    asked = use_remote(project, name, yes=False)
    asked.open()
    return lambda id_: asked.find(id_) is not None


def _json(found: Verified) -> dict[str, object]:
    health = found.health
    return {
        "state": found.state.word,
        "stages": [_verdict_json("stage", verdict) for verdict in found.stages],
        "tracked": [_verdict_json("path", verdict) for verdict in found.tracked],
        "store": {
            "packs": health.packs,
            "indexes": health.indexes,
            "read_packs": health.read_packs,
            "read_bytes": health.read_bytes,
            "damaged": [
                {"kind": kind, "name": str(name), "why": why}
                for kind, rows in (
                    ("index", health.damaged_indexes),
                    ("pack", health.damaged_packs),
                )
                for name, why in rows
            ],
            "missing_packs": [str(name) for name in health.missing_packs],
            "unindexed_packs": [str(name) for name in health.unindexed_packs],
        },
        "repaired": None if found.mended is None else found.mended.to_json(),
    }


def _verdict_json(key: str, verdict: Verdict) -> dict[str, object]:
    return {
        key: verdict.name,
        "state": verdict.state.word,
        "findings": [finding.to_json() for finding in verdict.findings],
    }


def _show(found: Verified) -> None:
    if found.mended is not None:
        show_mended(found.mended)
    verdicts = (*found.stages, *found.tracked)
    rows: list[tuple[str, str, str]] = []
    for verdict in verdicts:
        texts = [_text(finding) for finding in verdict.findings] or [""]
        rows.append((verdict.name, verdict.state.word, texts[0]))
        rows.extend(("", "", text) for text in texts[1:])
    table(rows)
    for line in _store_lines(found.health):
        say(line)
    say(_summary(found))
    for hint in _hints(found):
        note(f"hint: {hint}")


def _text(finding: Finding) -> str:
    objects = plural(finding.objects or 0, "object")
    match finding.kind:
        case FindingKind.CODE if finding.text is not None:
            return f"{finding.what} can't be found: {finding.text}"
        case FindingKind.CODE:
            place = f" ({finding.file}:{finding.line})" if finding.file else ""
            return f"code {finding.what} {_change(finding)}{place}"
        case FindingKind.SCHEME:
            return "another Pivot made its lock, from sources that aren't found"
        case FindingKind.MISSING:
            return f"the cache lacks {finding.what} ({objects})"
        case FindingKind.DAMAGED:
            return f"stored data of {finding.what} is damaged or lost ({objects})"
        case FindingKind.LOCK:
            return finding.text or finding.what
    return f"{finding.kind} {finding.what} {_change(finding)}"


def _change(finding: Finding) -> str:
    if finding.new is None:
        return "is gone"
    return "is new" if finding.old is None else "differs"


def _store_lines(health: Health) -> Iterator[str]:
    for name, why in health.damaged_indexes:
        yield f"cache: index {name} is damaged: {why}"
    for name, why in health.damaged_packs:
        yield f"cache: pack {name} is damaged: {why}"
    if health.missing_packs:
        yield f"cache: {plural(len(health.missing_packs), 'pack')} that an index names is gone"
    if health.unindexed_packs:
        yield f"cache: {plural(len(health.unindexed_packs), 'pack')} in no index"
    if health.read_packs:
        yield f"cache: read {plural(health.read_packs, 'pack')}, {size(health.read_bytes)}"


def _summary(found: Verified) -> str:
    counts = [plural(len(found.stages), "stage")]
    if found.tracked:
        counts.append(plural(len(found.tracked), "tracked path"))
    states = [verdict.state for verdict in (*found.stages, *found.tracked)]
    told = [f"{states.count(state)} {state.word}" for state in State if state in states]
    return f"{', '.join(counts)}: {', '.join(told)}" if told else f"{counts[0]}."


def _hints(found: Verified) -> Iterator[str]:
    findings = [f for verdict in (*found.stages, *found.tracked) for f in verdict.findings]
    kinds = {finding.kind for finding in findings}
    health = found.health
    yield from dict.fromkeys(finding.hint for finding in findings if finding.hint is not None)
    if found.mended is not None and FindingKind.DAMAGED in kinds:
        yield from _lost(found)
    elif FindingKind.DAMAGED in kinds or not health.is_sound or health.unindexed_packs:
        yield "`pivot verify --repair` mends the cache"
    if FindingKind.MISSING in kinds:
        yield "`pivot pull` gets what is missing from a remote"
    if any(finding.kind is FindingKind.OUT and finding.new is None for finding in findings):
        yield "`pivot checkout` puts outs that are gone in place"
    if _has(found.stages, lambda finding: finding.kind.state is State.STALE):
        yield "`pivot status --explain` shows what changed; `pivot repro` brings it up to date"
    if _has(found.tracked, lambda finding: finding.kind.state is State.STALE and finding.new):
        yield "`pivot track` takes up what was modified, `pivot checkout` takes it back"


def _lost(found: Verified) -> Iterator[str]:
    """How lost data comes back, which depends on who made it."""
    yield "What is lost comes back with a `pivot push` from who has it"
    if _has(found.stages, _is_damaged):
        yield "What a stage made, `pivot repro` makes again"
    if _has(found.tracked, _is_damaged):
        yield "What is tracked, `pivot track` stores again where it is in place"


def _is_damaged(finding: Finding) -> bool:
    return finding.kind is FindingKind.DAMAGED


def _has(verdicts: Sequence[Verdict], is_so: Callable[[Finding], object]) -> bool:
    return any(is_so(finding) for verdict in verdicts for finding in verdict.findings)
