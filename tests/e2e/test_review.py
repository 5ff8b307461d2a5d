"""What a sceptical reader tried first: trust, edits at the wrong moment, unusual orders."""

import json
import os
import py_compile
import subprocess

import pytest

from pivot.files import write_atomic
from pivot.lock.lock import decode
from pivot.paths import RepoPath


def forge(project, stage, out, content_of):
    """Write a lock of `stage` that claims the out of another stage as its own."""
    lock = decode(project.lock(stage).read_bytes(), stage)
    other = decode(project.lock(content_of).read_bytes(), content_of)
    lock.outs[RepoPath(out)] = next(iter(other.outs.values()))
    write_atomic(str(project.lock(stage)), lock.encode())


def test_lock_of_a_strangers_branch_is_not_believed_once_it_is_left(stages):
    project = stages(
        """
        @stage(outs=["evil.txt"])
        def evil():
            open("evil.txt", "w").write("evil")

        @stage(outs=["good.txt"])
        def good():
            mark("good")
            open("good.txt", "w").write("good")
        """
    )
    project.pivot("repro")
    project.commit_all()
    project.git("switch", "-qc", "theirs")
    project.replace("pipeline.py", '"good")\n', '"good" + "!")\n')
    project.pivot("repro")
    forge(project, "good", "good.txt", "evil")
    project.commit_all()
    project.git("switch", "-q", "main")
    for private in ("runs", "state.db"):  # a clone that never ran their branch
        subprocess.run(["rm", "-rf", str(project.path / ".pivot" / private)], check=True)
    project.pivot("repro")
    project.git("switch", "-q", "theirs")
    assert project.pivot("repro").statuses["good"] == "restored"
    assert project.read("good.txt") == "evil"
    project.git("checkout", "-q", "main", "--", ".pivot/stages")
    project.ran()
    assert project.pivot("repro").statuses["good"] == "ran"
    assert project.read("good.txt") == "good!"


def test_links_that_came_along_lose_nobody_a_file(empty, tmp_path):
    theirs = tmp_path / "precious.txt"
    theirs.write_text("precious")
    (empty.path / ".pivot/cache/tmp").mkdir(parents=True)
    (empty.path / ".pivot/cache/tmp/in-use").symlink_to(theirs)
    empty.pivot("checkout", code=1)
    assert theirs.read_text() == "precious"


def test_outs_aside_that_came_along_are_not_put_back(stages):
    project = stages("@stage(outs=['o'])\ndef o(): open('o', 'w').close()")
    project.write("mine.txt", "mine")
    for run in ("one", "two"):
        project.write(f".pivot/aside/{run}/stage/outs.json", '[["mine.txt", true]]')
        project.write(f".pivot/aside/{run}/stage/0", "theirs")
    project.pivot("repro")
    assert project.read("mine.txt") == "mine"


def test_local_settings_that_came_along_are_refused(empty, tmp_path):
    empty.write(".pivot/config.local.toml", f'[remotes.theirs]\nurl = "{tmp_path}/theirs"\n')
    empty.write("pipeline.py", "from pivot import stage\n@stage()\ndef s(): pass\n")
    empty.pivot("status")
    empty.git("add", "--force", ".pivot/config.local.toml")
    empty.commit_all()
    subprocess.run(["git", "clone", "-q", str(empty.path), str(tmp_path / "clone")], check=True)
    empty.path = tmp_path / "clone"
    for command in ("status", "push", "repro"):
        assert "tracked by Git" in empty.pivot(command, code=12).err
    assert not (tmp_path / "theirs").exists()


def test_stage_whose_name_moved_to_another_function_since_the_plan_does_not_run(stages):
    project = stages(
        """
        @stage(outs=["first.txt"])
        def first():
            mark("begun")
            wait_for("edited")
            open("first.txt", "w").close()

        @stage(name="x", deps=["first.txt"], outs=["x.txt"])
        def x():
            open("x.txt", "w").write("old")

        def y():
            open("x.txt", "w").write("new")
        """
    )
    process = project.start("repro")
    project.await_mark("begun")
    moved = '@stage(name="x", deps=["first.txt"], outs=["x.txt"])\n'
    text = project.read("pipeline.py").replace(moved, "").replace("def y", moved + "def y")
    (project.path / "pipeline.py").write_text(text)
    project.mark("edited")
    assert project.finish(process, 1).statuses["x"] == "failed"
    assert project.pivot("repro").statuses["x"] == "ran"
    assert project.read("x.txt") == "new"


INCREMENTAL = """
@stage(deps=["day.txt"], outs=[IncrementalOut("all.txt")])
def add():
    with open("all.txt", "a") as f:
        f.write(open("day.txt").read())
    if os.environ.get("CRASH"):
        os._exit(9)
"""


def test_incremental_out_survives_failures_and_begins_from_its_lock(stages):
    project = stages(INCREMENTAL)
    project.write("day.txt", "1\n")
    project.pivot("repro")
    project.write("day.txt", "2\n")
    project.pivot("repro", code=1, env={"CRASH": "1"})
    assert project.read("all.txt") == "1\n"
    project.pivot("repro")
    assert project.read("all.txt") == "1\n2\n"
    previous = json.loads(project.lock("add").read_text())["previous"]
    assert previous[0]["size"] == 2
    os.unlink(project.path / "all.txt")
    assert project.pivot("repro").statuses["add"] == "restored"
    assert project.read("all.txt") == "1\n2\n"
    project.pivot("repro", "--force")
    assert project.read("all.txt") == "1\n2\n2\n"


def test_incremental_out_of_another_branch_is_replaced_before_it_is_added_to(stages):
    project = stages(INCREMENTAL)
    project.write("day.txt", "1\n")
    project.pivot("repro")
    project.commit_all()
    project.git("switch", "-qc", "other")
    project.write("day.txt", "2\n")
    project.pivot("repro")
    project.commit_all()
    project.git("switch", "-q", "main")
    project.write("day.txt", "3\n")
    project.pivot("repro")
    assert project.read("all.txt") == "1\n3\n"


OVERLAP = """
@stage(deps=["a.in"], outs=["data/a.txt"])
def a():
    open("data/a.txt", "w").write(open("a.in").read())

@stage(deps=["b.in"], outs=["data/b.txt"])
def b():
    open("data/b.txt", "w").write(open("b.in").read())

@stage(deps=["data"], outs=["sum.txt"])
def both():
    names = sorted(os.listdir("data"))
    open("sum.txt", "w").write("".join(open(f"data/{n}").read() for n in names))
"""


def test_folder_of_several_stages_outs_and_a_plain_file_is_one_dep(stages):
    project = stages(OVERLAP)
    project.write_all({"a.in": "a1\n", "b.in": "b1\n", "data/c.txt": "c1\n"})
    project.pivot("repro")
    assert project.read("sum.txt") == "a1\nb1\nc1\n"
    project.write("a.in", "a2\n")
    assert project.pivot("repro").statuses == {"a": "ran", "b": "unchanged", "both": "ran"}
    project.write("data/c.txt", "c2\n")
    assert project.pivot("repro").statuses["both"] == "ran"
    project.write("a.in", "a1\n")
    project.write("data/c.txt", "c1\n")
    assert project.pivot("repro").statuses == {
        "a": "restored",
        "b": "unchanged",
        "both": "restored",
    }
    assert project.read("sum.txt") == "a1\nb1\nc1\n"
    os.unlink(project.path / "data/b.txt")
    assert project.pivot("repro").statuses == {
        "a": "unchanged",
        "b": "restored",
        "both": "unchanged",
    }


def test_renamed_stage_takes_its_results_along(stages):
    project = stages("@stage(name='old', outs=['o'])\ndef f(): open('o', 'w').close()")
    project.pivot("repro")
    project.replace("pipeline.py", "'old'", "'new'")
    assert project.pivot("repro").statuses == {"new": "restored"}
    assert not project.lock("old").exists()


def test_two_stages_of_one_function_have_their_own_outs(empty):
    head = "from pivot import stage\nfrom shared import make\n"
    lines = [f"stage(name='{n}', cwd='{n}', outs=['o.txt'])(make)\n" for n in ("one", "two")]
    empty.write("pipeline.py", head + "".join(lines))
    for folder in ("one", "two"):
        (empty.path / folder).mkdir()
    empty.write("shared.py", "def make():\n    open('o.txt', 'w').write('same')\n")
    assert empty.pivot("repro").statuses == {"one": "ran", "two": "ran"}
    assert empty.read("one/o.txt") == empty.read("two/o.txt") == "same"
    os.unlink(empty.path / "two/o.txt")
    assert empty.pivot("repro").statuses == {"one": "unchanged", "two": "restored"}


@pytest.mark.parametrize("flag", [(), ("--keep-going",)])
def test_counts_of_a_failed_run_are_of_all_selected_stages(stages, flag):
    project = stages(
        """
        @stage(outs=["bad.txt"])
        def bad():
            raise ValueError

        @stage(deps=["bad.txt"], outs=["after.txt"])
        def after(): pass

        @stage(outs=["other.txt"])
        def other():
            open("other.txt", "w").close()
        """
    )
    end = project.pivot("repro", "--json", "-j", "1", *flag, code=1).lines[-1]
    left = {"ran": 1} if flag else {"not_started": 1}
    assert end["counts"] == {"failed": 1, "blocked": 1, **left}
    assert end["exit_code"] == 1


def test_status_exit_code_is_about_what_was_named(stages):
    project = stages(OVERLAP)
    project.write_all({"a.in": "a1\n", "b.in": "b1\n"})
    project.pivot("repro")
    project.write("a.in", "a2\n")
    project.pivot("status", "--exit-code", code=4)
    project.pivot("status", "--exit-code", "b")
    project.pivot("status", "--exit-code", "both", code=4)
    project.pivot("repro", "b")
    os.unlink(project.path / "sum.txt")
    project.pivot("status", "--exit-code", "both", code=4)


def test_commit_after_a_restore_and_in_the_middle_of_a_rebase(stages):
    project = stages(OVERLAP)
    project.write_all({"a.in": "a1\n", "b.in": "b1\n"})
    project.pivot("repro", "--commit")
    project.commit_all()
    project.write("a.in", "a2\n")
    project.pivot("repro", "--commit")
    project.write("a.in", "a1\n")
    before = project.git("rev-parse", "HEAD")
    assert project.pivot("repro", "--commit").statuses["a"] == "restored"
    assert project.git("rev-parse", "HEAD") != before
    assert project.git("status", "--porcelain", ".pivot") == ""
    project.git("rebase", "--force-rebase", "--exec", "false", "HEAD~1", check=False)
    assert (project.path / ".git/rebase-merge").exists()
    project.write("a.in", "a3\n")
    project.pivot("repro", "--commit")
    assert project.git("status", "--porcelain", ".pivot") == ""
    project.git("rebase", "--abort")


def test_code_on_pythonpath_outside_of_the_project_counts(stages, tmp_path):
    for name, text in (
        ("direct.py", "import package\n\ndef f():\n    return package.value()\n"),
        (
            "package/__init__.py",
            "def value():\n    from package.deep import VALUE\n    return VALUE\n",
        ),
        ("package/deep.py", "VALUE = '1'\n"),
        ("unused.py", "VALUE = 1\n"),
    ):
        (tmp_path / "shared" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shared" / name).write_text(text)
    project = stages(
        """
        @stage(outs=["o.txt"])
        def s():
            import direct
            open("o.txt", "w").write(direct.f())
        """
    )
    project.environment["PYTHONPATH"] = str(tmp_path / "shared")
    project.pivot("repro")
    assert project.pivot("repro").statuses == {"s": "unchanged"}
    assert str(tmp_path) not in project.lock("s").read_text()
    (tmp_path / "shared/unused.py").write_text("VALUE = 2\n")
    assert project.pivot("repro").statuses == {"s": "unchanged"}
    (tmp_path / "shared/package/deep.py").write_text("VALUE = '2'\n")
    project.pivot("status", "--exit-code", code=4)
    assert project.pivot("repro").statuses == {"s": "ran"}
    assert project.read("o.txt") == "2"
    (tmp_path / "shared").rename(tmp_path / "moved")
    project.environment["PYTHONPATH"] = str(tmp_path / "moved")
    assert project.pivot("repro").statuses == {"s": "unchanged"}


def test_relative_pythonpath_means_another_folder_elsewhere(stages):
    project = stages(
        """
        from shared_code import VALUE

        @stage(outs=["o.txt"])
        def s():
            open("o.txt", "w").write(VALUE)
        """
    )
    project.write_all(
        {"lib/shared_code.py": "VALUE = 'top'", "sub/lib/shared_code.py": "VALUE = 'sub'"}
    )
    project.environment["PYTHONPATH"] = "lib"
    project.pivot("repro")
    assert project.read("o.txt") == "top"
    assert project.pivot("repro", cwd="sub").statuses == {"s": "ran"}
    assert project.read("o.txt") == "sub"


def test_module_without_a_source_counts(stages):
    project = stages(
        """
        from package.built import VALUE

        @stage(outs=["o.txt"])
        def s():
            open("o.txt", "w").write(VALUE)
        """
    )
    project.write("package/__init__.py", "")
    for value in ("1", "2"):
        source = project.write("built.py", f"VALUE = {value!r}")
        py_compile.compile(str(source), str(project.path / "package/built.pyc"))
        source.unlink()
        assert project.pivot("repro").statuses == {"s": "ran"}
        assert project.read("o.txt") == value
    assert project.pivot("repro").statuses == {"s": "unchanged"}
