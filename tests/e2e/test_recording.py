"""`pivot record`: what is in the workspace is taken as true, and nothing runs."""

import json
import shutil

import pytest

from pivot.lock.lock import decode
from tests.e2e.schemas import conforms

CHAIN = """
@stage(deps=["a.txt"], outs=["b.txt"])
def first():
    mark("first")
    open("b.txt", "w").write(open("a.txt").read())

@stage(deps=["b.txt"], outs=["c.txt"])
def second():
    mark("second")
    open("c.txt", "w").write(open("b.txt").read())
"""


@pytest.fixture
def chain(stages):
    """Two stages that ran."""
    project = stages(CHAIN)
    project.write("a.txt", "a")
    project.pivot("repro")
    assert project.ran() == ["first", "second"]
    return project


def lock(project, stage):
    return decode(project.lock(stage).read_bytes(), stage)


def test_results_made_elsewhere_are_taken_and_nothing_runs(stages):
    project = stages(CHAIN)
    for name in ("a.txt", "b.txt", "c.txt"):
        project.write(name, name)
    done = project.pivot("record")
    assert done.out == (
        "first   recorded  never run\n"
        "second  recorded  never run\n"
        "Recorded 2 stages without running them.\n"
    )
    assert project.pivot("repro").statuses == {"first": "unchanged", "second": "unchanged"}
    assert project.ran() == []
    found = lock(project, "second")
    assert found.recorded
    assert found.deps["b.txt"] == lock(project, "first").outs["b.txt"]


def test_what_was_recorded_is_stored_and_restored_like_any_result(chain):
    chain.write("b.txt", "edited by hand")
    chain.pivot("record", "first")
    (chain.path / "b.txt").unlink()
    chain.pivot("checkout", "b.txt")
    assert chain.read("b.txt") == "edited by hand"
    chain.replace("pipeline.py", 'mark("first")', 'mark("first") or 1')
    chain.pivot("repro", "first")
    chain.replace("pipeline.py", 'mark("first") or 1', 'mark("first")')
    assert chain.pivot("repro", "first").statuses == {"first": "restored"}
    assert chain.read("b.txt") == "edited by hand"
    assert lock(chain, "first").recorded


def test_a_run_afterwards_says_no_more_that_it_was_recorded(chain):
    chain.replace("pipeline.py", 'mark("second")', 'mark("second") or 1')
    chain.pivot("record")
    assert lock(chain, "second").recorded
    assert not lock(chain, "first").recorded
    chain.pivot("repro", "--force", "second")
    assert not lock(chain, "second").recorded


def test_a_change_that_means_nothing_is_taken_without_running(chain):
    chain.replace("pipeline.py", 'mark("first")', 'mark("first") or 1')
    assert "first   stale" in chain.pivot("status", "--exit-code", code=4).out
    done = chain.pivot("record")
    assert done.out == (
        "first  recorded  code dependency changed\n"
        "Recorded 1 stage without running it; 1 unchanged.\n"
    )
    assert chain.pivot("record").out == "Nothing to record: 2 stages unchanged.\n"
    chain.pivot("status", "--exit-code")
    assert chain.ran() == []


def test_dry_run_writes_nothing_and_says_the_same(chain):
    chain.write("c.txt", "edited")
    before = chain.snapshot()
    done = chain.pivot("record", "--dry-run")
    assert done.out == (
        "second  would be recorded  output missing or changed\n"
        "Would record 1 stage without running it; 1 unchanged.\n"
    )
    told = json.loads(chain.pivot("record", "--json", "-n").out)
    conforms(told, "record")
    assert chain.snapshot() == before
    assert json.loads(chain.pivot("record", "--json").out) == told
    assert [(row["stage"], row["state"]) for row in told["stages"]] == [
        ("first", "unchanged"),
        ("second", "recorded"),
    ]
    assert told["stages"][1]["reasons"][0]["kind"] == "out"


def test_upstream_that_is_stale_is_named(chain):
    chain.replace("pipeline.py", 'mark("first")', 'mark("first") or 1')
    chain.write("b.txt", "other")
    done = chain.pivot("record", "second")
    assert done.statuses == {"second": "recorded"}
    assert "upstream of what was recorded isn't up to date: first" in done.err
    assert "`pivot record first`" in done.err
    assert json.loads(chain.pivot("record", "second", "--json").out)["stale"] == []
    assert lock(chain, "second").deps["b.txt"].size == len("other")


@pytest.mark.parametrize(
    ("gone", "what", "hint"),
    [
        ("a.txt", "dep a.txt", "Put it there, or correct the stage's `deps=`"),
        ("b.txt", "out b.txt", "Make it with `pivot repro first`"),
        ("c.txt", "out c.txt", "Make it with `pivot repro second`"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_recorded(chain, gone, what, hint):
    chain.replace("pipeline.py", 'mark("first")', 'mark("first") or 1')
    (chain.path / gone).unlink()
    if gone != "b.txt":
        chain.write("b.txt", "other")
    before = chain.snapshot()
    done = chain.pivot("record", code=14)
    assert f"{what} of stage" in done.err
    assert f"hint: {hint}" in done.err
    assert chain.snapshot() == before


def test_a_dep_that_another_stage_makes_is_made_by_running(chain):
    chain.replace("pipeline.py", 'mark("second")', 'mark("second") or 1')
    (chain.path / "b.txt").unlink()
    done = chain.pivot("record", "second", code=14)
    assert "hint: Put it there, or run `pivot repro second`" in done.err


def test_tracked_data_that_is_not_here_is_no_dep_to_record(chain):
    chain.pivot("track", "a.txt")
    (chain.path / "a.txt").unlink()
    chain.replace("pipeline.py", 'mark("first")', 'mark("first") or 1')
    assert "`pivot pull a.txt`" in chain.pivot("record", code=14).err


def test_an_out_in_git_is_refused(chain):
    chain.write("b.txt", "other")
    chain.git("add", "-f", "b.txt")
    chain.git("commit", "-qm", "x")
    assert "b.txt is tracked by Git" in chain.pivot("record", code=2).err


def test_outs_that_the_cache_lost_come_back(chain):
    shutil.rmtree(chain.path / ".pivot/cache")
    chain.pivot("record")
    (chain.path / "b.txt").unlink()
    chain.pivot("checkout")
    assert chain.read("b.txt") == "a"


def test_an_incremental_out_keeps_what_it_started_from(stages):
    project = stages("""
        @stage(outs=[IncrementalOut("log")])
        def grow():
            with open("log", "a") as f:
                f.write("x")
    """)
    project.pivot("repro")
    project.pivot("repro", "--force")
    started = lock(project, "grow").previous
    assert started["log"].size == 1
    project.write("log", "xxx")
    project.pivot("record")
    found = lock(project, "grow")
    assert (found.previous, found.outs["log"].size) == (started, 3)
    project.pivot("repro", "--force")
    assert project.read("log") == "xxxx"


def test_a_stage_that_runs_is_not_recorded_meanwhile(stages):
    project = stages("""
        @stage(outs=["o"])
        def slow():
            open("o", "w").write("half")
            mark("began")
            wait_for("go")
            open("o", "w").write("whole")
    """)
    process = project.start("repro")
    project.await_mark("began")
    assert "stage slow" in project.pivot("record", code=11).err
    project.mark("go")
    project.finish(process)
    assert not lock(project, "slow").recorded


def test_it_stands_in_the_record_of_the_run(chain):
    chain.write("c.txt", "edited")
    chain.pivot("record")
    latest = max((chain.path / ".pivot/runs").iterdir())
    told = json.loads((latest / "record.json").read_text())
    assert [(row["stage"], row["status"]) for row in told["stages"]] == [("second", "recorded")]


def test_what_earlier_runs_were_seen_to_use_stays_watched(stages):
    """Recording sees no run, so what the last one used is all that is known."""
    project = stages("""
        import importlib

        @stage(outs=["o"])
        def make():
            value = importlib.import_module("pl" + "ug").value()
            open("o", "w").write(str(value))
    """)
    project.write("plug.py", "def value():\n    return 1\n")
    project.pivot("repro")
    seen = lock(project, "make").observed.code
    assert seen
    project.replace("plug.py", "return 1", "return 2")
    project.pivot("record")
    now = lock(project, "make").observed.code
    assert now.keys() == seen.keys()
    assert now != seen
    assert project.pivot("repro").statuses == {"make": "unchanged"}
    project.replace("plug.py", "return 2", "return 3")
    assert project.pivot("repro").statuses == {"make": "ran"}
