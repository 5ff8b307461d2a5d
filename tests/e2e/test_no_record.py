"""`pivot repro --no-record`: results in the workspace alone, until `pivot record` takes them."""

import json

import pytest

PIPELINE = """
    import importlib

    @stage(deps=["in.txt"], outs=["a.txt"])
    def first():
        with open("in.txt") as f, open("a.txt", "w") as out:
            out.write(f.read() + "1")

    @stage(deps=["a.txt"], outs=["b.txt"])
    def second():
        work = importlib.import_module("".join(["help", "er"])).work
        with open("a.txt") as f, open("b.txt", "w") as out:
            out.write(work(f.read()))
"""


@pytest.fixture
def project(stages):
    project = stages(PIPELINE)
    project.write("in.txt", "x")
    project.write("helper.py", "def work(text): return text + '2'\n")
    return project


def locks(project):
    return {
        s: project.lock(s).read_bytes() for s in ("first", "second") if project.lock(s).exists()
    }


def stored(project):
    return sorted(path.name for path in (project.path / ".pivot/cache").rglob("*.pack"))


def states(project):
    value = json.loads(project.pivot("status", "--json").out)
    return {stage["stage"]: stage["state"] for stage in value["stages"]}


def edit(project, old, new):
    project.replace("pipeline.py", f'f.read() + "{old}"', f'f.read() + "{new}"')


def test_results_stay_in_the_workspace_alone(project):
    project.pivot("repro")
    before = locks(project), stored(project)
    edit(project, 1, 3)
    result = project.pivot("repro", "--no-record")
    assert result.statuses == {"first": "ran", "second": "ran"}
    assert "hint: What ran isn't recorded: `pivot record` takes it as it is" in result.err
    assert project.read("b.txt") == "x32"
    assert (locks(project), stored(project)) == before
    assert set(states(project).values()) != {"unchanged"}


def test_they_may_be_replaced_by_the_next_run(project):
    project.pivot("repro", "--no-record")
    edit(project, 1, 3)
    assert project.pivot("repro", "--no-record").statuses == {"first": "ran", "second": "ran"}
    edit(project, 3, 4)
    assert project.pivot("repro").statuses == {"first": "ran", "second": "ran"}
    assert project.read("b.txt") == "x42"
    assert states(project) == {"first": "unchanged", "second": "unchanged"}


def test_edits_of_them_may_not(project):
    project.pivot("repro", "--no-record")
    project.write("a.txt", "by hand")
    result = project.pivot("repro", code=1)
    assert "a.txt would be overwritten" in result.err
    assert project.read("a.txt") == "by hand"


def test_recording_them_gives_the_locks_that_a_run_would_have_written(project):
    project.pivot("repro")
    expected = locks(project)
    edit(project, 1, 3)
    project.pivot("repro")
    edit(project, 3, 1)
    project.pivot("repro")
    assert locks(project) == expected
    edit(project, 1, 5)
    project.pivot("repro", "--no-record")
    project.pivot("record")
    taken = locks(project)
    assert states(project) == {"first": "unchanged", "second": "unchanged"}
    assert "recorded" not in json.loads(taken["second"])
    assert set(json.loads(taken["second"])["observed"]["code"]) == {"helper:<module>"}
    project.pivot("repro", "--force")
    assert locks(project) == taken


def test_recording_other_results_says_that_no_run_made_them(project):
    project.pivot("repro", "--no-record")
    project.write("b.txt", "by hand")
    project.pivot("record")
    assert "recorded" not in json.loads(locks(project)["first"])
    assert json.loads(locks(project)["second"])["recorded"] is True


def test_once_recorded_they_are_held_like_others(project):
    project.pivot("repro", "--no-record")
    project.pivot("repro")
    project.write("a.txt", "x1 by hand")
    assert "would be overwritten" in project.pivot("repro", code=1).err


def test_what_is_known_is_restored_and_locks_stay(project):
    project.pivot("repro")
    edit(project, 1, 3)
    project.pivot("repro")
    before = locks(project)
    edit(project, 3, 1)
    result = project.pivot("repro", "--no-record")
    assert result.statuses == {"first": "restored", "second": "restored"}
    assert "hint" not in result.err
    assert project.read("b.txt") == "x12"
    assert locks(project) == before


def test_there_is_nothing_to_commit(project):
    assert "nothing to commit" in project.pivot("repro", "--no-record", "--commit", code=2).err


def test_locks_of_stages_that_are_gone_stay(project):
    project.pivot("repro")
    project.replace("pipeline.py", "def second():", "def other():")
    project.pivot("repro", "--no-record")
    assert set(locks(project)) == {"first", "second"}
