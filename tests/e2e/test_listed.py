"""Folders of which a stage takes the names: it runs again when other names are there."""

import json

import pytest

from tests.e2e.schemas import conforms

LISTER = """
    import glob
    from pathlib import Path

    @stage(deps={deps}, outs=["out.txt"])
    def apply():
        names = {names}
        with open("out.txt", "w") as out:
            out.write(" ".join(sorted(map(str, names))))
"""


def observed(project):
    return json.loads(project.lock("apply").read_text())["observed"]


def reasons(project):
    value = json.loads(project.pivot("status", "--json").out)
    conforms(value, "status")
    return [(r["kind"], r["what"]) for s in value["stages"] for r in s["reasons"]]


@pytest.fixture
def lister(stages):
    """Makes a stage that lists a folder with two files."""

    def make(names='os.listdir("data")', deps="[]"):
        project = stages(LISTER.format(names=names, deps=deps))
        for name in ("a.csv", "b.csv"):
            project.write(f"data/{name}", name)
        return project

    return make


@pytest.mark.parametrize(
    "names",
    [
        'os.listdir("data")',
        "[entry.name for entry in os.scandir('data')]",
        'glob.glob("data/*.csv")',
        'Path("data").iterdir()',
        'Path("data").glob("*.csv")',
        'Path(__file__).parent.rglob("data/*")',
        '[name for _, _, names in os.walk("data") for name in names]',
    ],
)
def test_names_that_a_stage_lists_count_and_the_folder_is_named(lister, names):
    project = lister(names)
    result = project.pivot("repro")
    assert result.statuses == {"apply": "ran"}
    assert "data/" in observed(project)["files"]
    assert "warning: apply listed " in result.err
    second = project.pivot("repro")
    assert (second.statuses, second.err) == ({"apply": "unchanged"}, "")
    project.write("data/c.csv", "c")
    assert ("observed", "file:data/") in reasons(project)
    assert project.pivot("repro").statuses == {"apply": "ran"}
    (project.path / "data/c.csv").unlink()
    assert project.pivot("repro").statuses == {"apply": "restored"}


def test_what_the_files_hold_does_not_count(lister):
    project = lister()
    project.pivot("repro")
    project.write("data/a.csv", "other")
    assert project.pivot("repro").statuses == {"apply": "unchanged"}


def test_the_warning_says_what_helps(lister):
    project = lister()
    told = project.pivot("repro").err
    assert "warning: apply listed data/, which is not among its deps" in told
    assert 'or all of it: `deps=["data"]`' in told
    project.replace("pipeline.py", "deps=[]", 'deps=["data"]')
    assert "warning" not in project.pivot("repro").err
    assert observed(project)["files"] == {}


def test_a_listed_folder_is_an_event(lister):
    events = lister().pivot("repro", "--json").lines
    (found,) = [event for event in events if event["type"] == "undeclared"]
    conforms(found, "run-event")
    assert (found["reads"], found["listed"]) == ([], ["data"])


def test_strict_makes_a_listed_folder_a_failure(lister):
    project = lister()
    project.pivot("config", "set", "run.strict", "true")
    result = project.pivot("repro", code=1)
    assert "apply: it listed data/, which is not among its deps" in result.err
    assert not project.lock("apply").exists()


def test_a_folder_that_was_looked_for_in_vain_counts(lister):
    project = lister('glob.glob("more/*.csv")')
    result = project.pivot("repro")
    assert "warning" not in result.err
    assert observed(project)["files"] == {"more/": None}
    project.write("more/x.csv", "x")
    assert project.pivot("repro").statuses == {"apply": "ran"}


TWO = """
    @stage(outs=["data/made.csv", "data/inner/deep.csv"])
    def other():
        os.makedirs("data/inner", exist_ok=True)
        for name in ("made.csv", "inner/deep.csv"):
            with open(f"data/{name}", "w") as out:
                out.write(name)

    @stage(outs=["data/own.csv", "out.txt"])
    def apply():
        with open("out.txt", "w") as out, open("data/own.csv", "w"):
            out.write(str(len(os.listdir("data"))))
"""


def test_results_of_stages_may_come_and_go(stages):
    project = stages(TWO)
    project.write("data/a.csv", "a")
    assert project.pivot("repro").statuses == {"other": "ran", "apply": "ran"}
    assert set(observed(project)["files"]) == {"data/"}
    for path in ("data/made.csv", "data/inner/deep.csv", "data/own.csv"):
        (project.path / path).unlink()
    (project.path / "data/inner").rmdir()
    assert {kind for kind, _ in reasons(project)} == {"out"}
    assert project.pivot("repro").statuses == {"other": "restored", "apply": "restored"}
    project.write("data/b.csv", "b")
    assert reasons(project) == [("observed", "file:data/")]


def test_a_folder_of_results_alone_is_no_reason_to_warn(stages):
    project = stages(TWO)
    assert "warning" not in project.pivot("repro").err
    (project.path / "data/own.csv").unlink()
    project.pivot("repro")
    assert reasons(project) == []


def test_what_python_git_and_pivot_put_there_does_not_count(lister):
    project = lister("os.listdir()")
    project.pivot("repro")
    assert set(observed(project)["files"]) == {"./"}
    for name in ("__pycache__/x.pyc", ".hidden", "raw.csv"):
        project.write(name, "x")
    assert reasons(project) == [("observed", "file:./")]
    project.pivot("repro")
    project.pivot("track", "raw.csv")
    assert reasons(project) == []
    (project.path / "raw.csv").unlink()
    assert reasons(project) == []
    told = project.pivot("repro", "--force").err
    assert "apply listed ./, which is not among its deps" in told
    assert "deps=[" not in told


def test_names_inside_tracked_data_are_known_without_it(lister):
    project = lister('os.listdir("data/raw")')
    project.write("data/raw/x/one.csv", "1")
    project.write("data/raw/two.csv", "2")
    project.pivot("track", "data/raw")
    project.pivot("repro")
    assert set(observed(project)["files"]) == {"data/raw/"}
    for path in ("data/raw/x/one.csv", "data/raw/two.csv"):
        (project.path / path).unlink()
    (project.path / "data/raw/x").rmdir()
    (project.path / "data/raw").rmdir()
    assert reasons(project) == []
    project.write("data/raw/three.csv", "3")
    assert ("observed", "file:data/raw/") in reasons(project)


SCRATCH = """
    import shutil, uuid

    def anew():
        open("data/" + str(uuid.uuid4()), "w").close()

    @stage(outs=["out.txt"])
    def apply():
        {scratch}
        with open("out.txt", "w") as out:
            out.write("x")
"""


@pytest.mark.parametrize(
    "scratch",
    [
        "os.mkdir('tmp'); open('tmp/a', 'w').close(); os.listdir('tmp'); shutil.rmtree('tmp')",
        "os.makedirs('tmp/b'); open('tmp/b/a', 'w').close(); list(os.walk('tmp'))",
        "open('data/left.txt', 'w').close(); os.listdir('data')",
        "open('data/gone.txt', 'w').close(); os.listdir('data'); os.remove('data/gone.txt')",
        "[os.unlink(f'data/{n}') for n in os.listdir('data') if n != 'a.csv']; anew()",
    ],
)
def test_a_stage_is_not_stale_for_what_it_does_to_a_folder_itself(stages, scratch):
    project = stages(SCRATCH.format(scratch=scratch))
    project.write("data/a.csv", "a")
    for times in range(2):
        project.pivot("repro", *["--force"] * times)
        assert reasons(project) == []
        if "makedirs" in scratch:
            break


def test_what_someone_else_adds_meanwhile_runs_the_stage_again(stages):
    project = stages("""
        @stage(outs=["out.txt"])
        def apply():
            names = os.listdir("data")
            mark("listed")
            wait_for("added")
            with open("out.txt", "w") as out:
                out.write(" ".join(names))
    """)
    project.write("data/a.csv", "a")
    process = project.start("repro")
    project.await_mark("listed")
    project.write("data/b.csv", "b")
    project.mark("added")
    project.finish(process)
    assert reasons(project) == [("observed", "file:data/")]


def test_looking_for_plugins_is_no_reason_to_warn(stages):
    project = stages("""
        import importlib, pkgutil
        import plugins

        @stage(outs=["out.txt"])
        def apply():
            names = [found.name for found in pkgutil.iter_modules(plugins.__path__)]
            with open("out.txt", "w") as out:
                out.write(" ".join(names))
    """)
    project.write("plugins/__init__.py", "")
    project.write("plugins/one.py", "")
    assert "warning" not in project.pivot("repro").err
    project.write("plugins/two.py", "")
    assert project.pivot("repro").statuses == {"apply": "ran"}
    assert project.read("out.txt") == "one two"


def test_what_is_listed_to_import_or_to_find_distributions_does_not_count(stages):
    project = stages("""
        from importlib import metadata

        @stage(outs=["out.txt"])
        def apply():
            import helper
            with open("out.txt", "w") as out:
                out.write(str(len(list(metadata.distributions()))))
    """)
    project.write("helper.py", "")
    project.pivot("repro")
    assert observed(project)["files"] == {}


def test_verify_compares_the_names_in_folders(lister):
    project = lister()
    project.pivot("repro")
    assert "good" in project.pivot("verify").out
    assert "good" in project.pivot("verify", "apply").out
    project.write("data/c.csv", "c")
    result = project.pivot("verify", "--json", code=4)
    conforms(json.loads(result.out), "verify")
    (stage,) = json.loads(result.out)["stages"]
    assert [(f["kind"], f["what"]) for f in stage["findings"]] == [("observed", "file:data/")]


def test_recording_takes_the_names_that_are_there(lister):
    project = lister()
    project.pivot("repro")
    project.write("data/c.csv", "c")
    project.pivot("record", "apply")
    assert reasons(project) == []


def test_a_listed_folder_is_shown_with_the_fingerprint(lister):
    project = lister()
    project.pivot("repro")
    value = json.loads(project.pivot("fingerprint", "apply", "--json").out)
    conforms(value, "fingerprint")
    assert set(value["observed"]["files"]) == {"data/"}
    assert "file:data/" in project.pivot("fingerprint", "apply").out


def test_a_diff_tells_the_names_that_came_and_went(lister):
    project = lister()
    project.pivot("repro")
    project.write("data/c.csv", "c")
    assert "the lock isn't committed" in project.pivot("status", "--explain", "--diff").out
    (project.path / "data/c.csv").unlink()
    project.commit_all()
    project.write("data/c.csv", "c")
    (project.path / "data/a.csv").unlink()
    assert "observed:file:data/" in project.pivot("status", "--explain").out
    told = project.pivot("status", "--explain", "--diff").out
    assert "Files: 1 added, 1 removed" in told
    assert "A c.csv" in told
    assert "D a.csv" in told
    value = json.loads(project.pivot("status", "--explain", "--diff", "--json").out)
    conforms(value, "status")
    (reason,) = value["stages"][0]["reasons"]
    assert reason["files"] == {"added": ["c.csv"], "changed": [], "removed": ["a.csv"]}


def test_names_of_no_commit_are_not_taken_for_those_of_the_lock(lister):
    project = lister()
    project.write("data/unknown-to-git.csv", "x")
    project.write(".gitignore", "unknown-to-git.csv\n")
    project.pivot("repro")
    project.commit_all()
    project.write("data/c.csv", "c")
    told = project.pivot("status", "--explain", "--diff").out
    assert "has the lock, but not these names" in told
    assert "added" not in told
