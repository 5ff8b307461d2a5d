"""Where a project may lie, and from where it can be worked on."""

import os
import subprocess

from pivot import __version__

ONE = """
    @stage(deps=["in"], outs=["out"])
    def copy():
        with open("in") as f, open("out", "w") as out:
            out.write(f.read())
"""
PIPELINE = """
    from pivot import Metric, stage


    @stage(outs=["out", Metric("m.json")])
    def make():
        open("out", "w").close()
        with open("m.json", "w") as f:
            f.write('{"a": 1}')
"""


def bare_project(project, name):
    """A folder below the repository's root, with a pipeline, not yet initialised."""
    project.write(f"{name}/pipeline.py", PIPELINE)


def test_projects_below_the_root_of_a_repository_are_their_own(empty):
    for name in ("one", "two/deep"):
        bare_project(empty, name)
        made = empty.pivot("init", cwd=name)
        assert made.out.startswith(f"Made PROJECT/{name} a Pivot project.\n")
    empty.pivot("repro", cwd="one")
    assert empty.exists("one/out")
    assert not empty.exists("two/deep/out")
    empty.pivot("repro", cwd="two/deep")
    empty.pivot("commit", "-m", "one", cwd="one")
    assert sorted(empty.git("show", "--name-only", "--format=", "HEAD").split()) == [
        "one/.gitattributes",
        "one/.gitignore",
        "one/.pivot/.gitignore",
        "one/.pivot/config.toml",
        "one/.pivot/stages/make.lock",
        "one/m.json",
    ]
    empty.pivot("commit", cwd="two/deep")
    assert empty.git("status", "--short", "--", "one", "two").split() == [
        "??", "one/pipeline.py", "??", "two/deep/pipeline.py"
    ]  # fmt: skip
    assert empty.pivot("metrics", "diff", cwd="one").out == "No metric differs from HEAD.\n"


def test_command_means_the_whole_project_from_any_folder(stages):
    project = stages(ONE)
    project.write("in", "1")
    os.makedirs(project.path / "deep/er")
    assert project.pivot("repro", cwd="deep/er").statuses == {"copy": "ran"}
    assert project.pivot("-C", "deep", "repro").statuses == {"copy": "unchanged"}
    assert project.pivot("-C", str(project.path), "status", cwd="/").code == 0


def test_folder_that_does_not_exist_is_a_usage_error(empty):
    done = empty.pivot("-C", "nowhere", "status", code=2)
    assert "Directory 'nowhere' does not exist" in done.err


def test_unborn_branch_takes_the_first_commit(stages):
    project = stages(ONE)
    project.write("in", "1")
    project.pivot("repro")
    done = project.pivot("commit", "-m", "First")
    assert done.out == "Committed 5 files as COMMIT\n"
    assert project.git("log", "--format=%s %an").strip() == "First Ada"
    assert project.git("status", "--short") == "?? in\n?? pipeline.py\n?? probe.py\n"


def test_detached_head_moves_along(story):
    story.git("checkout", "--quiet", "--detach")
    branch = story.git("rev-parse", "main")
    story.pivot("commit", "-m", "Detached")
    assert story.git("log", "-1", "--format=%s").strip() == "Detached"
    assert story.git("rev-parse", "main") == branch


def test_fresh_clone_is_a_project_without_init(story, tmp_path):
    story.pivot("commit")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", story.path, clone], check=True)
    story.path = clone
    foreseen = {"alone": "stale", "double": "stale", "total": "pending"}
    assert story.pivot("status").statuses == foreseen
    assert story.pivot("repro").statuses == {"alone": "ran", "double": "ran", "total": "unchanged"}
    assert story.git("status", "--short") == ""


def test_init_twice_changes_nothing(story):
    before = story.snapshot()
    assert story.pivot("init").out == "PROJECT is a Pivot project already.\n"
    assert story.snapshot() == before


def test_init_outside_of_git_says_how_to_go_on(empty, tmp_path):
    empty.path = tmp_path / "elsewhere"
    empty.path.mkdir()
    done = empty.pivot("init", code=10)
    assert done.out == ""
    assert done.err == (
        "error: PROJECT is in no Git repository\n"
        "  why: Pivot keeps locks and metrics in Git\n"
        "hint: Run `git init` first, or go without: `pivot init --no-git`\n"
    )
    assert os.listdir(empty.path) == []


def test_project_without_git_runs_and_says_what_needs_it(empty, tmp_path):
    empty.path = tmp_path / "elsewhere"
    empty.path.mkdir()
    empty.write("pipeline.py", PIPELINE)
    empty.pivot("init", "--no-git")
    assert sorted(os.listdir(empty.path)) == [".pivot", "pipeline.py"]
    assert empty.pivot("repro").statuses == {"make": "ran"}
    assert empty.pivot("repro").statuses == {"make": "unchanged"}
    assert empty.pivot("metrics", "show").out == "m.json  a  1\n"
    done = empty.pivot("commit", code=10)
    assert done.err == (
        "error: this project is in no Git repository\nhint: Run `git init` in its root\n"
    )
    assert empty.pivot("init", "--no-git").out == "PROJECT is a Pivot project already.\n"


def test_bare_repository_is_refused(empty, tmp_path):
    empty.path = tmp_path / "bare.git"
    subprocess.run(["git", "init", "--quiet", "--bare", empty.path], check=True)
    before = sorted(os.listdir(empty.path))
    done = empty.pivot("init", code=None)
    assert done.code in (2, 10)
    assert "bare" in done.err
    assert "hint: " in done.err
    assert sorted(os.listdir(empty.path)) == before


def test_no_project_is_said_with_its_exit_code(empty, tmp_path):
    empty.path = tmp_path / "elsewhere"
    empty.path.mkdir()
    for command in ("status", "repro", "list", "commit", "checkout", "push"):
        done = empty.pivot(command, code=10)
        assert done.err == (
            "error: this is no Pivot project\n"
            "  why: neither PROJECT nor a folder above it has .pivot/\n"
            "hint: Run `pivot init` in the project's root\n"
        )


def test_folder_of_the_project_that_is_a_link_is_refused(empty, tmp_path):
    empty.path = tmp_path / "linked"
    empty.path.mkdir()
    empty.git("init", "--quiet")
    (empty.path / ".pivot").symlink_to(tmp_path / "project/.pivot")
    done = empty.pivot("init", code=2)
    assert "is a link or a file" in done.err


def test_path_with_spaces_and_other_letters(empty, tmp_path):
    empty.path = tmp_path / "mein Prøjekt 数据"
    empty.path.mkdir()
    empty.git("init", "--quiet")
    empty.write("pipeline.py", PIPELINE.replace('"out"', '"größe (1).txt"'))
    empty.pivot("init")
    assert empty.pivot("repro").statuses == {"make": "ran"}
    assert empty.pivot("repro").statuses == {"make": "unchanged"}
    assert "größe" not in empty.git("status", "--short")


def test_configured_module_defines_the_stages(empty):
    empty.write("src/flow/__init__.py", "")
    empty.write("src/flow/steps.py", PIPELINE)
    empty.pivot("config", "set", "pipeline.module", "src.flow.steps")
    assert empty.pivot("repro").statuses == {"make": "ran"}
    assert empty.exists("out")
    assert empty.pivot("repro").statuses == {"make": "unchanged"}


def test_version_is_printed(empty):
    assert empty.pivot("--version").out == f"pivot {__version__}\n"
