"""`--json`: the published schemas, and nothing else on stdout."""

import json
import re

import pytest

from tests.e2e.schemas import conforms


def events(result):
    lines = result.lines
    for line in lines:
        conforms(line, "run-event")
    return lines


def test_checker_finds_what_does_not_conform():
    with pytest.raises(AssertionError, match="is unknown"):
        conforms({"type": "error", "code": "a", "message": "b", "hint": None, "x": 1}, "error")
    with pytest.raises(AssertionError, match="hint is missing"):
        conforms({"type": "error", "code": "a", "message": "b"}, "error")
    with pytest.raises(AssertionError, match="none of the options"):
        conforms({"type": "stage_started", "stage": 1}, "run-event")


def test_events_of_a_run_come_in_order_and_one_end_for_each_stage(story):
    story.replace("lib/low.py", "2", "5")
    done = story.pivot("repro", "--json", "--jobs", "1")
    lines = events(done)
    assert done.err == ""
    kinds = [(line["type"], line.get("stage"), line.get("status")) for line in lines]
    assert kinds == [
        ("run_started", None, None),
        ("stage_finished", "alone", "unchanged"),
        ("stage_started", "double", None),
        ("stage_finished", "double", "ran"),
        ("stage_started", "total", None),
        ("stage_finished", "total", "ran"),
        ("run_finished", None, None),
    ]
    assert lines[0]["stages"] == ["alone", "double", "total"]
    assert lines[0]["run_id"] == lines[-1]["run_id"] == "RUN"
    assert (lines[-1]["counts"], lines[-1]["exit_code"]) == ({"ran": 2, "unchanged": 1}, 0)
    assert [(r["kind"], r["what"], r["file"], r["line"]) for r in lines[3]["reasons"]] == [
        ("code", "lib.low:factor", "lib/low.py", 1)
    ]


def test_events_of_a_run_with_nothing_to_do(story):
    lines = events(story.pivot("repro", "--json"))
    assert [line["type"] for line in lines] == [
        "run_started", "stage_finished", "stage_finished", "stage_finished", "run_finished"
    ]  # fmt: skip
    assert lines[-1]["counts"] == {"unchanged": 3}


def test_events_of_restored_stages(story):
    (story.path / "alone.txt").unlink()
    ends = {e["stage"]: e for e in events(story.pivot("repro", "--json")) if "reasons" in e}
    assert ends["alone"]["status"] == "restored"
    (reason,) = ends["alone"]["reasons"]
    assert (reason["kind"], reason["what"], reason["new"]) == ("out", "alone.txt", None)


def test_failure_is_an_error_line_before_the_end_of_its_stage(stages):
    project = stages("""
        @stage(outs=["a"])
        def bad():
            raise ValueError("no such column")

        @stage(deps=["a"], outs=["b"])
        def below(): ...

        @stage(outs=["z"])
        def other(): ...
    """)
    done = project.pivot("repro", "--json", "--jobs", "1", code=1)
    lines = events(done)
    assert [(line["type"], line.get("stage"), line.get("status")) for line in lines] == [
        ("run_started", None, None),
        ("stage_started", "bad", None),
        ("error", None, None),
        ("stage_finished", "bad", "failed"),
        ("stage_finished", "below", "blocked"),
        ("stage_finished", "other", "not_started"),
        ("run_finished", None, None),
    ]
    error = lines[2]
    assert error["code"] == "stage_failed"
    assert error["message"] == "stage bad: ValueError: no such column"
    assert lines[-1]["counts"] == {"failed": 1, "blocked": 1, "not_started": 1}
    assert lines[-1]["exit_code"] == 1


def test_status_and_dry_run_print_the_same_object(story):
    story.replace("lib/low.py", "2", "5")
    (status,) = story.pivot("status", "--json").lines
    (dry,) = story.pivot("repro", "--dry-run", "--json").lines
    conforms(status, "status")
    assert status == dry
    assert [(s["stage"], s["state"]) for s in status["stages"]] == [
        ("alone", "unchanged"), ("double", "stale"), ("total", "pending")
    ]  # fmt: skip
    (reason,) = status["stages"][1]["reasons"]
    assert re.fullmatch("[0-9a-f]{16,64}", reason["old"])
    assert (status["tracked"], status["remote"]) == ([], None)


def test_list_prints_the_declarations(story):
    (value,) = story.pivot("list", "--json").lines
    conforms(value, "list")
    assert value["stages"][2] == {
        "stage": "total",
        "deps": ["out/doubled.txt"],
        "outs": [{"path": "total.json", "kind": "metric"}],
        "params": {"offset": 1},
        "mutex": [],
        "tags": [],
        "extra_code": [],
        "version": None,
        "file": "pipeline.py",
        "line": 19,
    }


def test_metrics_print_values_and_changes(story):
    (shown,) = story.pivot("metrics", "show", "--json").lines
    conforms(shown, "metrics-show")
    assert shown == {"total.json": {"total": 7}}
    story.pivot("commit")
    story.replace("lib/low.py", "2", "5")
    story.pivot("repro")
    (changes,) = story.pivot("metrics", "diff", "--json").lines
    conforms(changes, "metrics-diff")
    assert changes == [{"path": "total.json", "key": "total", "old": 7, "new": 16}]
    assert story.pivot("metrics", "diff").out == (
        "path        metric  old  new  change\ntotal.json  total   7    16   +9\n"
    )
    assert story.pivot("metrics", "diff", "HEAD", "--json", "--all").lines == [changes]


def test_config_prints_values_with_their_source(story):
    story.pivot("config", "set", "run.jobs", "2", "--local")
    (value,) = story.pivot("config", "get", "run.jobs", "--json").lines
    conforms(value, "config-get")
    assert value == {"key": "run.jobs", "value": 2, "source": "local"}
    (values,) = story.pivot("config", "list", "--json").lines
    conforms(values, "config-list")
    assert values["run.jobs"] == {"value": 2, "source": "local"}


def test_commit_prints_what_it_committed(story):
    (value,) = story.pivot("commit", "--json").lines
    conforms(value, "commit")
    assert value["commit"] == story.git("rev-parse", "HEAD").strip()
    assert ".pivot/stages/total.lock" in value["paths"]
    (value,) = story.pivot("commit", "--json").lines
    assert (value["commit"], value["paths"]) == (None, [])


@pytest.mark.parametrize(
    ("command", "code", "kind"),
    [
        (["status", "nope"], 2, "usage"),
        (["repro", "nope"], 2, "usage"),
        (["repro", "--jobs", "0"], 2, "usage"),
        (["statsu"], 2, "usage"),
        (["config", "get", "run.job"], 2, "usage"),
        (["metrics", "diff", "nope"], 2, None),
    ],
)
def test_errors_are_one_object_too(story, command, code, kind):
    done = story.pivot(*command, "--json", code=code)
    (value,) = done.lines
    conforms(value, "error")
    assert done.err == ""
    assert kind in (value["code"], None)
    assert value["hint"]


def test_error_outside_of_a_project_is_an_object(empty, tmp_path):
    for command in ("status", "list", "repro"):
        done = empty.pivot(command, "--json", cwd="..", code=10)
        conforms(done.lines[0], "error")
        assert (done.lines[0]["code"], done.err) == ("no_project", "")


def test_warnings_do_not_reach_stdout(story):
    story.lock("alone").write_text("{")
    done = story.pivot("status", "--json")
    conforms(done.lines[0], "status")
    assert done.err.startswith("warning: .pivot/stages/alone.lock can't be read")


def test_tracking_is_told_as_its_schemas_say(empty):
    empty.write("data/a", "1")
    conforms(json.loads(empty.pivot("track", "data", "--json").out), "track")
    conforms(json.loads(empty.pivot("track", "data/a", "--json").out), "track")
    conforms(json.loads(empty.pivot("status", "--json").out), "status")
    conforms(json.loads(empty.pivot("untrack", "data", "-n", "--json").out), "untrack")
