"""Garbage collection as a user does it: what stays, why, and what keeps it from starting."""

import json
import os
import shutil
import time

import pytest

from tests.e2e.schemas import conforms

DATA = "x" * 500


@pytest.fixture
def grown(stages):
    """Three versions of an out, each committed; the second tagged, the third on main.

    A fourth is on a branch, a fifth only in the workspace.
    """
    project = stages(
        """
        @stage(deps=["in.txt"], outs=["out.bin"])
        def make():
            with open("in.txt") as f, open("out.bin", "w") as out:
                out.write(f.read() * 1000)
        """
    )

    def version(n):
        project.write("in.txt", f"version {n} of the data\n")
        project.pivot("repro")

    for n in (1, 2, 3):
        version(n)
        project.commit_all(f"version {n}")
        if n == 2:
            project.git("tag", "v2")
    project.git("switch", "--quiet", "--create", "side")
    version(4)
    project.commit_all("version 4")
    project.git("switch", "--quiet", "main")
    project.git("checkout", "--quiet", "main")
    version(5)
    return project


def ids(project, *scope):
    """What a collection keeps, by id, with who needs it."""
    (found,) = project.pivot("gc", *scope, "--dry-run", "--json").lines
    conforms(found, "gc")
    return {row["id"]: row["keepers"] for row in found["kept"] if row["held"]}


def restores(project, revision):
    """Whether the data of a revision can be put in place from the cache."""
    project.git("checkout", "--quiet", "--force", revision)
    done = project.pivot("checkout", "--force", code=None)
    assert done.code in (0, 14), done.err
    return done.code == 0


def stored(project):
    (found,) = project.pivot("cache", "info", "--json").lines
    conforms(found, "cache-info")
    return found


def test_without_a_scope_nothing_happens(grown):
    before = stored(grown)
    done = grown.pivot("gc", code=2)
    assert "gc needs to be told what to keep" in done.err
    assert "`pivot gc --all-commits --dry-run`" in done.err
    done = grown.pivot("gc", "--remote", "team", code=2)
    assert "`pivot gc --all-commits --remote team`" in done.err, "of the remote that was meant"
    assert stored(grown) == before


def test_a_dry_run_names_who_needs_what_and_removes_nothing(grown):
    before = stored(grown)
    keepers = sorted(names for names in ids(grown, "--branches", "--tags").values())
    assert keepers == [["main"], ["side"], ["v2"], ["workspace"]]
    everything = ids(grown, "--all-commits")
    assert len(everything) == 5
    assert sum(name[0].startswith("commit ") for name in everything.values()) == 1
    assert list(ids(grown, "--workspace").values()) == [["workspace"]]
    assert stored(grown) == before
    text = grown.pivot("gc", "--branches", "--dry-run").out
    assert "out.bin" in text
    assert "workspace" in text
    assert "Would remove" in text


def test_workspace_alone_keeps_what_is_checked_out(grown):
    done = grown.pivot("gc", "--workspace")
    assert done.out.startswith("Removed ")
    grown.write("out.bin", "")
    os.unlink(grown.path / "out.bin")
    grown.pivot("checkout")
    assert "version 5" in grown.read("out.bin")
    grown.git("stash", "--quiet")
    assert not restores(grown, "main")
    assert stored(grown)["entries"] == 1


def test_branches_and_tags_keep_their_tips(grown):
    grown.pivot("gc", "--branches", "--tags")
    grown.git("stash", "--quiet")
    assert [restores(grown, r) for r in ("main", "side", "v2", "main~2")] == [
        True,
        True,
        True,
        False,
    ]


def test_all_commits_keep_the_whole_history_and_nothing_else(grown):
    grown.write("in.txt", "never committed\n")
    grown.pivot("repro")
    grown.write("in.txt", "version 5 of the data\n")
    grown.pivot("repro")
    found = json.loads(grown.pivot("gc", "--all-commits", "--json").out)
    conforms(found, "gc")
    assert found["removed_entries"] == 1
    grown.git("stash", "--quiet")
    assert all(restores(grown, r) for r in ("main", "side", "v2", "main~2"))


def test_the_last_runs_keep_their_results(grown):
    grown.pivot("gc", "--keep-runs", "2")
    assert stored(grown)["entries"] == 2
    grown.write("in.txt", "version 4 of the data\n")
    assert grown.pivot("repro").statuses == {"make": "restored"}
    grown.write("in.txt", "version 1 of the data\n")
    assert grown.pivot("repro").statuses == {"make": "ran"}


def test_young_commits_keep_theirs(grown, monkeypatch):
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{int(time.time()) - 40 * 86400} +0000")
    old = grown.git("commit-tree", "side^{tree}", "-p", "side~1", "-m", "old").strip()
    grown.git("update-ref", "refs/heads/side", old)
    runs = grown.path / ".pivot/runs"
    for run in runs.iterdir():
        os.utime(run, (time.time() - 40 * 86400,) * 2)
    keepers = ids(grown, "--older-than", "30d")
    assert len(keepers) == 4  # the tip of side alone is old
    assert len(ids(grown, "--older-than", "60d")) == 5


@pytest.mark.parametrize("age", ["30", "d", "3 days", "-1d", "1.5d"])
def test_an_age_that_is_none_is_told(grown, age):
    done = grown.pivot("gc", f"--older-than={age}", code=2)
    assert "is no age: write 12h, 30d, 8w, 6m or 1y" in done.err


def test_an_unreadable_lock_stops_it_wherever_it_is(grown):
    grown.commit_all("version 5")
    good = grown.lock("make").read_text()
    grown.lock("make").write_text(good.replace("out.bin", "out.bad"))
    before = stored(grown)
    done = grown.pivot("gc", "--workspace", code=1)
    assert ".pivot/stages/make.lock can't be read" in done.err
    bad = grown.commit_all("broken")[:10]
    grown.lock("make").write_text(good)
    grown.commit_all("mended")
    done = grown.pivot("gc", "--all-commits", code=1)
    assert f"make.lock in commit {bad} can't be read" in done.err
    assert stored(grown) == before
    grown.pivot("gc", "--branches")


def test_tracked_data_stays_as_long_as_a_pvt_file_in_scope_names_it(grown):
    grown.write("raw/a.csv", "first\n")
    grown.pivot("track", "raw")
    grown.commit_all("track")
    grown.write("raw/a.csv", "second\n")
    grown.pivot("track", "raw")
    grown.commit_all("update")
    grown.git("branch", "before", "HEAD~1")
    assert ["workspace", "main"] in ids(grown, "--branches").values()
    grown.pivot("gc", "--branches")
    assert restores(grown, "before")
    assert grown.read("raw/a.csv") == "first\n"
    grown.git("checkout", "--quiet", "--force", "main")
    grown.pivot("checkout", "--force")
    grown.pivot("gc", "--workspace")
    assert grown.read("raw/a.csv") == "second\n"
    assert not restores(grown, "before")
    bad = grown.path / "raw.pvt"
    bad.write_text("{}")
    commit = grown.commit_all("broken")[:10]
    assert "raw.pvt can't be read" in grown.pivot("gc", "--workspace", code=1).err
    grown.git("revert", "--no-edit", "HEAD")
    assert f"raw.pvt in commit {commit} can't" in grown.pivot("gc", "--all-commits", code=1).err


def test_a_shallow_clone_refuses(grown, tmp_path):
    grown.commit_all("version 5")
    path = tmp_path / "shallow"
    grown.git("clone", "--quiet", "--depth=1", f"file://{grown.path}", str(path))
    shutil.copytree(grown.path / ".pivot/cache", path / ".pivot/cache")
    grown.path = path
    before = stored(grown)
    done = grown.pivot("gc", "--all-commits", code=2)
    assert "is in a shallow clone" in done.err
    assert "git fetch --unshallow" in done.err
    assert stored(grown) == before


def test_without_git_there_are_workspace_and_runs(stages, tmp_path):
    project = stages(
        """
        @stage(outs=["o"])
        def make():
            open("o", "w").write("o")
        """
    )
    shutil.rmtree(project.path / ".git")
    project.pivot("repro")
    assert "in no Git repository" in project.pivot("gc", "--branches", code=2).err
    assert project.pivot("gc", "--workspace").out.startswith("Removed 0 of 1 entries")


def share(project, cache):
    project.pivot("config", "set", "--local", "cache.dir", str(cache))


def test_projects_that_share_a_cache_keep_each_others_data(grown, tmp_path):
    cache = tmp_path / "shared"
    share(grown, cache)
    grown.pivot("repro", "--force")
    shutil.rmtree(grown.path / ".pivot/runs")
    other = tmp_path / "other"
    shutil.copytree(grown.path, other)
    mine = grown.path
    grown.write("in.txt", "mine\n")
    grown.pivot("repro")
    grown.path = other
    grown.write("in.txt", "theirs\n")
    grown.pivot("repro")
    roots = {p["root"] for p in stored(grown)["projects"]}
    assert roots == {str(mine), "PROJECT"}
    (found,) = grown.pivot("gc", "--workspace", "--json").lines
    assert sorted((row["project"] or "", row["path"]) for row in found["kept"]) == [
        ("", "out.bin"),
        (str(mine), "out.bin"),
    ]
    assert found["removed_entries"] == 1
    grown.path = mine
    (mine / "out.bin").unlink()
    grown.pivot("checkout")
    assert grown.read("out.bin") == "mine\n" * 1000


def test_a_project_that_cant_be_asked_stops_it_until_it_is_forgotten(grown, tmp_path):
    share(grown, tmp_path / "shared")
    grown.pivot("repro", "--force")
    moved = tmp_path / "moved"
    old = grown.path
    grown.path.rename(moved)
    grown.path = moved
    grown.pivot("status")
    done = grown.pivot("gc", "--workspace", code=10)
    assert "shares this cache and can't be asked what it needs" in done.err
    assert f"pivot cache forget {old}" in done.err
    grown.pivot("cache", "forget", str(old))
    grown.pivot("gc", "--workspace")
    assert "no project at" in grown.pivot("cache", "forget", str(old), code=2).err


def test_it_waits_for_who_is_storing_and_says_so(grown, tmp_path):
    import fcntl

    with open(grown.path / ".pivot/cache/tmp/in-use", "w") as f:
        fcntl.flock(f, fcntl.LOCK_SH)
        assert "is held by" in grown.pivot("gc", "--workspace", "--no-wait", code=11).err
        waiting = grown.start("gc", "--workspace")
        said = waiting.stderr.readline()
        assert "waiting until another process no longer uses the cache" in said
        assert waiting.poll() is None
    done = grown.finish(waiting)
    assert done.out.startswith("Removed ")


def test_the_cache_says_where_it_is(grown, tmp_path):
    assert grown.pivot("cache", "dir").out == "PROJECT/.pivot/cache\n"
    (found,) = grown.pivot("cache", "dir", "--json").lines
    conforms(found, "cache-dir")
    share(grown, tmp_path / "shared")
    assert grown.pivot("cache", "dir").out == f"{tmp_path}/shared\n"
    assert "shared by PROJECT on" in grown.pivot("cache", "info").out


def test_what_a_running_stage_replaces_is_never_lost_to_a_collection(stages):
    """The old out was of another version than the lock's; nobody needs it while the stage runs."""
    project = stages(
        """
        @stage(deps=["in.txt"], outs=["out.txt"])
        def make():
            with open("in.txt") as f:
                text = f.read()
            if text == "slow":
                mark("begun")
                wait_for("go on")
            with open("out.txt", "w") as out:
                out.write(f"made of {text}")
        """
    )
    project.write("in.txt", "first")
    project.pivot("repro")
    shutil.copy(project.path / "out.txt", project.path / "first.txt")
    project.write("in.txt", "second")
    project.pivot("repro")
    shutil.copy(project.path / "first.txt", project.path / "out.txt")
    project.write("in.txt", "slow")
    running = project.start("repro")
    project.await_mark("begun")
    project.pivot("gc", "--workspace")
    project.mark("go on")
    project.finish(running)
    kept = [p.read_text() for p in (project.path / ".pivot/aside/kept").rglob("0")]
    assert kept == ["made of first"]
    project.pivot("repro")


def test_a_collection_beside_runs_pushes_and_pulls_loses_nothing(stages, tmp_path):
    """Everything at once, over and over, in one shared cache; then all of it can be had."""
    project = stages(
        """
        @stage(deps=["in.txt"], outs=["out"])
        def make():
            with open("in.txt") as f:
                text = f.read()
            os.makedirs("out", exist_ok=True)
            for n in range(30):
                with open(f"out/{n}", "w") as out:
                    out.write(f"{text} {n} " * 40)
        """
    )
    share(project, tmp_path / "shared")
    project.pivot("remote", "add", "there", str(tmp_path / "remote"), "--default", "--local")
    other = tmp_path / "other"
    shutil.copytree(project.path, other)
    project.write("in.txt", "common")
    project.pivot("repro")
    project.pivot("push")
    here = project.path

    def of(version):
        return (f"version {version} 7 " if version >= 0 else "common 7 ") * 40

    for n in range(4):
        project.write("in.txt", f"version {n}")
        shutil.copytree(here / ".pivot/stages", other / ".pivot/stages", dirs_exist_ok=True)
        shutil.rmtree(other / "out", ignore_errors=True)
        begun = [project.start("repro"), project.start("gc", "--workspace")]
        project.path = other
        begun += [project.start("pull", "--yes"), project.start("gc", "--workspace")]
        project.path = here
        for process in begun:
            project.finish(process)
        assert (other / "out/7").read_text() == of(n - 1)
        begun = [project.start("push"), project.start("gc", "--workspace")]
        for process in begun:
            project.finish(process)
        assert project.read("out/7") == of(n)
        shutil.rmtree(here / "out")
        project.pivot("checkout")
        assert project.read("out/7") == of(n)
    project.pivot("verify", "--data")


def test_a_project_that_borrows_anothers_cache_keeps_the_owners_data(grown, tmp_path):
    """The owner's cache lies inside of it, so it never noted itself there."""
    other = tmp_path / "other"
    shutil.copytree(grown.path, other)
    owner = grown.path
    grown.path = other
    share(grown, owner / ".pivot/cache")
    grown.write("in.txt", "borrowed\n")
    grown.pivot("repro")
    (found,) = grown.pivot("gc", "--workspace", "--json").lines
    assert {row["project"] for row in found["kept"]} == {None, str(owner)}
    (owner / "out.bin").unlink()
    grown.path = owner
    grown.pivot("checkout")
    assert "version 5" in grown.read("out.bin")
    grown.pivot("gc", "--workspace")
    (other / "out.bin").unlink()
    grown.path = other
    grown.pivot("checkout")
    assert "borrowed" in grown.read("out.bin")


def test_what_another_project_cant_tell_is_told_with_its_name(grown, tmp_path):
    share(grown, tmp_path / "shared")
    grown.pivot("repro", "--force")
    other = tmp_path / "other"
    shutil.copytree(grown.path, other)
    grown.lock("make").write_text("{}")
    broken = grown.path
    grown.path = other
    grown.pivot("repro", "--force")
    done = grown.pivot("gc", "--workspace", code=1)
    assert f"{broken} shares this cache and can't say what it needs" in done.err
    assert f"pivot -C {broken} doctor" in done.err
    assert "git checkout" not in done.err


def test_all_commits_keep_every_stash(grown):
    grown.git("stash", "--quiet")
    grown.write("in.txt", "second stash\n")
    grown.pivot("repro")
    grown.git("stash", "--quiet")
    assert grown.git("stash", "list").count("\n") == 2
    grown.pivot("gc", "--all-commits")
    grown.git("stash", "apply", "--quiet", "stash@{1}")
    grown.pivot("checkout", "--force")
    assert "version 5" in grown.read("out.bin")


def test_all_commits_keep_what_they_need_of_a_project_that_was_moved(stages, tmp_path):
    project = stages(
        """
        @stage(deps=["in.txt"], outs=["out.txt"])
        def make():
            with open("in.txt") as f, open("out.txt", "w") as out:
                out.write(f.read() * 9)
        """
    )
    project.write("in.txt", "before it was moved\n")
    project.write("raw.bin", "raw before\n")
    project.pivot("track", "raw.bin")
    project.pivot("repro")
    project.commit_all("before")
    top = project.path
    (top / "sub").mkdir()
    for name in os.listdir(top):
        if name not in (".git", "sub"):
            shutil.move(top / name, top / "sub" / name)
    project.commit_all("move")
    project.path = top / "sub"
    project.write("in.txt", "after\n")
    project.write("raw.bin", "raw after\n")
    project.pivot("repro")
    project.pivot("track", "raw.bin")
    project.commit_all("after")
    found = json.loads(project.pivot("gc", "--all-commits", "--json").out)
    assert found["removed_entries"] == 0
    assert found["kept_entries"] == 4


def test_a_command_that_waits_for_a_collection_says_so(grown):
    import fcntl

    (grown.path / "out.bin").unlink()
    with open(grown.path / ".pivot/cache/tmp/in-use", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        waiting = grown.start("checkout")
        assert "waiting until" in waiting.stderr.readline()
        assert waiting.poll() is None
    grown.finish(waiting)


def test_a_cache_inside_the_project_is_never_committed(grown):
    grown.pivot("config", "set", "cache.dir", "sub/cache")
    grown.pivot("repro", "--force")
    grown.git("add", "--all")
    assert "sub/" not in grown.git("diff", "--cached", "--name-only")
