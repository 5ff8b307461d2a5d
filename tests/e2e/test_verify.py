"""`pivot verify`: what it finds and how it exits; and that repairing brings back what can be."""

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from pivot.project.confirmed import confirmed_file

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/verify.json").read_text())


def verify(project, *options, code=0):
    """The object of `--json`, after a look at its form."""
    done = project.pivot("verify", *options, "--json", code=code)
    (value,) = done.lines
    fits(value, SCHEMA)
    return value


def fits(value, schema):
    """Whether objects have exactly the fields, and words are among those, that the schema tells."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"]["finding"]
    if "anyOf" in schema:
        schema = schema["anyOf"][value is not None]
    if "enum" in schema:
        assert value in schema["enum"]
    if isinstance(value, dict):
        assert value.keys() == set(schema["required"])
        for name, item in value.items():
            fits(item, schema["properties"][name])
    if isinstance(value, list):
        for item in value:
            fits(item, schema["items"])


def findings(value):
    """What was found by stage, as (kind, what); good stages are left out."""
    return {
        stage["stage"]: [(f["kind"], f["what"]) for f in stage["findings"]]
        for stage in value["stages"]
        if stage["findings"]
    }


def packs(project):
    return sorted((project.path / ".pivot/cache/packs").glob("*/*.pack"))


def indexes(project):
    return sorted((project.path / ".pivot/cache/index").glob("*.idx"))


def damage(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(file, 0o644)
    file.write_bytes(data)


# -- code, deps, outs -------------------------------------------------------------------------


def test_what_just_ran_is_good(story):
    value = verify(story)
    assert value["state"] == "good"
    assert [s["stage"] for s in value["stages"]] == ["alone", "double", "total"]
    assert findings(value) == {}
    assert story.pivot("verify").out.splitlines()[-1] == "3 stages: 3 good"


def test_nothing_of_the_project_is_run(story):
    """Nor loaded: whoever checks a stranger's branch runs nothing of it."""
    story.write("pipeline.py", story.read("pipeline.py") + "\nopen('was_loaded', 'w')\n")
    story.write("sitecustomize.py", "open('was_loaded', 'w')\n")
    assert findings(verify(story, code=4)).keys() == {"alone", "double", "total"}
    assert not story.exists("was_loaded")


def test_where_modules_come_from_is_known_without_having_loaded_anything(story):
    (story.path / ".pivot/state.db").unlink()
    assert verify(story)["state"] == "good"


def test_changed_code_is_named_with_its_place(story):
    story.replace("lib/low.py", "2", "5")
    value = verify(story, code=4)
    assert findings(value) == {"double": [("code", "lib.low:factor")]}
    (finding,) = value["stages"][1]["findings"]
    assert (finding["file"], finding["line"]) == ("lib/low.py", 1)
    assert finding["old"] != finding["new"]
    assert "lib/low.py:1" in story.pivot("verify", code=4).out


def test_function_that_is_gone_or_cannot_be_read_is_stale(story):
    story.replace("pipeline.py", "def alone", "def other")
    assert findings(verify(story, code=4)) == {"alone": [("code", "pipeline:alone")]}
    story.write("pipeline.py", "def broken(:\n")
    value = verify(story, code=4)
    assert findings(value).keys() == {"alone", "double", "total"}
    assert "pipeline.py" in value["stages"][0]["findings"][0]["text"]


def test_changed_dep_and_edited_out_are_named(story):
    story.write("a.txt", "4\n")
    story.write("out/doubled.txt", "mine\n")
    assert findings(verify(story, code=4)) == {
        "double": [("dep", "a.txt"), ("out", "out/doubled.txt")],
        "total": [("dep", "out/doubled.txt")],
    }


def test_out_that_is_gone_is_named_with_what_brings_it_back(story):
    (story.path / "alone.txt").unlink()
    (finding,) = verify(story, code=4)["stages"][0]["findings"]
    assert (finding["kind"], finding["new"]) == ("out", None)
    done = story.pivot("verify", code=4)
    assert "hint: `pivot checkout`" in done.err
    story.pivot("checkout")
    verify(story)


def test_targets_are_stages_outs_and_folders(story):
    for target, names in {"alone": ["alone"], "out": ["double"], "total.json": ["total"]}.items():
        assert [s["stage"] for s in verify(story, target)["stages"]] == names
    story.replace("lib/low.py", "2", "5")
    verify(story, "alone")
    done = story.pivot("verify", "alnoe", code=2)
    assert "Did you mean 'alone'?" in done.err


def test_unreadable_lock_is_named_and_the_others_are_checked(story):
    story.lock("double").write_text("{")
    value = verify(story, code=13)
    assert findings(value) == {"double": [("lock", ".pivot/stages/double.lock")]}
    assert [s["state"] for s in value["stages"]] == ["good", "damaged", "good"]
    assert "`git checkout HEAD -- .pivot/stages/double.lock`" in story.pivot("verify", code=13).err


def test_unreadable_record_of_tracked_data_is_named_and_the_rest_is_checked(story):
    story.write("data/a", "1")
    story.write("data/b", "2")
    story.pivot("track", "data/a", "data/b")
    story.write("data/a.pvt", "<<<<<<< ours\n")
    expected = [("data/a", [("lock", "data/a.pvt")]), ("data/b", [])]
    for options in ([], ["--repair"]):
        value = verify(story, *options, code=13)
        assert tracked(value) == expected
        assert [s["state"] for s in value["stages"]] == ["good", "good", "good"]
    assert "`git checkout HEAD -- data/a.pvt`" in story.pivot("verify", code=13).err
    assert tracked(verify(story, "data/a", code=13)) == expected[:1]
    assert tracked(verify(story, "data", code=13)) == expected
    assert tracked(verify(story, "data/b")) == expected[1:]
    verify(story, "alone")


def tracked(value):
    return [
        (row["path"], [(f["kind"], f["what"]) for f in row["findings"]]) for row in value["tracked"]
    ]


def test_looking_changes_nothing(story):
    before = story.snapshot(), packs(story), indexes(story)
    story.pivot("verify", "--data")
    assert (story.snapshot(), packs(story), indexes(story)) == before


# -- the store --------------------------------------------------------------------------------


def clear(project, *names):
    for name in names:
        path = project.path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def pack_of(project, size):
    """The pack of about this many bytes."""
    return min(packs(project), key=lambda p: abs(p.stat().st_size - size))


def never_had(project, *gone):
    """Make the cache one that these packs never came to: their indexes go, too."""
    for pack in gone:
        for index in indexes(project):
            if bytes.fromhex(pack.stem) in index.read_bytes():
                index.unlink()
        pack.unlink()


def test_all_that_restoring_needs_is_looked_up_not_just_the_first(stored):
    """A recipe without one of its chunks is no data; nor is a listing without a file."""
    pack_of(stored, 2_500_000).unlink()
    value = verify(stored, code=13)
    assert findings(value) == {"big": [("missing", "big")]}
    assert value["stages"][0]["findings"][0]["objects"] >= 1
    assert len(value["store"]["missing_packs"]) == 1
    pack_of(stored, 200_000).unlink()
    assert findings(verify(stored, code=13)).keys() == {"big", "tree"}


def test_pack_that_is_gone_from_under_its_index_is_damage_even_if_nothing_needs_it(stored):
    stored.lock("small").unlink()
    pack = pack_of(stored, 300)
    pack.unlink()
    value = verify(stored, code=13)
    assert (value["state"], findings(value)) == ("damaged", {})
    assert value["store"]["missing_packs"] == [pack.stem]
    done = stored.pivot("verify", code=13)
    assert "cache: 1 pack that an index names is gone" in done.out
    assert "`pivot verify --repair`" in done.err
    assert f"pack {pack.stem} is missing" in stored.pivot("doctor", code=1).out
    verify(stored, "--repair")
    verify(stored)


def test_missing_data_may_be_elsewhere(stored):
    never_had(stored, *packs(stored))
    clear(stored, "tree", "big", "small")
    assert set(findings(verify(stored, code=14))) == {"big", "small", "tree"}
    assert verify(stored, "--remote", "storage")["state"] == "good"
    assert verify(stored, "--allow-missing")["state"] == "good"
    stored.replace("pipeline.py", "300", "301")
    assert findings(verify(stored, "--allow-missing", code=4)) == {
        "small": [("code", "pipeline:small")]
    }


def test_what_the_remote_was_last_seen_to_have_counts_until_it_is_asked(stored, tmp_path):
    never_had(stored, *packs(stored))
    verify(stored, "--allow-missing", code=14)
    verify(stored, "--remote", "storage")
    for index in (tmp_path / "remote/index").iterdir():
        index.unlink()
    verify(stored, "--allow-missing")
    assert findings(verify(stored, "--remote", "storage", code=14)).keys() == {
        "big", "small", "tree"
    }  # fmt: skip


def test_fresh_clone_can_be_verified_against_the_remote(stored, tmp_path):
    stored.commit_all()
    stored.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    shutil.rmtree(stored.path)
    os.rename(tmp_path / "clone", stored.path)
    verify(stored, "--allow-missing", code=14)
    os.unlink(confirmed_file(os.environ))
    environment = {"PIVOT_REMOTE_STORAGE_URL": str(tmp_path / "remote")}
    stored.pivot("verify", "--remote", "storage", code=12)
    stored.pivot("verify", "--remote", "storage", env=environment)


def test_damage_is_found_where_data_is_read_and_told_by_stage(stored):
    damage(pack_of(stored, 2_500_000))
    verify(stored)
    value = verify(stored, "--data", code=13)
    assert findings(value) == {"big": [("damaged", "big")]}
    assert value["store"]["damaged"][0]["name"] == pack_of(stored, 2_500_000).stem
    assert value["store"]["read_packs"] == len(packs(stored))
    assert value["store"]["read_bytes"] == sum(p.stat().st_size for p in packs(stored))


def test_worst_exit_code_wins(stored):
    stored.replace("pipeline.py", "300", "301")
    verify(stored, code=4)
    never_had(stored, pack_of(stored, 2_500_000))
    verify(stored, code=14)
    damage(pack_of(stored, 200_000))
    verify(stored, "--data", code=13)


def test_parts_together_read_everything_once(stored):
    read = [verify(stored, "--subset", f"{n}/4")["store"]["read_packs"] for n in (1, 2, 3, 4)]
    assert sum(read) == len(packs(stored))
    assert verify(stored, "--subset", "2/4")["store"]["read_packs"] == read[1]
    for bad in ("0/3", "4/3", "1", "a/b", "1/0"):
        assert "no part like 1/30" in stored.pivot("verify", "--subset", bad, code=2).err
    assert "--repair" in stored.pivot("verify", "--subset", "1/2", "--repair", code=2).err


def test_damaged_index_is_named_and_the_rest_is_still_checked(stored):
    damage(indexes(stored)[0])
    value = verify(stored, code=13)
    assert [d["kind"] for d in value["store"]["damaged"]] == ["index"]
    assert len(findings(value)) >= 1
    done = stored.pivot("verify", code=13)
    assert "`pivot verify --repair`" in done.err


def test_packs_in_no_index_are_said_with_what_mends_them(stored):
    for index in indexes(stored):
        index.unlink()
    value = verify(stored, code=14)
    assert len(value["store"]["unindexed_packs"]) == len(packs(stored))
    assert "`pivot verify --repair`" in stored.pivot("verify", code=14).err
    verify(stored, "--repair")
    verify(stored)


# -- repairing --------------------------------------------------------------------------------

HARM = {
    "damaged packs": lambda p: [damage(f) for f in packs(p)],
    "missing packs": lambda p: [f.unlink() for f in packs(p)],
    "cut packs": lambda p: [cut(f) for f in packs(p)],
}


def cut(file):
    os.chmod(file, 0o644)
    os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize("harm", HARM)
def test_what_is_lost_is_taken_from_the_workspace(stored, harm, tmp_path):
    (tmp_path / "remote").rename(tmp_path / "away")
    HARM[harm](stored)
    value = verify(stored, "--repair")
    assert value["repaired"]["retaken"] > 0
    assert (value["repaired"]["fetched"], value["repaired"]["lost"]) == (0, 0)
    clear(stored, "tree", "big", "small")
    stored.pivot("checkout")
    verify(stored, "--data")


def test_sound_files_of_an_edited_directory_are_taken(stored, tmp_path):
    (tmp_path / "remote").rename(tmp_path / "away")
    pack_of(stored, 200_000).unlink()
    stored.write("tree/3", b"edited")
    value = verify(stored, "--repair", code=13)
    assert value["repaired"]["retaken"] == 9
    assert findings(value)["tree"] == [("out", "tree"), ("damaged", "tree")]
    assert value["repaired"]["lost"] == 2, "the file that was edited, and the listing"


def test_remembered_files_are_read_again_before_they_are_believed(stored, tmp_path):
    """What the stat cache says of a file isn't what its bytes are, if something tricked it."""
    (tmp_path / "remote").rename(tmp_path / "away")
    verify(stored)  # which remembers
    pack_of(stored, 300).unlink()
    file = stored.path / "small"
    before = file.stat()
    file.write_bytes(bytes(300))
    forge_state(stored, "small", before)
    value = verify(stored, "--repair", code=13)
    assert findings(value)["small"][-1] == ("damaged", "small")
    file.unlink()
    stored.pivot("checkout", "small", code=14)


def forge_state(project, name, before):
    """Make the accelerator believe that `name` still is what it was."""
    os.utime(project.path / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    now = (project.path / name).stat()
    with contextlib.closing(sqlite3.connect(project.path / ".pivot/state.db")) as database:
        done = database.execute(
            "UPDATE files SET ctime = ? WHERE path = ?", (now.st_ctime_ns, name)
        )
        database.commit()
    assert done.rowcount == 1


@pytest.mark.parametrize("harm", HARM)
def test_what_only_the_remote_has_is_fetched(stored, harm):
    clear(stored, "tree", "big", "small")
    HARM[harm](stored)
    value = verify(stored, "--repair", code=4)
    assert value["repaired"]["lost"] == 0
    assert value["repaired"]["fetched"] > 0
    assert {kind for found in findings(value).values() for kind, _ in found} == {"out", "dep"}
    stored.pivot("checkout")
    verify(stored, "--data")


def test_what_is_nowhere_is_named_with_every_lock_that_needs_it(stored, tmp_path):
    (tmp_path / "remote").rename(tmp_path / "away")
    clear(stored, "tree", "big", "small")
    for pack in packs(stored):
        damage(pack)
    done = stored.pivot("verify", "--repair", code=13)
    assert "warning: the remote wasn't used: " in done.err
    for name in ("tree", "big", "small"):
        assert f"stored data of {name} is damaged or lost" in done.out
    assert "`pivot repro` makes again" in done.err
    assert len(list((stored.path / ".pivot/cache/damaged").iterdir())) == 3
    stored.pivot("repro")
    verify(stored, "--data")


def test_remote_that_was_not_confirmed_is_not_asked(stored):
    clear(stored, "small")
    pack_of(stored, 300).unlink()
    os.unlink(confirmed_file(os.environ))
    done = stored.pivot("verify", "--repair", code=13)
    assert "was not confirmed on this machine" in done.err
    stored.pivot("verify", "--repair", "--remote", "storage", code=12)


def test_what_was_never_here_is_not_fetched(stored):
    """Repairing a clone that has pulled nothing downloads nothing."""
    shutil.rmtree(stored.path / ".pivot/cache")
    clear(stored, "tree", "big", "small")
    value = verify(stored, "--repair", code=14)
    assert value["repaired"]["fetched"] == 0


def test_damaged_store_file_is_replaced(stored):
    marker = stored.path / ".pivot/cache/pivot-store.json"
    os.chmod(marker, 0o644)
    marker.write_text("{")
    done = stored.pivot("verify", code=13)
    assert "`pivot verify --repair`" in done.err
    value = verify(stored, "--repair")
    assert value["repaired"]["set_aside"][0].endswith("damaged/pivot-store.json")
    verify(stored, "--data")


def test_repair_waits_for_whoever_uses_the_cache_and_says_so(stored):
    path = stored.path / ".pivot/cache/tmp/in-use"
    path.parent.mkdir(exist_ok=True)
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        process = stored.start("verify", "--repair")
        line = process.stderr.readline()
        assert line == "waiting until another process no longer uses the cache\n"
        assert process.poll() is None
    assert stored.finish(process).out.startswith("Repaired the cache: ")


def test_accelerators_come_back(stored):
    """Indexes, copies of the remote's, and `state.db` can be deleted at any time."""
    for index in indexes(stored):
        index.unlink()
    shutil.rmtree(stored.path / ".pivot/cache/remotes")
    (stored.path / ".pivot/state.db").unlink()
    verify(stored, "--repair")
    verify(stored, "--data")
    clear(stored, "tree", "big", "small")
    stored.pivot("checkout")
    assert set(stored.pivot("repro").statuses.values()) == {"unchanged"}
