"""Reasons in words: one line for `status`, the whole account for `--explain`."""

from collections.abc import Iterator, Mapping, Sequence

from pivot.explain import Reason, ReasonKind
from pivot.paths import StageName
from pivot.plan import Decision, Verdict

DIGITS = 8

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


def explain_stage(stage: StageName, decision: Decision, kinds: Mapping[str, str]) -> Iterator[str]:
    """The account of one stage, line by line. `kinds` says what each symbol is."""
    yield f"Stage: {stage}"
    verdict = "STOPPED" if _is_stopped(decision) else _STATUS[decision.verdict]
    yield f"  Status: {verdict}"
    if decision.reasons:
        yield f"  Reason: {_HEADLINES[decision.reasons[0].kind]}"
    if decision.unheld:
        yield f"  Edited: {', '.join(decision.unheld)}"
    if decision.missing:
        yield f"  Missing: {', '.join(decision.missing)}"
    changes = [reason for reason in decision.reasons if reason.kind is not ReasonKind.NEVER_RUN]
    if changes:
        yield ""
        yield "  Changes:"
        for reason in changes:
            yield from _change(reason, kinds)


def _is_stopped(decision: Decision) -> bool:
    return bool(decision.unheld or decision.missing)


def _change(reason: Reason, kinds: Mapping[str, str]) -> Iterator[str]:
    yield f"    {_label(reason, kinds)}"
    if reason.kind in (ReasonKind.UPSTREAM, ReasonKind.FORCED):
        return
    yield f"      Old: {_value(reason, reason.old)}"
    yield f"      New: {_value(reason, reason.new)}"
    if reason.file is not None:
        yield f"      File: {reason.file}:{reason.line}"


def _label(reason: Reason, kinds: Mapping[str, str]) -> str:
    if reason.kind is ReasonKind.CODE:
        module, _, name = reason.what.partition(":")
        kind = kinds.get(reason.what, "func")
        return f"{kind}:{module if name.startswith('<') else name}"
    return f"{_PREFIXES.get(reason.kind, str(reason.kind))}:{reason.what}"


_PREFIXES = {ReasonKind.PARAMS: "param", ReasonKind.SCHEME: "fingerprint"}


def _value(reason: Reason, value: str | None) -> str:
    if value is None:
        return "(absent)"
    if reason.kind in (ReasonKind.CODE, ReasonKind.DEP, ReasonKind.OUT, ReasonKind.OBSERVED):
        return value[:DIGITS]
    return value


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
