"""What a run shows: a line a stage for people, or events as JSON lines."""

import time

import click

from pivot.cli.terminal import emit, note, note_named, plural, say, seconds
from pivot.code.findings import SCHEME
from pivot.plan import Plan
from pivot.run.events import (
    Event,
    Failure,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    StageUsed,
    StageWaiting,
    Status,
)

_WORDS = {
    Status.RAN: ("ran", "green"),
    Status.UNCHANGED: ("unchanged", None),
    Status.RESTORED: ("restored", "cyan"),
    Status.RECORDED: ("recorded", "cyan"),
    Status.FAILED: ("failed", "red"),
    Status.BLOCKED: ("blocked", "yellow"),
    Status.NOT_STARTED: ("not started", "yellow"),
    Status.CANCELLED: ("cancelled", "yellow"),
}
_TIMELESS = frozenset({Status.UNCHANGED, Status.BLOCKED, Status.NOT_STARTED})
_WIDTH = max(len(word) for word, _ in _WORDS.values())


class Printer:
    """Shows the events of one run."""

    def __init__(self, plan: Plan, *, as_json: bool, begun: float, records: bool = True) -> None:
        """`begun` is when the command started, on the monotonic clock; `records`: what runs is."""
        self._as_json = as_json
        self._records = records
        self._width = max((len(name) for name in plan.decisions), default=0)
        self._begun = begun

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, StageFinished) and event.failure is not None:
            self._show_failure(event, event.failure)
        if self._as_json:
            if not isinstance(event, StageWaiting):
                emit(event.to_json())
            return
        match event:
            case RunStarted():
                pass
            case StageStarted():
                note(f"{event.stage.ljust(self._width)}  running")
            case StageWaiting():
                note(f"{event.stage.ljust(self._width)}  waiting for {event.holder}")
            case StageUsed():
                self._show_use(event)
            case StageFinished():
                self._show_end(event)
            case RunFinished():
                self._show_summary(event)

    def _show_end(self, event: StageFinished) -> None:
        word, colour = _WORDS[event.status]
        took = seconds(event.duration_s) if event.status not in _TIMELESS else ""
        gap = " " * (_WIDTH - len(word) + 2) if took else ""
        say(f"{event.stage.ljust(self._width)}  {click.style(word, fg=colour)}{gap}{took}")

    def _show_use(self, event: StageUsed) -> None:
        for message, hint in event.messages:
            note(f"warning: {event.stage} {message}")
            if hint is not None:
                note_named("hint", "cyan", hint)

    def _show_failure(self, event: StageFinished, failure: Failure) -> None:
        if self._as_json:
            text = failure.message if failure.why is None else f"{failure.message}: {failure.why}"
            emit(
                {
                    "type": "error",
                    "code": "stage_failed",
                    "message": f"stage {event.stage}: {text}",
                    "hint": failure.hint,
                }
            )
            return
        note_named("error", "red", f"stage {event.stage}: {failure.message}", bold=True)
        if failure.why is not None:
            note(f"  why: {failure.why}")
        if failure.traceback is not None:
            note("\n".join(f"  {line}" for line in failure.traceback.rstrip().splitlines()))
        if failure.log is not None:
            note(f"  log: {failure.log}")
        if failure.hint is not None:
            note_named("hint", "cyan", failure.hint)

    def _show_summary(self, event: RunFinished) -> None:
        took = seconds(time.monotonic() - self._begun)
        counts = event.counts
        if not counts:
            say("No stages.")
        elif set(counts) == {Status.UNCHANGED}:
            say(f"Nothing to do: {plural(counts[Status.UNCHANGED], 'stage')} unchanged ({took}).")
        else:
            parts = [f"{n} {_WORDS[status][0]}" for status, n in counts.items()]
            say(f"{', '.join(parts)} ({took}).")
        if not self._records and Status.RAN in counts:
            note_named(
                "hint",
                "cyan",
                "What ran isn't recorded: `pivot record` takes it as it is,"
                " `pivot repro` runs it again",
            )
        if event.rekeyed:
            note(f"Re-keyed {plural(event.rekeyed, 'lock')}, to fingerprint scheme {SCHEME}.")
