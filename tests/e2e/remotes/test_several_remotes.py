"""Pulling from several remotes, read-only ones, and going on after an interrupt."""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.e2e.schemas import conforms

UNCHANGED = {"double": "unchanged", "total": "unchanged", "images": "unchanged"}

# The command in a process that ends itself when so many packs were asked for.
ENDING = """
import os, signal, sys
from pivot_remotes.directory import DirectoryBackend
from pivot.cli.main import main
from pivot.transfer import sink

sink.SESSION_BYTES = 8 << 20  # else so little is indexed only at the end

end, after = int(sys.argv[1]), int(sys.argv[2])
get_range, asked = DirectoryBackend.get_range, []

def ended(self, key, start, length):
    asked.append(key)
    if len(asked) > after:
        os.kill(os.getpid(), end)
    return get_range(self, key, start, length)

DirectoryBackend.get_range = ended
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture
def pair(team, clone, tmp_path):
    """A clone whose default remote `storage` lacks the images; `spare` has all."""

    def make(*, spare=True):
        team.pivot("remote", "add", "spare", "../spare")
        team.pivot("push", "-r", "spare")
        shutil.rmtree(tmp_path / "remote")
        team.pivot("push", "--yes", "double", "total")
        team.commit_all("Add a remote")
        fresh = clone()
        own = {**fresh.environment}
        if spare:
            own["PIVOT_REMOTE_SPARE_URL"] = str(tmp_path / "spare")
        return replace(fresh, environment=own)

    return make


def test_pull_falls_through_to_the_next_remote_that_has_it(pair, team, held):
    fresh = pair()
    done = fresh.pivot("pull")
    fetched, sources, restored = done.out.splitlines()
    assert fetched.startswith("Fetched 203 of 203 objects, ")
    assert sources == "That is 2 objects from storage, 201 objects from spare."
    assert restored == "Restored 2 paths, 1 unchanged."
    assert done.err == ""
    assert held(fresh) == held(team)
    assert fresh.pivot("repro").statuses == UNCHANGED


def test_json_says_who_gave_what_and_what_was_restored(pair):
    fresh = pair()
    (value,) = fresh.pivot("pull", "--json").lines
    conforms(value, "transfer")
    assert [(s["remote"], s["objects"]) for s in value["sources"]] == [
        ("storage", 2),
        ("spare", 201),
    ]
    assert sum(s["bytes"] for s in value["sources"]) == value["bytes"]
    assert {k: value[k] for k in ("restored", "unchanged", "left")} == {
        "restored": 2,
        "unchanged": 1,
        "left": 0,
    }
    (value,) = fresh.pivot("fetch", "--json").lines
    conforms(value, "transfer")
    assert (value["sources"], value["requests"]) == ([], 0)
    assert "restored" not in value


def test_a_named_remote_is_the_only_one_asked(pair, tmp_path):
    fresh = pair()
    done = fresh.pivot("pull", "-r", "storage", code=14)
    assert f"the data of images is neither in the cache nor in {tmp_path}/remote\n" in done.err
    assert fresh.pivot("pull", "-r", "spare").out.splitlines()[1].startswith("Restored")


def test_a_remote_that_is_not_needed_is_not_opened(pair, tmp_path):
    fresh = pair()
    os.rename(tmp_path / "spare", tmp_path / "gone")
    assert fresh.pivot("pull", "double").err == ""


def test_remotes_that_cant_be_used_are_named_with_what_the_others_said(pair, tmp_path):
    fresh = pair()
    os.rename(tmp_path / "spare", tmp_path / "gone")
    done = fresh.pivot("pull", code=14)
    assert f"error: the data of images is neither in the cache nor in {tmp_path}/remote\n" in (
        done.err
    )
    assert f"  why: remote 'spare' wasn't used: {tmp_path}/spare holds no Pivot store" in done.err
    os.rename(tmp_path / "remote", tmp_path / "gone too")
    done = fresh.pivot("fetch", "images", code=2)
    assert done.err.startswith(f"warning: remote 'storage' wasn't used: {tmp_path}/remote holds")
    assert "error: none of the remotes can be used\n" in done.err
    assert "remote 'storage' wasn't used" in done.err.split("  why: ")[1]
    (value,) = fresh.pivot("fetch", "images", "--json", code=2).lines
    conforms(value, "error")


def test_a_second_remote_that_nobody_confirmed_is_not_spoken_to(pair, tmp_path):
    fresh = pair(spare=False)
    state = tmp_path / "nobody"
    own = {"XDG_STATE_HOME": str(state)}
    done = fresh.pivot("pull", code=14, env=own)
    assert "remote 'spare' (" in done.err
    assert "wasn't used: remote 'spare'" not in done.err, "it is named once"
    assert "was not confirmed on this machine" in done.err
    done = fresh.pivot("pull", "--yes", code=14, env=own)  # that says yes to the first one alone
    assert "hint: If you trust it, run `pivot pull --yes -r spare` once" in done.err
    fresh.pivot("pull", "--yes", "-r", "spare", env=own)
    assert fresh.exists("images/more/7.txt")
    shutil.rmtree(fresh.path / ".pivot/cache")
    fresh.pivot("fetch", env=own)


def test_what_is_damaged_in_one_is_fetched_from_another_with_a_warning(team, clone, tmp_path, held):
    shutil.copytree(tmp_path / "remote", tmp_path / "spare")
    for pack in (tmp_path / "remote/packs").rglob("*.pack"):
        data = bytearray(pack.read_bytes())
        for at in range(len(data) // 3, len(data)):
            data[at] ^= 0x10
        pack.write_bytes(data)
    fresh = clone()
    assert fresh.pivot("pull", code=13).err.count("error: ") == 1
    fresh.environment["PIVOT_REMOTE_SPARE_URL"] = str(tmp_path / "spare")
    done = fresh.pivot("pull")
    warning, hint = done.err.splitlines()
    assert re.match(r"warning: remote 'storage' is damaged: .*[0-9a-f]{12}.*packs/", warning)
    assert re.fullmatch(
        r"hint: Delete `index/\w+\.idx` there, then run `pivot push` in a clone that has the data",
        hint,
    )
    assert held(fresh) == held(team)


def test_a_run_takes_results_from_the_next_remote(pair, held, team):
    fresh = pair()
    done = fresh.pivot("repro")
    assert done.statuses == {"double": "restored", "total": "unchanged", "images": "restored"}
    assert fresh.ran() == []
    assert done.err == ""
    assert held(fresh) == held(team)


def test_a_repair_brings_back_what_any_remote_has(pair):
    fresh = pair()
    fresh.pivot("pull")
    shutil.rmtree(fresh.path / "images")
    for pack in (fresh.path / ".pivot/cache/packs").rglob("*.pack"):
        pack.chmod(0o644)
        data = bytearray(pack.read_bytes())
        for at in range(len(data) // 3, len(data)):
            data[at] ^= 1
        pack.write_bytes(data)
    done = fresh.pivot("verify", "--repair", code=4)  # the workspace lacks the images
    assert re.search(r"fetched \d+ objects", done.out)
    assert done.err.count("warning") == 0
    fresh.pivot("checkout")
    assert fresh.exists("images/more/7.txt")


# -- read-only --------------------------------------------------------------------------------


def test_a_read_only_remote_takes_no_push(team, tmp_path, clone):
    team.write("a.txt", "5\n")
    team.pivot("repro")
    team.write(".pivot/config.local.toml", "[remotes.storage]\nread_only = true\n")

    def files():
        return {p: p.read_bytes() for p in (tmp_path / "remote").rglob("*") if p.is_file()}

    before = files()
    for command in (["push"], ["push", "-r", "storage"], ["push", "--dry-run"]):
        done = team.pivot(*command, "--yes", code=2)
        assert f"error: {tmp_path}/remote can only be read\n" in done.err
        assert "hint: Push to another remote" in done.err
    assert files() == before
    team.pivot("remote", "add", "mine", "../mine")
    assert team.pivot("push", "-r", "mine").out.startswith("Pushed 203 of 203")
    shutil.rmtree(team.path / ".pivot/cache")
    team.pivot("fetch", "images")


# -- parts ------------------------------------------------------------------------------------


@pytest.fixture
def packs_by_file(empty, tmp_path):
    """Three tracked files of 10 MB, each pushed in a pack of its own, and a clone."""
    empty.pivot("remote", "add", "storage", "../remote", "--default")
    for number in range(3):
        empty.write(f"big{number}", random.Random(number).randbytes(10_000_000))
        empty.pivot("track", f"big{number}")
        empty.pivot("push")
    empty.commit_all()
    subprocess.run(["git", "clone", "--quiet", empty.path, tmp_path / "clone"], check=True)
    return replace(empty, path=tmp_path / "clone")


def ended(project, end, after, *command):
    process = subprocess.run(
        [sys.executable, "-c", ENDING, str(int(end)), str(after), *command],
        cwd=project.path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return process.returncode, process.stdout, process.stderr


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_ended_pull_keeps_what_was_verified_and_goes_on_from_there(packs_by_file, end):
    fresh = packs_by_file
    # The recipes of three files are three ranges; then each file is one.
    code, _, err = ended(fresh, end, 5, "pull", "--jobs", "1")
    if end is signal.SIGINT:
        assert code == 130
        assert re.search(
            r"^[23]\d(\.\d)? MB of 30 MB were fetched and verified, and are kept;"
            r" the same command goes on from there\.\n+error: interrupted\n$",
            err,
        ), err
    else:
        assert code == -signal.SIGKILL
    assert not fresh.exists("big0")
    (value,) = fresh.pivot("pull", "--json").lines
    unindexed = 8 << 20 if end is signal.SIGKILL else 0
    assert 0 <= value["bytes"] <= 10_100_000 + unindexed, "only the rest"
    assert value["total_bytes"] > 30_000_000
    for number in range(3):
        expected = random.Random(number).randbytes(10_000_000)
        assert (fresh.path / f"big{number}").read_bytes() == expected


def test_what_a_killed_pull_left_is_removed_by_the_next_one(packs_by_file):
    fresh = packs_by_file
    ended(fresh, signal.SIGKILL, 1, "pull", "--jobs", "1")
    folder = fresh.path / ".pivot/cache/tmp"
    (left,) = folder.glob("fetch-*")
    os.utime(left, (time.time() - 3600,) * 2)
    fresh.pivot("pull")
    assert list(folder.glob("fetch-*")) == []


def test_a_disk_without_room_is_named_and_no_other_remote_is_asked(packs_by_file, tmp_path):
    """A limit on the size of files stands in for a full disk."""
    fresh = packs_by_file
    fresh.pivot("remote", "add", "spare", "../spare")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000))

    done = fresh.pivot("pull", code=1, limits=limit)
    assert done.err.startswith("error: the cache PROJECT/.pivot/cache can't be used\n")
    assert "  why: File too large\n" in done.err
    assert "hint: Make room or give permission there, then run it again" in done.err
    assert "spare" not in done.err
    fresh.pivot("pull")


def test_a_file_inside_a_tracked_directory_needs_no_more_than_itself(empty, tmp_path):
    """Of the directory the remote has only a part any more: what is asked for."""
    project = empty
    project.pivot("remote", "add", "storage", "../remote", "--default")
    for name in ("a", "b"):
        project.write(f"data/{name}.bin", random.Random(name).randbytes(500_000))
        project.pivot("track", "data" if name == "a" else "data/b.bin")
        project.pivot("push")
        packs = sorted((tmp_path / "remote/packs").rglob("*.pack"), key=os.path.getmtime)
    project.commit_all()
    packs[0].unlink()  # that of a.bin
    subprocess.run(["git", "clone", "--quiet", project.path, tmp_path / "clone"], check=True)
    fresh = replace(project, path=tmp_path / "clone")
    (value,) = fresh.pivot("pull", "data/b.bin", "--json").lines
    assert value["total_objects"] == 1
    assert (fresh.path / "data/b.bin").read_bytes() == random.Random("b").randbytes(500_000)
    assert not fresh.exists("data/a.bin")
    done = fresh.pivot("pull", code=13)
    assert "is not whole in" in done.err
