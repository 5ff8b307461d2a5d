"""Data that no stage makes: tracked, shared, restored, and read by stages."""

import json
import os
import subprocess

import pytest

READER = """
@stage(deps=["{dep}"], outs=["sum.txt"])
def add():
    mark("add")
    names = sorted(os.path.join(b, n) for b, _, ns in os.walk("{dep}") for n in ns) or ["{dep}"]
    open("sum.txt", "w").write("".join(open(name).read() for name in names))
"""


@pytest.fixture
def raw(empty):
    """A tracked directory and a tracked file, committed."""
    empty.write("data/raw/1.csv", "one\n")
    empty.write("data/raw/2.csv", "two\n")
    empty.write("data/raw/deep/3.csv", "three\n")
    empty.write("big.bin", b"big")
    empty.pivot("track", "data/raw", "big.bin")
    empty.commit_all()
    return empty


def tracked(project):
    value = json.loads(project.pivot("status", "--json").out)
    return {row["path"]: row["state"] for row in value["tracked"]}


def share(project, tmp_path, to="clone"):
    """Push all data, and go on in a fresh clone, without any data."""
    project.pivot("remote", "add", "r", str(tmp_path / "remote"), "--default")
    project.pivot("push")
    project.commit_all()
    subprocess.run(["git", "clone", "-q", project.path, tmp_path / to], check=True)
    project.path = tmp_path / to
    project.environment["PIVOT_REMOTE_R_URL"] = str(tmp_path / "remote")


def test_data_stays_in_place_and_git_has_its_record_only(raw):
    assert raw.read("data/raw/1.csv") == "one\n"
    files = raw.git("ls-files").split()
    assert {"data/raw.pvt", "big.bin.pvt"} <= set(files)
    assert not [name for name in files if name.startswith("data/raw/") or name == "big.bin"]
    assert raw.git("status", "--short") == ""
    assert tracked(raw) == {"big.bin": "unchanged", "data/raw": "unchanged"}


def test_what_a_command_did_is_told_in_words_and_as_json(empty):
    empty.write("data/a", "1")
    assert empty.pivot("track", "-n", "data").out == "would track data (1 file, 1 bytes)\n"
    assert not empty.exists("data.pvt")
    done = empty.pivot("track", "data", "--json")
    assert json.loads(done.out)["tracked"][0]["state"] == "new"
    assert empty.pivot("track", "data").out == "unchanged data (1 file, 1 bytes)\n"
    empty.write("data/a", "22")
    assert empty.pivot("track", "data").out == (
        "updated data (1 file, 2 bytes)\nCommit data.pvt to Git with `pivot commit`.\n"
    )
    done = empty.pivot("untrack", "data", "--json")


def test_a_dry_run_changes_nothing(raw):
    raw.write("data/raw/1.csv", "edited\n")
    raw.write("new.bin", "new")
    before = raw.snapshot()
    raw.pivot("track", "-n", "data/raw/1.csv", "new.bin")
    raw.pivot("untrack", "-n", "big.bin")
    assert raw.snapshot() == before


def test_edits_show_in_status_and_in_its_exit_code(raw):
    raw.pivot("status", "--exit-code")
    raw.write("big.bin", "bigger")
    (raw.path / "data/raw/1.csv").unlink()
    assert tracked(raw) == {"big.bin": "modified", "data/raw": "modified"}
    raw.pivot("status", "--exit-code", code=4)
    raw.pivot("track", "big.bin", "data/raw")
    assert tracked(raw) == {"big.bin": "unchanged", "data/raw": "unchanged"}
    (raw.path / "big.bin").unlink()
    assert tracked(raw)["big.bin"] == "missing"
    assert "big.bin   missing" in raw.pivot("status", "--exit-code").out


def test_a_file_of_a_directory_is_updated_alone(raw):
    record = raw.read("data/raw.pvt")
    raw.write("data/raw/1.csv", "edited\n")
    raw.write("data/raw/2.csv", "an edit that is not meant\n")
    raw.write("data/raw/new/4.csv", "four\n")
    raw.pivot("track", "data/raw/1.csv", "data/raw/new")
    assert tracked(raw)["data/raw"] == "modified"
    assert raw.read("data/raw.pvt") != record
    raw.pivot("checkout", "--force", "data/raw")
    assert raw.read("data/raw/1.csv") == "edited\n"
    assert raw.read("data/raw/2.csv") == "two\n"
    assert raw.read("data/raw/deep/3.csv") == "three\n"
    assert raw.read("data/raw/new/4.csv") == "four\n"


def test_updating_every_part_alone_gives_the_record_of_all_at_once(raw):
    raw.write("data/raw/1.csv", "edited\n")
    raw.write("data/raw/deep.txt", "sorts between deep and deep/3.csv\n")
    (raw.path / "data/raw/deep/3.csv").unlink()
    (raw.path / "data/raw/2.csv").unlink()
    (raw.path / "data/raw/2.csv").mkdir()
    raw.write("data/raw/2.csv/inner", "a folder took the file's name\n")
    parts = ("1.csv", "deep.txt", "deep/3.csv", "2.csv/inner")
    raw.pivot("track", *(f"data/raw/{name}" for name in parts))
    record = raw.read("data/raw.pvt")
    assert tracked(raw)["data/raw"] == "unchanged"
    assert raw.pivot("track", "data/raw").out.startswith("unchanged")
    assert raw.read("data/raw.pvt") == record


def test_the_rest_of_a_directory_need_not_be_here(raw):
    for name in ("1.csv", "2.csv", "deep/3.csv"):
        (raw.path / "data/raw" / name).unlink()
    raw.write("data/raw/4.csv", "four\n")
    raw.pivot("track", "data/raw/4.csv")
    raw.pivot("checkout", "--force")
    assert raw.read("data/raw/1.csv") == "one\n"
    assert raw.read("data/raw/4.csv") == "four\n"


def test_a_part_that_is_gone_leaves_the_directory(raw):
    (raw.path / "data/raw/1.csv").unlink()
    (raw.path / "data/raw/deep/3.csv").unlink()
    raw.pivot("track", "data/raw/1.csv", "data/raw/deep/3.csv")
    assert tracked(raw)["data/raw"] == "unchanged"
    assert json.loads(raw.read("data/raw.pvt"))["files"] == 1
    done = raw.pivot("track", "data/raw/never", code=2)
    assert done.err.startswith("error: data/raw/never doesn't exist\n")


def test_a_part_of_the_data_is_put_in_place_alone(raw):
    for name in ("1.csv", "2.csv"):
        (raw.path / "data/raw" / name).unlink()
    (raw.path / "big.bin").unlink()
    raw.pivot("checkout", "data/raw/1.csv")
    assert raw.exists("data/raw/1.csv")
    assert not raw.exists("data/raw/2.csv")
    raw.pivot("checkout", "data")
    assert raw.exists("data/raw/2.csv")
    assert not raw.exists("big.bin")
    raw.pivot("checkout", "big.bin.pvt")
    assert raw.read("big.bin") == "big"


def test_edited_data_is_not_overwritten_unless_forced(raw):
    raw.write("data/raw/2.csv", "mine\n")
    done = raw.pivot("checkout", code=1)
    assert "data/raw/2.csv" in done.err
    assert raw.read("data/raw/2.csv") == "mine\n"
    raw.pivot("checkout", "--force")
    assert raw.read("data/raw/2.csv") == "two\n"


def test_a_clone_gets_tracked_data(raw, tmp_path):
    share(raw, tmp_path)
    assert tracked(raw) == {"big.bin": "missing", "data/raw": "missing"}
    raw.pivot("pull", "data/raw.pvt")
    assert tracked(raw) == {"big.bin": "missing", "data/raw": "unchanged"}
    raw.pivot("pull")
    assert raw.read("big.bin") == "big"
    assert raw.git("status", "--short") == ""


@pytest.mark.parametrize("command", ["fetch", "pull"])
def test_a_clone_gets_a_part_of_tracked_data_alone(raw, tmp_path, command):
    share(raw, tmp_path)
    raw.pivot(command, "data/raw/deep", "data/raw/1.csv")
    raw.pivot("checkout", "big.bin", code=14)
    assert raw.exists("data/raw/1.csv") == (command == "pull")
    assert not raw.exists("data/raw/2.csv")
    done = raw.pivot("checkout", "data/raw/2.csv", code=14)
    assert "`pivot pull data/raw/2.csv`" in done.err
    raw.pivot("pull", "data/raw/2.csv")
    assert raw.read("data/raw/2.csv") == "two\n"


def test_commit_takes_records_along_and_their_removal(raw):
    raw.write("other.txt", "staged by the user")
    raw.git("add", "other.txt")
    raw.write("big.bin", "bigger")
    raw.pivot("track", "big.bin")
    raw.pivot("untrack", "data/raw")
    raw.pivot("commit")
    names = raw.git("show", "--name-status", "--format=%s", "HEAD").splitlines()
    assert names[0] == "Update tracked big.bin, data/raw"
    assert {"M\tbig.bin.pvt", "D\tdata/raw.pvt", "M\t.gitignore"} == set(names[2:])
    assert raw.git("diff", "--cached", "--name-only").split() == ["other.txt"]


def test_commit_leaves_records_of_projects_inside_alone(raw):
    raw.write("inner/.pivot/config.toml", "")
    raw.write("inner/x.pvt", "another project's")
    raw.commit_all()
    (raw.path / "inner/x.pvt").unlink()
    assert raw.pivot("commit").out.startswith("Nothing to commit")
    assert tracked(raw) == {"big.bin": "unchanged", "data/raw": "unchanged"}


def test_untracked_data_stays_and_git_sees_it_again(raw):
    done = raw.pivot("untrack", "big.bin", "data/raw.pvt")
    assert done.out == "untracked big.bin (its data stays)\nuntracked data/raw (its data stays)\n"
    assert raw.read("big.bin") == "big"
    assert not raw.exists("big.bin.pvt")
    assert not raw.exists("data/raw.pvt")
    assert {"?? big.bin", "?? data/raw/"} <= set(raw.git("status", "--short").splitlines())


def test_untracking_what_is_missing_says_how_to_get_it_back(raw):
    (raw.path / "big.bin").unlink()
    done = raw.pivot("untrack", "big.bin")
    assert "`git checkout HEAD -- big.bin.pvt && pivot checkout big.bin`" in done.err
    raw.git("checkout", "HEAD", "--", "big.bin.pvt")
    raw.pivot("checkout", "big.bin")
    assert raw.read("big.bin") == "big"


def test_the_last_trace_of_missing_data_is_not_removed(empty):
    empty.write("a.bin", "a")
    empty.pivot("track", "a.bin")
    (empty.path / "a.bin").unlink()
    done = empty.pivot("untrack", "a.bin", code=2)
    assert done.err.startswith("error: a.bin is not in the workspace, and a.bin.pvt was never")
    assert empty.exists("a.bin.pvt")


def test_paths_are_named_from_where_one_is(raw):
    raw.write("data/other/x", "x")
    raw.pivot("track", "other", "../data/raw/1.csv", str(raw.path / "big.bin"), cwd="data")
    assert raw.exists("data/other.pvt")
    raw.pivot("untrack", "other", cwd="data")
    assert not raw.exists("data/other.pvt")


def test_a_part_is_found_however_the_way_to_it_is_composed(empty):
    """Shells of some systems complete names in decomposed form (NFD)."""
    empty.write("\u00e9\u00e9/1", "one")
    empty.write("\u00e9\u00e9/22", "two")
    empty.pivot("track", "\u00e9\u00e9")
    empty.write("\u00e9\u00e9/22", "other")
    empty.write("\u00e9\u00e9/e\u0301", "a name inside stays as it is")
    parts = ["e\u0301e\u0301/22", "e\u0301\u00e9/e\u0301"]
    (row,) = json.loads(empty.pivot("track", *parts, "--json").out)["tracked"]
    assert row["state"] == "updated"
    assert tracked(empty) == {"\u00e9\u00e9": "unchanged"}


def test_what_cannot_be_tracked_is_refused_before_anything_is_stored(raw, tmp_path):
    raw.write("code.py", "x = 1")
    raw.commit_all()
    raw.write("good.bin", "good")
    raw.write("BIG.bin", "twin")
    (raw.path / "link").symlink_to("data")
    (raw.path / "away").symlink_to(tmp_path)
    raw.write("nested/.git/config", "")
    refused = {
        "code.py": "code.py is tracked by Git",
        "data": "data contains data/raw, which is tracked on its own",
        "link": "link is a symbolic link",
        "link/raw": "link/raw can't be tracked",
        "away/x": "away/x can't be tracked",
        "..": "path '..' can't be used",
        ".": "the whole project can't be tracked",
        ".git/config": "path '.git/config' can't be used",
        ".pivot/cache": "path '.pivot/cache' can't be used",
        "big.bin.pvt": "big.bin.pvt is a record of tracked data, not data",
        "big.bin/x": "big.bin/x can't be tracked",
        "big.bim": "big.bim doesn't exist",
        "BIG.bin": "BIG.bin and big.bin differ in upper and lower case only",
        "nested": "nested: name '.git' can't be kept in a directory listing",
    }
    for path, message in refused.items():
        done = raw.pivot("track", "good.bin", path, code=None)
        assert done.code in (1, 2), path
        assert done.err.startswith(f"error: {message}"), (path, done.err)
    assert not raw.exists("good.bin.pvt")
    assert raw.pivot("track", code=2).err.startswith("error: Missing argument 'PATH...'")
    (raw.path / "big.bin").unlink()
    assert raw.pivot("track", "big.bin", code=2).err.startswith("error: big.bin is gone\n")


@pytest.mark.parametrize("path", ["out", "out/part", "."])
def test_outs_are_not_tracked(stages, path):
    project = stages("""
        @stage(outs=["sub/out"])
        def make():
            os.makedirs("sub/out")
            open("sub/out/part", "w").close()
    """)
    project.pivot("repro")
    done = project.pivot("track", os.path.normpath(f"sub/{path}"), code=2)
    assert "an out of stage make" in done.err


@pytest.mark.parametrize("out", ["big.bin", "data/raw/x", "data"])
def test_an_out_that_overlaps_what_is_tracked_is_a_definition_error(raw, out):
    raw.write(
        "pipeline.py",
        f"""
        from pivot import stage

        @stage(outs=["{out}"])
        def make(): ...
    """,
    )
    for command in ("status", "repro", "list"):
        done = raw.pivot(command, code=2)
        assert out in done.err.splitlines()[0]
        assert "tracked" in done.err.splitlines()[0]
        assert "pivot untrack" in done.err


@pytest.mark.parametrize("dep", ["data/raw", "data/raw/1.csv", "data/raw/deep", "big.bin"])
def test_a_clone_restores_results_without_tracked_data(stages, raw, tmp_path, dep):
    project = stages(READER.format(dep=dep))
    project.pivot("repro")
    share(project, tmp_path)
    assert project.pivot("repro").statuses == {"add": "restored"}
    assert project.pivot("repro").statuses == {"add": "unchanged"}
    assert project.ran() == ["add"]
    assert not project.exists("data/raw")
    assert not project.exists("big.bin")


@pytest.mark.parametrize("dep", ["data/raw", "data/raw/1.csv", "data/raw/deep", "big.bin"])
def test_a_stage_that_must_run_gets_the_tracked_data_that_it_reads(stages, raw, tmp_path, dep):
    project = stages(READER.format(dep=dep))
    project.pivot("repro")
    expected = project.read("sum.txt")
    share(project, tmp_path)
    project.replace("pipeline.py", '"w").write(', '"w").write("edited" + ')
    assert project.pivot("repro").statuses == {"add": "ran"}
    assert project.read("sum.txt") == "edited" + expected
    assert project.exists(dep)
    assert project.exists("big.bin") == (dep == "big.bin")
    assert project.exists("data/raw/2.csv") == (dep == "data/raw")


def test_data_that_cannot_be_had_is_named_before_anything_runs(stages, raw):
    project = stages(READER.format(dep="big.bin"))
    (project.path / "big.bin").unlink()
    subprocess.run(["rm", "-r", project.path / ".pivot/cache"], check=True)
    done = project.pivot("repro", code=14)
    assert done.err.startswith("error: dep big.bin of stage add is not in the workspace\n")
    assert "`pivot pull big.bin`" in done.err


def test_a_folder_that_lacks_tracked_data_is_no_dep_to_run_on(stages, raw):
    project = stages(READER.format(dep="data"))
    subprocess.run(["rm", "-r", project.path / "data/raw"], check=True)
    done = project.pivot("repro", code=14)
    assert "`pivot pull data/raw`" in done.err
    project.pivot("checkout")
    assert project.pivot("repro").statuses == {"add": "ran"}


def test_a_run_keeps_tracked_data_ignored(stages, raw):
    project = stages(READER.format(dep="data/raw"))
    project.pivot("repro")
    ignored = project.read(".gitignore").splitlines()
    assert {"/data/raw", "/big.bin", "/sum.txt"} <= set(ignored)


def test_unreadable_records_stop_what_acts_on_them_and_are_named(raw):
    record = raw.path / "big.bin.pvt"
    record.write_text(record.read_text().replace('"size": 3', '"size": 4'))
    for command in (["checkout"], ["push"], ["commit"], ["track", "big.bin"]):
        raw.pivot("remote", "add", "r", "remote", "--default", code=None)
        done = raw.pivot(*command, code=1)
        assert done.err.startswith("error: big.bin.pvt can't be read\n")
        assert "`git checkout HEAD -- big.bin.pvt`" in done.err
    done = raw.pivot("status")
    assert done.err.startswith("warning: big.bin.pvt can't be read")
    assert "error    tracked: big.bin.pvt" in raw.pivot("doctor", code=1).out


def test_merge_of_two_updates_conflicts(raw):
    raw.git("switch", "-qc", "other")
    raw.write("big.bin", "theirs")
    raw.pivot("track", "big.bin")
    raw.commit_all()
    raw.git("switch", "-q", "main")
    raw.write("big.bin", "ours")
    raw.pivot("track", "big.bin")
    raw.commit_all()
    raw.git("merge", "-q", "other", check=False)
    done = raw.pivot("checkout", code=1)
    assert "it has conflict markers" in done.err


def test_a_project_without_stages_may_track_data(raw):
    assert raw.pivot("status").out.startswith("big.bin   unchanged\n")
    assert "ok       definitions: no stages" in raw.pivot("doctor").out
