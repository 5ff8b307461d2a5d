"""`pivot doctor`: what it finds, what it advises, and that following the advice heals."""

import json
import os
from pathlib import Path

import pytest

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/doctor.json").read_text())
REPAIR = "Run `pivot verify --repair`, which says how what is lost comes back"
NAMES = [
    "versions",
    "interpreter",
    "git",
    "configuration",
    "definitions",
    "locks",
    "tracked",
    "cache",
]


def examine(project, *options, code=0):
    """The checks of `--json` that aren't ok, after a look at the object's form."""
    done = project.pivot("doctor", *options, "--json", code=code)
    (value,) = done.lines
    assert done.err == ""
    assert value.keys() == set(SCHEMA["required"])
    fields = set(SCHEMA["properties"]["checks"]["items"]["required"])
    for check in value["checks"]:
        assert check.keys() == fields
        assert check["status"] in ("ok", "warning", "error")
        assert (check["status"] == "ok") == (check["hint"] is None), "what isn't ok has a remedy"
    return [check for check in value["checks"] if check["status"] != "ok"]


def packs(project):
    return sorted((project.path / ".pivot/cache/packs").glob("*/*.pack"))


def indexes(project):
    return sorted((project.path / ".pivot/cache/index").glob("*.idx"))


def damage(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(file, 0o644)
    file.write_bytes(data)


@pytest.fixture
def two_versions(story):
    """The first version of all outs is in the cache alone: the workspace has the second."""
    story.replace("lib/low.py", "2", "5")
    story.pivot("repro")
    story.replace("lib/low.py", "5", "2")
    return story


def test_sound_project_is_ok_in_every_respect(story):
    done = story.pivot("doctor")
    lines = [line.split()[:2] for line in done.out.splitlines()]
    assert lines == [["ok", f"{name}:"] for name in NAMES]
    assert "3 stages" in done.out
    assert "3 locks" in done.out
    assert done.err == ""
    assert examine(story, "--data") == []


def test_looking_changes_nothing(story):
    before = story.snapshot(), packs(story), indexes(story)
    story.pivot("doctor", "--data")
    assert (story.snapshot(), packs(story), indexes(story)) == before


def test_hints_stand_on_lines_of_their_own(story):
    story.lock("double").write_text("{")
    done = story.pivot("doctor", code=1)
    at = next(i for i, line in enumerate(done.out.splitlines()) if line.startswith("error "))
    finding, hint = done.out.splitlines()[at : at + 2]
    assert finding.startswith("error    locks: .pivot/stages/double.lock can't be read")
    assert hint.startswith("   hint: Take back a committed version with `git checkout")


@pytest.mark.parametrize(
    ("harm", "name", "status", "said", "hint"),
    [
        (lambda p: p.lock("double").write_text("{"), "locks", "error", "double.lock", "`git"),
        (
            lambda p: p.write("pipeline.py", "def broken(:\n"),
            "definitions",
            "error",
            "pipeline.py",
            "",
        ),
        (
            lambda p: p.replace("pipeline.py", "import json\n", "import json\nimport time\n"
                                "NOW = time.time()\n"),
            "definitions",
            "warning",
            "pipeline.py:3",
            "Move it into a stage's function",
        ),
        (
            lambda p: p.replace("lib/low.py", "return 2", "return globals()[input()]"),
            "code",
            "warning",
            "lib/low.py:2 can't be followed",
            "Modules that it may mean count",
        ),
        (
            lambda p: p.write(".pivot/config.local.toml", "[run]\njosb = 3\n"),
            "configuration",
            "error",
            "'run.josb', which is no setting",
            "Did you mean `run.jobs`?",
        ),
        (lambda p: damage(indexes(p)[0]), "cache", "error", "index ", REPAIR),
        (lambda p: packs(p)[0].unlink(), "cache", "error", " is missing", REPAIR),
        (lambda p: [f.unlink() for f in indexes(p)], "cache", "warning", " in no index", REPAIR),
    ],
    ids=["lock", "syntax", "clock", "opaque", "setting", "index", "pack", "no index"],
)  # fmt: skip
def test_finding_names_what_is_wrong_and_what_helps(story, harm, name, status, said, hint):
    harm(story)
    found = examine(story, code=1 if status == "error" else 0)
    (check,) = [c for c in found if c["name"] == name and said in c["text"]]
    assert check["status"] == status
    assert hint in check["hint"]


def test_no_repository_is_a_warning(empty, tmp_path):
    empty.path = tmp_path / "plain"
    empty.path.mkdir()
    empty.pivot("init", "--no-git")
    empty.write("pipeline.py", "from pivot import stage\n\n@stage(outs=['a'])\ndef a(): ...\n")
    (check,) = examine(empty)
    assert (check["name"], check["status"]) == ("git", "warning")
    assert check["hint"] == "Run `git init`"


def test_other_environment_of_the_project_is_an_error(story):
    """A `.venv` that isn't the one that Pivot runs in."""
    story.write(".venv/pyvenv.cfg", "home = /usr/bin\n")
    story.write(".venv/bin/python", "")
    found = examine(story, code=1)
    assert next(c["name"] for c in found if c["status"] == "error") == "interpreter"
    assert "pip install pivot`" in found[0]["hint"]


def test_remote_is_asked_only_on_request(story, tmp_path):
    (tmp_path / "remote").mkdir()
    (tmp_path / "remote/other").write_text("mine")
    story.pivot("remote", "add", "storage", "../remote")
    assert examine(story) == []
    (check,) = examine(story, "--remote", code=1)
    assert check["name"] == "remote"
    assert check["text"].startswith(f"{tmp_path}/remote holds no Pivot store")
    (tmp_path / "remote/other").unlink()
    story.pivot("push")
    assert examine(story, "--remote") == []
    assert f"{tmp_path}/remote answers" in story.pivot("doctor", "--remote").out


def test_remote_that_was_not_confirmed_is_a_finding(story, tmp_path):
    story.write(".pivot/config.toml", '[remotes.x]\nurl = "../remote"\n')
    (check,) = examine(story, "--remote", code=1)
    assert "was not confirmed on this machine" in check["text"]
    assert "`pivot pull --yes -r x`" in check["hint"]


def test_damaged_pack_is_found_where_data_is_read(story):
    damage(packs(story)[0])
    assert examine(story) == []
    (check,) = examine(story, "--data", code=1)
    assert packs(story)[0].stem in check["text"]
    assert check["hint"] == REPAIR


# -- repairing --------------------------------------------------------------------------------

NOTHING = {"indexed": 0, "saved": 0, "set_aside": [], "forgotten": 0}
NOTHING |= {"retaken": 0, "fetched": 0, "lost": 0}
HARM = {
    "deleted index": lambda p: indexes(p)[0].unlink(),
    "all indexes deleted": lambda p: [f.unlink() for f in indexes(p)],
    "damaged index": lambda p: damage(indexes(p)[0]),
    "emptied index": lambda p: os.truncate(indexes(p)[0], 0),
}


@pytest.mark.parametrize("harm", HARM)
def test_indexes_are_made_again_and_nothing_is_lost(two_versions, harm):
    HARM[harm](two_versions)
    (value,) = two_versions.pivot("doctor", "--repair", "--json").lines
    assert value["repaired"] == NOTHING | {"indexed": len(packs(two_versions))}
    assert examine(two_versions, "--data") == []
    assert two_versions.pivot("repro").statuses == {
        "double": "restored", "total": "restored", "alone": "unchanged"
    }  # fmt: skip


@pytest.fixture
def shared(stages, tmp_path):
    """Forty files in one pack, pushed, and gone from the workspace."""
    project = stages("""
        import random

        @stage(outs=["tree"])
        def tree():
            mark("tree")
            os.mkdir("tree")
            for number in range(40):
                with open(f"tree/{number}", "wb") as f:
                    f.write(random.Random(number).randbytes(20_000))
    """)
    project.pivot("repro")
    project.pivot("remote", "add", "storage", "../remote", "--default")
    project.pivot("push")
    project.ran()
    for number in range(40):
        (project.path / f"tree/{number}").unlink()
    (project.path / "tree").rmdir()
    return project


def test_damaged_pack_is_set_aside_its_sound_entries_saved_and_the_rest_pulled(shared):
    (pack,) = packs(shared)
    damage(pack)
    shared.pivot("checkout", code=13)
    assert not shared.exists("tree")
    done = shared.pivot("doctor", "--repair")
    first = done.out.splitlines()[0]
    assert first.startswith("Repaired the cache: indexed 0 packs, saved ")
    saved = int(first.split("saved ")[1].split()[0])
    assert 20 <= saved < 41
    aside = shared.path / ".pivot/cache/damaged" / pack.name
    assert first.endswith(f", set aside PROJECT/.pivot/cache/damaged/{pack.name}.")
    assert "lost 2 objects" in first, "a file, and the listing that names it"
    assert aside.exists()
    assert not pack.exists()
    assert examine(shared, "--data") == []
    (value,) = shared.pivot("pull", "--json").lines
    assert value["objects"] == value["total_objects"] - saved + 1 == 2
    assert shared.pivot("repro").statuses == {"tree": "unchanged"}
    assert shared.ran() == []


def test_what_is_lost_is_fetched_on_request(shared):
    (pack,) = packs(shared)
    damage(pack)
    (value,) = shared.pivot("doctor", "--repair", "--remote", "--json").lines
    assert (value["repaired"]["fetched"], value["repaired"]["lost"]) == (2, 0)
    shared.pivot("checkout")
    assert shared.pivot("repro").statuses == {"tree": "unchanged"}


@pytest.mark.parametrize("heal", ["pull", "repro"])
def test_missing_pack_is_forgotten_and_fetched(shared, heal):
    packs(shared)[0].unlink()
    shared.pivot("doctor", "--repair")
    assert examine(shared) == []
    shared.pivot("checkout", code=14)
    shared.pivot(heal)
    assert shared.pivot("repro").statuses == {"tree": "unchanged"}
    assert shared.ran() == []


def test_repairing_what_is_sound_changes_no_pack(story):
    before = [pack.read_bytes() for pack in packs(story)]
    (value,) = story.pivot("doctor", "--repair", "--json").lines
    assert value["repaired"]["saved"] == 0
    assert [pack.read_bytes() for pack in packs(story)] == before
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}
