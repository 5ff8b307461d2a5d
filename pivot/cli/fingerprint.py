"""`pivot fingerprint`: all that the key of a stage is made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, NoReturn

import click

from pivot.cli.completing import stages as complete_stages
from pivot.cli.explaining import DIGITS, version
from pivot.cli.status import warn_unreadable
from pivot.cli.terminal import emit, json_option, open_project, say, table
from pivot.code.findings import EFFECTS, MODULE, Fingerprint
from pivot.code.outline import Row, only, outline
from pivot.definition.extra import PATH
from pivot.distributions import normalized
from pivot.errors import UsageError, nearest
from pivot.explain import as_text, leaves
from pivot.hashing import Json
from pivot.lock.declared import Declared
from pivot.lock.lock import Observed
from pivot.paths import StageName
from pivot.plan import Decision, new_key
from pivot.project.importers import find_importers
from pivot.project.planner import Planner
from pivot.survey import StageSurvey

_DECLARED: Final = frozenset({"scheme", "code", "packages", "params", "env", "cwd", "deps", "outs"})
"""What has a section of its own; whatever else a stage declares is told under its own name."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What is printed of one stage."""

    stage: StageName
    survey: StageSurvey
    decision: Decision
    fingerprint: Fingerprint
    rows: Sequence[Row]

    @property
    def declared(self) -> Declared:
        return self.survey.declared

    @property
    def observed(self) -> Observed:
        return Observed() if self.survey.lock is None else self.survey.lock.observed

    @property
    def more(self) -> dict[str, Json]:
        """What else is declared, by its name."""
        values = {f.name: getattr(self.declared, f.name) for f in fields(self.declared)}
        return {name: v for name, v in values.items() if name not in _DECLARED and v}


@click.command()
@click.argument("stage", shell_complete=complete_stages)
@click.option(
    "--why",
    metavar="SYMBOL",
    help="Only how the stage comes to use SYMBOL (`normalize`, or `package.module:normalize`),"
    " or an installed package.",
)
@json_option
def fingerprint(stage: str, why: str | None, as_json: bool) -> None:
    """Show what the key of STAGE is made of, as it is now.

    First its code: every symbol that its function can reach, below the one that leads to it, with
    the symbol's hash and place. Then what else counts, and what couldn't be followed.
    """
    with open_project() as project:
        planner = Planner(project)
        plan, (name,) = planner.plan([stage])
        warn_unreadable(plan, planner.tracked)
        survey, found = plan.survey.stages[name], planner.fingerprint(name)
        rows = outline(found, survey.declared.code, survey.kinds)
        if why is not None:
            rows = only(rows, _entries(planner, rows, why, name) or _refuse(rows, why, survey))
        told = _Told(name, survey, plan.decisions[name], found, rows)
        if as_json:
            emit(_json(told))
        elif why is not None:
            _code(rows, indent="")
        else:
            _show(told)


def _entries(planner: Planner, rows: Sequence[Row], wanted: str, stage: StageName) -> list[str]:
    """The entries that `wanted` names, whole or by their last part; or that import this package."""
    names = [row.entry for row in rows]
    return _named(names, wanted) or find_importers(planner, stage, wanted)


def _named(entries: Iterable[str], wanted: str) -> list[str]:
    """Those of some entries that `wanted` is, whole or in its last part."""
    return [
        entry
        for entry in entries
        if wanted in (entry, entry.partition(":")[2], entry.replace(":", "."))
    ]


def _refuse(rows: Sequence[Row], wanted: str, survey: StageSurvey) -> NoReturn:
    """Say why there is no way to what `wanted` names. Raises `UsageError`."""
    stage, observed = survey.stage.name, Observed() if survey.lock is None else survey.lock.observed
    everything = f"`pivot fingerprint {stage}` shows all"
    if _named(observed.code, wanted) or normalized(wanted) in observed.packages:
        raise UsageError(
            f"no name in the code of stage {stage} leads to {wanted!r}",
            why="its last run was seen to use it, by a name that was computed",
            hint=everything,
        )
    near = nearest(wanted, [n for row in rows for n in (row.entry, row.entry.partition(":")[2])])
    raise UsageError(
        f"stage {stage} reaches no symbol or package {wanted!r}",
        hint=f"Did you mean {near!r}?" if near else everything,
    )


def _show(told: _Told) -> None:
    say(f"Stage: {told.stage}")
    say(f"  Key: {_key(told)}")
    say(f"  Scheme: {told.declared.scheme}")
    say()
    say("  Code:")
    _code(told.rows, indent="    ")
    for title, rows in _sections(told):
        if rows:
            say()
            say(f"  {title}:")
            table(rows, indent="    ")


def _key(told: _Told) -> str:
    """The key in full, or why there is none yet."""
    key = new_key(told.survey, told.decision)
    if key is not None:
        return str(key)
    if told.decision.missing:
        return f"not known while {', '.join(told.decision.missing)} is missing"
    return "not known before the stages that it reads from have run"


def _code(rows: Sequence[Row], *, indent: str) -> None:
    table([line for row in rows for line in _lines(row)], indent=indent)


def _lines(row: Row) -> Iterator[tuple[str, ...]]:
    """A symbol, and below it the files that are read for it."""
    place = "" if row.location is None else f"{row.location.file}:{row.location.line}"
    yield "  " * row.depth + _label(row), row.hash[:DIGITS], place
    for read in row.reads:
        name = f"file:{read.path}" if read.is_file else f"names in {read.path}"
        yield "  " * (row.depth + 1) + name, read.holds[:DIGITS] if read.is_file else "", ""


def _label(row: Row) -> str:
    module, _, name = row.entry.removeprefix(PATH).partition(":")
    return f"{row.kind}:{module if name in ('', EFFECTS, MODULE) else name}"


def _sections(told: _Told) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    declared, deps = told.declared, told.decision.deps or {}
    yield "Packages", [(name, version(value)) for name, value in declared.packages.items()]
    yield "Params", [(name, as_text(value)) for name, value in leaves(declared.params or {})]
    yield "Environment", list(declared.env.items())
    yield (
        "Deps",
        [(d, str(deps[d].id)[:DIGITS] if d in deps else "not known") for d in declared.deps],
    )
    yield "Outs", [(out.path, out.kind) for out in declared.outs]
    yield "Folder", [(declared.cwd,)] if declared.cwd != "." else []
    yield "Also declared", [(name, as_text(_plain(value))) for name, value in told.more.items()]
    yield "Observed by the last run, not part of the key", list(_observed(told.observed))
    yield (
        "Not followed",
        [(f"{found.file}:{found.line}", found.what) for found in told.fingerprint.opaque],
    )


def _observed(observed: Observed) -> Iterator[tuple[str, ...]]:
    for name, value in observed.entries():
        shown = version if name.startswith("package:") else _short
        yield name, "(absent)" if value is None else shown(value)


def _short(hash_: str) -> str:
    return hash_[:DIGITS]


def _plain(value: object) -> Json:
    """A declared value as JSON has it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case frozenset() | set():
            return sorted((_plain(item) for item in value), key=str)
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def _json(told: _Told) -> dict[str, object]:
    declared, key = told.declared, new_key(told.survey, told.decision)
    deps = told.decision.deps or {}
    return {
        "stage": told.stage,
        "root": told.fingerprint.root,
        "key": None if key is None else str(key),
        "static_key": str(declared.static_key),
        "scheme": declared.scheme,
        "code": [row.to_json() for row in told.rows],
        "modules": sorted(told.fingerprint.runs),
        "packages": dict(declared.packages),
        "params": declared.params,
        "env": dict(declared.env),
        "cwd": declared.cwd,
        "deps": [{"path": d, "id": str(deps[d].id) if d in deps else None} for d in declared.deps],
        "outs": [{"path": out.path, "kind": out.kind} for out in declared.outs],
        "more": {name: _plain(value) for name, value in told.more.items()},
        "observed": {
            "code": dict(told.observed.code),
            "env": dict(told.observed.env),
            "files": told.observed.paths,
            "packages": dict(told.observed.packages),
        },
        "opaque": [
            {"what": found.what, "file": found.file, "line": found.line}
            for found in told.fingerprint.opaque
        ],
    }
