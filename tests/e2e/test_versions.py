"""Formats: a newer one is refused by name and left as it is; version 0, which never was, is damage.

Each has a version of its own: the store, packs, indexes, tombstones, locks.
"""

import json
import os
import re

import pytest
from blake3 import blake3

from pivot.store.entry import FileName

UPGRADE = "hint: Upgrade with `pip install --upgrade pivot`"
COMMANDS = [("verify", "--data"), ("verify", "--repair"), ("doctor", "--repair"), ("checkout",)]
TRAILER = 40  # of packs and indexes: the checksum, and the end


def rewrite(file, data):
    os.chmod(file, 0o644)
    file.write_bytes(data)


def reseal(file, version):
    """Give a pack or index another version, and the checksum that fits."""
    data = file.read_bytes()
    body = data[:8] + version.to_bytes(2, "little") + data[10:-TRAILER]
    rewrite(file, body + blake3(body).digest() + data[-8:])


def renumber(file, version):
    text = re.sub(rb'"format": 1', f'"format": {version}'.encode(), file.read_bytes(), count=1)
    rewrite(file, text)


def cache(project):
    return project.path / ".pivot/cache"


def set_store(project, version):
    renumber(cache(project) / "pivot-store.json", version)


def set_pack(project, version):
    reseal(min(cache(project).glob("packs/*/*.pack")), version)


def set_index(project, version):
    reseal(min(cache(project).glob("index/*.idx")), version)


def set_lock(project, version):
    renumber(project.lock("big"), version)


def state(project):
    """Every byte of the store and of the locks."""
    folders = (cache(project), project.path / ".pivot/stages")
    files = (f for folder in folders for f in folder.rglob("*") if f.is_file())
    return {f: f.read_bytes() for f in files if "tmp" not in f.parts}


@pytest.mark.parametrize("harm", [set_store, set_pack, set_index], ids=["store", "pack", "index"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_newer_format_is_refused_and_nothing_is_changed(stored, harm, command):
    (stored.path / "small").unlink()
    harm(stored, 2)
    before = state(stored)
    done = stored.pivot(*command, code=None)
    if command == ("checkout",) and harm is set_pack:
        assert done.code == 0, "an entry is read by its place, and is what its hash says"
        return
    assert done.code == 1
    assert "format 2, newer than this Pivot reads" in done.err + done.out
    assert UPGRADE in (done.err + done.out).replace("  ", "").replace(" hint", "hint")
    assert state(stored) == before
    assert not stored.exists("small")


def test_newer_lock_is_refused_and_kept(stored):
    set_lock(stored, 2)
    before = state(stored)
    done = stored.pivot("verify", code=13)
    assert "written by a newer Pivot (format 2)" in done.out
    assert UPGRADE in done.err
    for command in ("checkout", "push", "commit"):
        assert UPGRADE in stored.pivot(command, code=1).err
    assert state(stored) == before


def test_newer_tombstone_stops_a_push(stored, tmp_path):
    write_tombstone(tmp_path / "remote", {"format": 2, "packs": []})
    done = stored.pivot("push", code=1)
    assert "format newer than this Pivot reads" in done.err
    assert UPGRADE in done.err
    stored.pivot("verify", "--remote", "storage")


def write_tombstone(remote, value):
    folder = remote / "tombstones"
    folder.mkdir(exist_ok=True)
    (folder / f"{FileName.fresh()}.json").write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("harm", "code"), [(set_store, 13), (set_pack, 13), (set_index, 13), (set_lock, 13)],
    ids=["store", "pack", "index", "lock"],
)  # fmt: skip
def test_version_zero_is_damage(stored, harm, code):
    harm(stored, 0)
    done = stored.pivot("verify", "--data", code=code)
    assert "hint: " in done.err
    assert "Upgrade" not in done.err
    if harm is not set_lock:
        stored.pivot("verify", "--repair")
        stored.pivot("verify", "--data")
