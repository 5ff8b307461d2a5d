"""Events as JSON: the words that the published schema fixes."""

from pivot.explain import Reason, ReasonKind
from pivot.paths import RepoPath, StageName
from pivot.run.events import (
    Failure,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    StageWaiting,
    Status,
)

A = StageName("a")


def test_events_as_json():
    assert RunStarted("r", (A,)).to_json() == {
        "type": "run_started", "run_id": "r", "stages": ["a"]
    }  # fmt: skip
    assert StageStarted(A).to_json() == {"type": "stage_started", "stage": "a"}
    assert StageWaiting(A, "b").to_json() == {
        "type": "stage_waiting", "stage": "a", "holder": "b"
    }  # fmt: skip
    assert RunFinished("r", {Status.RAN: 2, Status.NOT_STARTED: 1}, 1, 2).to_json() == {
        "type": "run_finished", "run_id": "r", "counts": {"ran": 2, "not_started": 1},
        "exit_code": 1, "rekeyed": 2,
    }  # fmt: skip


def test_end_of_a_stage_has_reasons_and_no_failure():
    reason = Reason(ReasonKind.CODE, "m:f", "1", "2", RepoPath("m.py"), 3)
    event = StageFinished(A, Status.FAILED, (reason,), 0.12345678, Failure("it broke"))
    assert event.to_json() == {
        "type": "stage_finished",
        "stage": "a",
        "status": "failed",
        "reasons": [
            {"kind": "code", "what": "m:f", "old": "1", "new": "2", "file": "m.py", "line": 3}
        ],
        "duration_s": 0.123457,
    }


def test_statuses_are_the_seven_of_the_contract_for_runs():
    assert {str(status) for status in Status if status is not Status.RECORDED} == {
        "ran", "unchanged", "restored", "failed", "blocked", "not_started", "cancelled"
    }  # fmt: skip
