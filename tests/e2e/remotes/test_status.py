"""`pivot status --remote`: what a push would send."""

import shutil

from tests.e2e.schemas import conforms


def remote_of(done):
    (value,) = done.lines
    conforms(value, "status")
    return value["remote"]


def test_status_tells_what_the_remote_lacks_until_it_is_pushed(team, tmp_path):
    assert "not confirmed" in team.pivot("status", "--remote", code=12).err
    team.pivot("push", "--yes")
    assert team.pivot("status", "--remote").out.endswith("Nothing is missing in remote storage.\n")
    team.write("a.txt", "5\n")
    team.pivot("repro")
    done = team.pivot("status", "--remote")
    assert done.out.endswith("2 objects, 16 bytes are not in remote storage; run `pivot push`.\n")
    assert remote_of(team.pivot("status", "--remote", "--json")) == {
        "name": "storage", "missing": 2, "bytes": 16
    }  # fmt: skip
    assert remote_of(team.pivot("status", "double", "-r", "storage", "--json"))["missing"] == 1
    assert remote_of(team.pivot("status", "--json")) is None
    team.pivot("push")
    assert remote_of(team.pivot("status", "--remote", "--json"))["missing"] == 0


def test_another_remote_is_named_in_the_command_and_nothing_is_made_there(team, tmp_path):
    team.pivot("remote", "add", "new", "../new")
    done = team.pivot("status", "--remote=new")
    assert done.out.endswith(" are not in remote new; run `pivot push -r new`.\n")
    assert "203 objects, 210.8 kB are" in done.out
    assert not (tmp_path / "new").exists()


def test_what_is_nowhere_is_a_warning(team):
    team.pivot("remote", "add", "new", "../new")
    shutil.rmtree(team.path / ".pivot/cache")
    done = team.pivot("status", "--remote=new")
    assert "warning: the data of images is neither in the cache nor in remote new" in done.err
