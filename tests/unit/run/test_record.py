"""The record of a run: made when there is something to keep, believed only where it was made."""

import json
import os
import shutil

from pivot.history import is_own
from pivot.paths import StageName
from pivot.run.events import StageFinished, Status
from pivot.run.record import RunRecord

STAGE = StageName("group/make")


def test_run_that_keeps_nothing_leaves_nothing(tmp_path):
    RunRecord.fresh(str(tmp_path / "runs")).close([], 0)
    assert not (tmp_path / "runs").exists()


def test_record_tells_how_each_stage_ended(tmp_path):
    record = RunRecord.fresh(str(tmp_path / "runs"))
    record.keep_lock(STAGE, b"lock")
    record.close([StageFinished(STAGE, Status.RAN, duration_s=1.5)], 0)
    folder = tmp_path / "runs" / record.run_id
    assert (folder / "locks/group/make.lock").read_bytes() == b"lock"
    value = json.loads((folder / "record.json").read_text())
    assert value["run_id"] == record.run_id
    assert value["started"] <= value["ended"]
    assert value["exit_code"] == 0
    assert [(s["stage"], s["status"]) for s in value["stages"]] == [("group/make", "ran")]


def test_record_that_cannot_be_written_is_no_failure(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    record = RunRecord.fresh(str(tmp_path / "runs"))
    record.keep_lock(STAGE, b"lock")
    monkeypatch.setattr("pivot.run.record.write_atomic", full)
    record.close([], 0)
    assert not os.path.exists(os.path.join(record.folder, "record.json"))
    assert os.path.exists(os.path.join(record.folder, "locks", f"{STAGE}.lock"))


def test_log_has_a_folder_to_be_written_in(tmp_path):
    log = RunRecord.fresh(str(tmp_path / "runs")).log(STAGE)
    with open(log, "w") as f:
        f.write("said")
    assert log.endswith("/logs/group/make.log")


def test_record_is_this_clones_own_and_a_copy_is_not(tmp_path):
    record = RunRecord.fresh(str(tmp_path / "runs"))
    record.keep_lock(STAGE, b"lock")
    assert is_own(record.folder)
    shutil.copytree(record.folder, tmp_path / "copied")
    assert not is_own(str(tmp_path / "copied"))


def test_runs_are_named_in_the_order_of_time(tmp_path):
    names = [RunRecord.fresh(str(tmp_path)).run_id for _ in range(50)]
    assert names == sorted(names)
    assert len(set(names)) > 1
