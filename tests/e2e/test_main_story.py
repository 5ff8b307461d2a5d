"""The story that every user plays first: run, change, and see only what depends on it run."""

from pathlib import Path

import pytest


@pytest.fixture
def fresh(story):
    """The story's project before its first run."""
    story.git("clean", "-xdfq", ".pivot", "out", "alone.txt", "total.json")
    story.git("checkout", "-q", "--", ".")
    return story


def test_first_run_runs_everything_and_says_so(fresh):
    done = fresh.pivot("repro", "--jobs", "1")
    assert done.out == (
        "alone   ran          TIME\n"
        "double  ran          TIME\n"
        "total   ran          TIME\n"
        "3 ran (TIME).\n"
    )
    assert done.err == "alone   running\ndouble  running\ntotal   running\n"
    assert fresh.read("out/doubled.txt") == "6\n"
    assert fresh.read("total.json") == '{"total": 7}'
    assert sorted(p.name for p in (fresh.path / ".pivot/stages").iterdir()) == [
        "alone.lock",
        "double.lock",
        "total.lock",
    ]


def test_outs_are_ignored_by_git_and_metrics_are_not(fresh):
    fresh.pivot("repro")
    assert fresh.git("status", "--short").split() == [
        "M", ".gitattributes", "M", ".gitignore", "??", ".pivot/stages/", "??", "total.json"
    ]  # fmt: skip


def test_second_run_does_nothing_and_changes_no_file(story):
    story.pivot("repro")
    before = story.snapshot()
    done = story.pivot("repro")
    assert done.err == ""
    assert done.out == (
        "alone   unchanged\n"
        "double  unchanged\n"
        "total   unchanged\n"
        "Nothing to do: 3 stages unchanged (TIME).\n"
    )
    assert story.snapshot() == before


def test_edited_helper_two_modules_away_runs_only_its_dependents(story):
    story.replace("lib/low.py", "2", "5")
    done = story.pivot("repro")
    assert done.out == (
        "alone   unchanged\n"
        "double  ran          TIME\n"
        "total   ran          TIME\n"
        "2 ran, 1 unchanged (TIME).\n"
    )
    assert story.read("total.json") == '{"total": 16}'


def test_explanation_names_the_edited_helper_with_its_place(story):
    old = story.lock("double").read_text().split('"lib.low:factor": "')[1][:8]
    story.replace("lib/low.py", "2", "5")
    done = story.pivot("status", "--explain", "double")
    new = done.out.split("New: ")[1][:8]
    assert new != old
    assert done.out == (
        "Stage: double\n"
        "  Status: WILL RUN\n"
        "  Reason: Code dependency changed\n"
        "\n"
        "  Changes:\n"
        "    func:factor\n"
        f"      Old: {old}\n"
        f"      New: {new}\n"
        "      File: lib/low.py:1\n"
        "      Via: double -> lib.middle.scaled -> lib.low.factor\n"
    )


def test_status_shows_each_stage_and_a_summary(story):
    assert story.pivot("status").out == (
        "alone   unchanged\ndouble  unchanged\ntotal   unchanged\n3 stages: 3 unchanged\n"
    )
    story.replace("lib/low.py", "2", "5")
    assert story.pivot("status").out == (
        "alone   unchanged\n"
        "double  stale      code dependency changed\n"
        "total   pending    upstream stage will change\n"
        "3 stages: 1 will run, 1 waiting, 1 unchanged\n"
    )
    story.pivot("status", "alone", "--exit-code")
    story.pivot("status", "--exit-code", code=4)
    assert story.pivot("status", "alone").out == "alone  unchanged\n1 stage: 1 unchanged\n"


@pytest.mark.parametrize(
    "edit",
    [
        ("lib/low.py", "return 2", "# doubled\n    return 2"),
        ("lib/middle.py", "def scaled(number):", 'def scaled(number):\n    """Scaled."""'),
        ("pipeline.py", "\n\n\n@stage", "\n\n\n\n# a remark\n@stage"),
    ],
    ids=["comment", "docstring", "layout"],
)
def test_edit_without_a_meaning_runs_nothing(story, edit):
    story.replace(*edit)
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}


def test_reverted_edit_restores_instead_of_running(story):
    story.replace("lib/low.py", "2", "5")
    story.pivot("repro")
    story.replace("lib/low.py", "5", "2")
    assert story.pivot("status").out == (
        "alone   unchanged\n"
        "double  restorable  code dependency changed\n"
        "total   restorable  input dependency changed\n"
        "3 stages: 2 will be restored, 1 unchanged\n"
    )
    done = story.pivot("repro")
    assert done.statuses == {"alone": "unchanged", "double": "restored", "total": "restored"}
    assert done.err == ""
    assert (story.read("out/doubled.txt"), story.read("total.json")) == ("6\n", '{"total": 7}')
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}


def test_restored_lock_is_the_one_that_was(story):
    before = story.lock("double").read_bytes()
    story.replace("lib/low.py", "2", "5")
    story.pivot("repro")
    assert story.lock("double").read_bytes() != before
    story.replace("lib/low.py", "5", "2")
    story.pivot("repro")
    assert story.lock("double").read_bytes() == before


def test_override_of_a_parameter_runs_its_stage_alone(story):
    story.write("params.yaml", "total:\n  offset: 10\n")
    explained = story.pivot("status", "--explain", "total").out
    assert "    param:offset\n      Old: 1\n      New: 10\n" in explained
    done = story.pivot("repro")
    assert done.statuses == {"alone": "unchanged", "double": "unchanged", "total": "ran"}
    assert story.read("total.json") == '{"total": 16}'
    (story.path / "params.yaml").unlink()
    assert story.pivot("repro").statuses["total"] == "restored"


def test_changed_dep_runs_its_stage(story):
    story.write("a.txt", "4\n")
    assert story.pivot("repro").statuses == {
        "alone": "unchanged", "double": "ran", "total": "ran"
    }  # fmt: skip
    assert story.read("total.json") == '{"total": 9}'


def test_touched_dep_runs_nothing(story):
    (story.path / "a.txt").touch()
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}


def test_upstream_that_writes_the_same_bytes_stops_the_wave(story):
    story.replace("lib/low.py", "return 2", "return 1 + 1")
    assert story.pivot("status", "total").statuses == {"total": "pending"}
    assert story.pivot("repro").statuses == {
        "alone": "unchanged", "double": "ran", "total": "unchanged"
    }  # fmt: skip


def test_renamed_stage_keeps_its_results(story):
    story.replace("pipeline.py", 'outs=["alone.txt"]', 'outs=["alone.txt"], name="lonely"')
    done = story.pivot("repro")
    assert done.statuses == {"double": "unchanged", "lonely": "restored", "total": "unchanged"}
    assert not story.lock("alone").exists()
    assert '"stage": "lonely"' in story.lock("lonely").read_text()
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}


def test_missing_out_is_restored(story):
    (story.path / "out/doubled.txt").unlink()
    assert story.pivot("repro").statuses["double"] == "restored"
    assert story.read("out/doubled.txt") == "6\n"


def test_lost_cache_is_filled_from_the_workspace(story):
    story.pivot("repro")
    packs = story.path / ".pivot/cache"
    packs.rename(story.path.parent / "lost")
    done = story.pivot("repro")
    assert set(done.statuses.values()) == {"unchanged"}
    (story.path / "out/doubled.txt").unlink()
    assert story.pivot("repro").statuses["double"] == "restored"


def test_lost_accelerator_costs_nothing_but_time(story):
    story.replace("lib/low.py", "2", "5")
    story.pivot("repro")
    for file in (story.path / ".pivot").glob("state.db*"):
        file.unlink()
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}
    for file in (story.path / ".pivot").glob("state.db*"):
        file.unlink()
    story.replace("lib/low.py", "5", "2")
    assert story.pivot("repro").statuses["double"] == "restored"


def test_named_stage_is_brought_up_to_date_with_its_upstream_only(story):
    story.replace("lib/low.py", "2", "5")
    story.replace("pipeline.py", '"alone\\n"', '"lonely\\n"')
    assert story.pivot("repro", "total").statuses == {"double": "ran", "total": "ran"}
    assert story.read("alone.txt") == "alone\n"


def test_forced_stage_runs_and_the_rest_is_left(story):
    done = story.pivot("repro", "--force", "double")
    assert done.statuses == {"double": "ran"}
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}
    assert set(story.pivot("repro", "--force").statuses.values()) == {"ran"}


def test_log_of_a_stage_keeps_its_output(stages):
    project = stages("""
        @stage(outs=["a"])
        def talk():
            print("from python")
            os.write(1, b"from the descriptor\\n")
            os.system("echo from a child >&2")
            open("a", "w").close()
    """)
    done = project.pivot("repro")
    assert "from" not in done.out + done.err
    (log,) = Path(project.path, ".pivot/runs").glob("*/logs/talk.log")
    assert sorted(log.read_text().splitlines()) == [
        "from a child", "from python", "from the descriptor"
    ]  # fmt: skip
