"""`IncrementalOut`: what a stage adds to, from run to run."""

import json
import os
import shutil
import subprocess

import pytest

APPEND = """
@stage(deps=["day.txt"], outs=[IncrementalOut("all.txt")])
def add():
    mark("add")
    with open("all.txt", "a") as f:
        f.write(open("day.txt").read())
"""
GROW = """
@stage(deps=["seed.txt"], outs=[IncrementalOut("big.bin")])
def grow():
    import hashlib
    seed, size = open("seed.txt").read().split()
    with open("big.bin", "ab") as f:
        f.write(hashlib.shake_128(seed.encode()).digest(int(size)))
"""
DAYS = """
@stage(deps=["day.txt"], outs=[IncrementalOut("days")])
def add():
    os.makedirs("days", exist_ok=True)
    day = open("day.txt").read().strip()
    open(f"days/{day}.txt", "w").write(day)
    if os.path.exists("days/mon.txt"):
        open("days/mon.txt", "a").write("+")
"""


@pytest.fixture
def appended(stages):
    """A stage that has run once, on `1`."""
    project = stages(APPEND)
    project.write("day.txt", "1\n")
    project.pivot("repro")
    return project


def stored_bytes(project):
    """What is written into packs; pieces of hashes don't compress."""
    packs = (project.path / ".pivot/cache/packs").rglob("*.pack")
    return sum(pack.stat().st_size for pack in packs)


def test_only_the_new_tail_of_a_large_file_is_stored(stages):
    project = stages(GROW)
    project.write("seed.txt", "first 20000000")
    project.pivot("repro")
    before = stored_bytes(project)
    assert before >= 20_000_000
    project.write("seed.txt", "second 10000")
    project.pivot("repro")
    assert (project.path / "big.bin").stat().st_size == 20_010_000
    # The last chunk, of 256 KiB on average and 1 MiB at most, has other bytes now.
    assert 10_000 < stored_bytes(project) - before < (1 << 20) + 100_000


def test_the_first_run_begins_with_nothing_and_later_ones_with_what_the_lock_names(appended):
    assert appended.read("all.txt") == "1\n"
    assert "previous" not in json.loads(appended.lock("add").read_text())
    left = json.loads(appended.lock("add").read_text())["outs"][0]["id"]
    appended.write("day.txt", "2\n")
    appended.pivot("repro")
    assert appended.read("all.txt") == "1\n2\n"
    (previous,) = json.loads(appended.lock("add").read_text())["previous"]
    assert (previous["path"], previous["id"]) == ("all.txt", left)


def test_a_directory_keeps_what_it_has_and_may_change_it(stages):
    project = stages(DAYS)
    for day in ("mon", "tue", "wed"):
        project.write("day.txt", day)
        project.pivot("repro")
    assert sorted(os.listdir(project.path / "days")) == ["mon.txt", "tue.txt", "wed.txt"]
    assert project.read("days/mon.txt") == "mon+++"
    shutil.rmtree(project.path / "days")
    assert project.pivot("repro").statuses == {"add": "restored"}
    assert project.read("days/mon.txt") == "mon+++"
    shutil.rmtree(project.path / "days")
    project.write("day.txt", "thu")
    project.pivot("repro")
    assert project.read("days/mon.txt") == "mon++++"


def test_the_stage_gets_a_writable_copy_that_is_no_other_file(appended):
    before = {p.stat().st_ino for p in (appended.path / ".pivot").rglob("*") if p.is_file()}
    appended.write("day.txt", "2\n")
    appended.pivot("repro")
    stat = (appended.path / "all.txt").stat()
    assert stat.st_mode & 0o200
    assert stat.st_nlink == 1
    assert stat.st_ino not in before


def test_a_file_that_no_run_left_is_kept_and_named(stages):
    project = stages(APPEND)
    project.write("day.txt", "1\n")
    project.write("all.txt", "the user's\n")
    done = project.pivot("repro", code=1)
    assert "stage add: all.txt would be overwritten" in done.err
    assert "`pivot repro --force add`" in done.err
    assert project.read("all.txt") == "the user's\n"
    assert project.ran() == []
    assert project.pivot("status", "--exit-code", code=4)
    project.pivot("repro", "--force")
    assert project.read("all.txt") == "1\n"


def test_a_file_whose_lock_is_gone_is_kept_though_the_store_has_it(appended):
    appended.lock("add").unlink()
    done = appended.pivot("repro", code=1)
    assert "the stage has no record of what it left there" in done.err
    assert appended.read("all.txt") == "1\n"
    assert appended.ran() == ["add"]


def test_a_lock_that_cannot_be_read_is_not_taken_for_none(appended):
    lock = appended.lock("add")
    text = lock.read_text()
    lock.write_text(text.replace('"size": 2', '"size": 3'))
    os.unlink(appended.path / "all.txt")
    done = appended.pivot("repro", code=1)
    assert "stage add: .pivot/stages/add.lock can't be read" in done.err
    assert not appended.exists("all.txt")
    lock.write_text(text)
    appended.write("day.txt", "2\n")
    appended.pivot("repro")
    assert appended.read("all.txt") == "1\n2\n"


def test_a_version_of_another_branch_gives_way_to_the_locks(appended):
    appended.commit_all()
    appended.git("switch", "-qc", "other")
    appended.write("day.txt", "other\n")
    appended.pivot("repro")
    appended.git("stash", "-q")
    assert appended.read("all.txt") == "1\nother\n"
    appended.write("day.txt", "2\n")
    appended.pivot("repro")
    assert appended.read("all.txt") == "1\n2\n"


def test_an_edit_of_the_users_is_kept_and_named(appended):
    appended.write("all.txt", "1\nedited\n")
    appended.write("day.txt", "2\n")
    done = appended.pivot("repro", code=1)
    assert "all.txt would be overwritten" in done.err
    assert appended.read("all.txt") == "1\nedited\n"


def test_what_was_run_elsewhere_is_fetched_and_added_to(appended, tmp_path):
    appended.pivot("remote", "add", "r", str(tmp_path / "remote"), "--default")
    appended.pivot("push")
    appended.commit_all()
    subprocess.run(["git", "clone", "-q", appended.path, tmp_path / "clone"], check=True)
    appended.path = tmp_path / "clone"
    appended.environment["PIVOT_REMOTE_R_URL"] = str(tmp_path / "remote")
    appended.write("day.txt", "2\n")
    appended.pivot("repro")
    assert appended.read("all.txt") == "1\n2\n"


def test_data_that_cannot_be_had_stops_the_stage_and_nothing_is_lost(appended):
    shutil.rmtree(appended.path / ".pivot/cache")
    os.unlink(appended.path / "all.txt")
    lock = appended.lock("add").read_bytes()
    appended.ran()
    for arguments in ((), ("--force",)):
        appended.write("day.txt", "2\n")
        done = appended.pivot("repro", *arguments, code=1)
        assert "incremental out all.txt can't be put back as its last run left it" in done.err
        assert "`pivot pull all.txt`" in done.err
        assert appended.lock("add").read_bytes() == lock
        assert not appended.exists("all.txt")
    assert appended.ran() == []


def test_a_lost_cache_is_filled_from_what_is_in_place_before_it_is_added_to(appended):
    shutil.rmtree(appended.path / ".pivot/cache")
    appended.write("day.txt", "2\n")
    appended.pivot("repro")
    assert appended.read("all.txt") == "1\n2\n"
    assert json.loads(appended.lock("add").read_text())["previous"][0]["size"] == 2


def test_a_failed_run_leaves_the_last_good_state(appended):
    appended.write("day.txt", "2\n")
    appended.replace(
        "pipeline.py",
        '    mark("add")\n',
        '    mark("add")\n    open("all.txt", "a").write("half"); raise OSError("full")\n',
    )
    appended.pivot("repro", code=1)
    assert appended.read("all.txt") == "1\n"
    appended.replace("pipeline.py", 'raise OSError("full")', "pass")
    appended.pivot("repro")
    assert appended.read("all.txt") == "1\nhalf2\n"


def test_no_recorded_run_stands_in_for_the_lock(appended):
    os.unlink(appended.path / "all.txt")
    appended.lock("add").unlink()
    appended.ran()
    assert appended.pivot("repro").statuses == {"add": "ran"}
    assert appended.ran() == ["add"]
