"""Reasons in words: one line for `status`, the whole account for `--explain`."""

from collections.abc import Iterator, Mapping, Sequence

import click

from pivot.cli import chains
from pivot.code.findings import SOURCE, FileRead
from pivot.definition.extra import PATH, is_path
from pivot.explain import Reason, ReasonKind
from pivot.plan import Decision, Verdict
from pivot.printable import printable
from pivot.project.account import SHORT_ID, Account, Detail, FileChanges

DIGITS = 8

_INDENT = " " * 6
_SHOWN = 10  # files of a directory
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}

_STATUS = {
    Verdict.SKIP: "UNCHANGED",
    Verdict.RESTORE: "WILL RESTORE",
    Verdict.RUN: "WILL RUN",
    Verdict.UNDECIDED: "WAITS",
}
_HEADLINES = {
    ReasonKind.NEVER_RUN: "Never run",
    ReasonKind.CODE: "Code dependency changed",
    ReasonKind.SCHEME: "Another Pivot made the lock, from sources that aren't found",
    ReasonKind.OBSERVED: "Observed code or data changed",
    ReasonKind.PARAMS: "Parameter changed",
    ReasonKind.ENV: "Environment changed",
    ReasonKind.DEP: "Input dependency changed",
    ReasonKind.DECLARATION: "Declaration changed",
    ReasonKind.OUT: "Output missing or changed",
    ReasonKind.UPSTREAM: "Upstream stage will change",
    ReasonKind.PACKAGE: "Package version changed",
    ReasonKind.MERGED: "Lock was merged",
    ReasonKind.FORCED: "Forced",
    ReasonKind.ALWAYS: "Always runs",
}


def headline(decision: Decision) -> str:
    """Why, in a few words; empty for a stage that is unchanged."""
    if decision.unheld:
        return f"{', '.join(decision.unheld)} was edited and would be lost"
    if decision.missing:
        return f"{', '.join(decision.missing)} is missing"
    kinds = list(dict.fromkeys(reason.kind for reason in decision.reasons))
    return ", ".join(_HEADLINES[kind].lower() for kind in kinds)


def explain_stage(account: Account, width: int | None = None) -> Iterator[str]:
    """The account of one stage, line by line; chains are no longer than `width`, if there is one.

    Text of others is made printable, and diffs are coloured.
    """
    decision = account.decision
    yield f"Stage: {account.stage}"
    verdict = "STOPPED" if _is_stopped(decision) else _STATUS[decision.verdict]
    yield f"  Status: {verdict}"
    if decision.reasons:
        yield f"  Reason: {_HEADLINES[decision.reasons[0].kind]}"
    if decision.unheld:
        yield f"  Edited: {', '.join(decision.unheld)}"
    if decision.missing:
        yield f"  Missing: {', '.join(decision.missing)}"
    changes = [d for d in account.details if d.reason.kind is not ReasonKind.NEVER_RUN]
    if changes:
        yield ""
        yield "  Changes:"
        yield from _changes(account, sorted(changes, key=_order), width)


def _is_stopped(decision: Decision) -> bool:
    return bool(decision.unheld or decision.missing)


def _order(detail: Detail) -> tuple[object, ...]:
    """Code first, each symbol after the one that leads to it; all else as it came."""
    is_code = detail.reason.kind is ReasonKind.CODE
    return not is_code, is_code and not detail.chain, detail.chain if is_code else ()


def _changes(account: Account, details: Sequence[Detail], width: int | None) -> Iterator[str]:
    before: tuple[str, ...] = ()
    for detail in details:
        yield f"    {_label(detail, account.survey.kinds)}"
        for line in _change(detail):
            yield f"{_INDENT}{line}"
        chain = chains.names(account.stage, detail.chain)
        if len(chain) > 1:
            room = None if width is None else width - len(f"{_INDENT}Via: ")
            yield f"{_INDENT}Via: {chains.line(chains.folded(chain, before), room)}"
            before = chain
        if detail.reads:
            yield f"{_INDENT}Reads: {printable(_paths(detail.reads))}"
        for line in _difference(detail):
            yield f"{_INDENT}{line}"


def _paths(reads: Sequence[FileRead]) -> str:
    more = [f"and {len(reads) - _SHOWN} more"] if len(reads) > _SHOWN else []
    return ", ".join([*(read.path for read in reads[:_SHOWN]), *more])


def _change(detail: Detail) -> Iterator[str]:
    reason = detail.reason
    if reason.kind in (ReasonKind.UPSTREAM, ReasonKind.FORCED):
        return
    yield f"Old: {_value(reason, reason.old)}"
    yield f"New: {_value(reason, reason.new)}"
    if reason.file is not None:
        yield f"File: {reason.file}:{reason.line}"
    elif detail.former is not None:
        yield f"Was: {detail.former.file}:{detail.former.line} in {detail.former.commit[:SHORT_ID]}"
    if detail.files is not None:
        yield from _files(detail.files)


def _files(files: FileChanges) -> Iterator[str]:
    """How many files of a directory differ, and the first of them, marked as Git does."""
    marked = [
        *(("A", path) for path in files.added),
        *(("M", path) for path in files.changed),
        *(("D", path) for path in files.removed),
    ]
    counts = {"added": files.added, "changed": files.changed, "removed": files.removed}
    yield f"Files: {', '.join(f'{len(paths)} {word}' for word, paths in counts.items() if paths)}"
    for mark, path in marked[:_SHOWN]:
        yield f"  {mark} {printable(path)}"
    if len(marked) > _SHOWN:
        yield f"  and {len(marked) - _SHOWN} more"


def _difference(detail: Detail) -> Iterator[str]:
    yield from _coloured(detail.diff or ())
    for text in detail.notes:
        yield f"Note: {text}"


def _coloured(diff: Sequence[str]) -> Iterator[str]:
    """The lines of a diff, which may be of several files."""
    heads = {
        number + offset
        for number, line in enumerate(diff)
        if line.startswith("@@") and diff[number - 1].startswith("+++ ")
        for offset in (-2, -1)
    }
    for number, line in enumerate(diff):
        text = printable(line, keep="\t")
        colour = _COLOURS.get(line[:1])
        if number in heads:
            text = click.style(text, bold=True)
        elif colour is not None:
            text = click.style(text, fg=colour)
        yield text


def _label(detail: Detail, kinds: Mapping[str, str]) -> str:
    reason = detail.reason
    if reason.kind is ReasonKind.CODE:
        if is_path(reason.what):
            return f"file:{reason.what.removeprefix(PATH)}"
        former = detail.former.kind if detail.former is not None else str(reason.kind)
        module, _, name = reason.what.partition(":")
        shown = name if name and not name.startswith("<") else module
        return f"{kinds.get(reason.what, former)}:{shown}"
    return f"{_PREFIXES.get(reason.kind, str(reason.kind))}:{reason.what}"


_PREFIXES = {ReasonKind.PARAMS: "param", ReasonKind.SCHEME: "fingerprint"}


def _value(reason: Reason, value: str | None) -> str:
    if value is None:
        return "(absent)"
    if reason.kind in (ReasonKind.CODE, ReasonKind.DEP, ReasonKind.OUT, ReasonKind.OBSERVED):
        return value[:DIGITS]
    return version(value) if reason.kind is ReasonKind.PACKAGE else value


def version(value: str) -> str:
    """A package's version, or the first digits of what stands for one."""
    return value[: len(SOURCE) + DIGITS] if value.startswith(SOURCE) else value


def summary(decisions: Sequence[Decision]) -> str:
    """How many stages would run, and so on: `2 will run, 1 waiting, 3 unchanged`."""
    words = {
        Verdict.RUN: "will run",
        Verdict.RESTORE: "will be restored",
        Verdict.UNDECIDED: "waiting",
        Verdict.SKIP: "unchanged",
    }
    going = [decision for decision in decisions if not _is_stopped(decision)]
    counts = {word: sum(d.verdict is verdict for d in going) for verdict, word in words.items()}
    counts["stopped"] = len(decisions) - len(going)
    return ", ".join(f"{n} {word}" for word, n in counts.items() if n)
