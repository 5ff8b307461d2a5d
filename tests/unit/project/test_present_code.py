"""What is asked of the code at each stage that runs: its own files, as they are at that moment."""

import os

import pytest

from pivot.lock.observed import Observed
from pivot.paths import RepoPath, StageName
from pivot.project.planner import Planner


@pytest.fixture
def planner(place):
    """A project of two stages: each reaches a module of its own, and both the one of settings."""
    place.write("settings.py", "LIMIT = 1\n")
    for side in ("left", "right"):
        place.write(f"{side}.py", "from settings import LIMIT\n\ndef run():\n    return LIMIT\n")
        place.write(
            f"stages/of_{side}.py",
            f"from pivot import stage\nimport {side}\n\n"
            f"@stage(outs=['{side}.txt'])\ndef to_the_{side}():\n    {side}.run()\n",
        )
    place.write("spare.py", "def help():\n    return 1\n")
    place.write("pipeline.py", "import stages.of_left\nimport stages.of_right\n")
    found = Planner(place.open())
    found.survey(found.graph.stages)
    return found


def stage(planner, side):
    return planner.graph.stages[StageName(f"to_the_{side}")]


def code(planner, side):
    return planner.present_code.of(stage(planner, side))


@pytest.fixture
def looked_at(planner, monkeypatch):
    """The files that are looked at, when both stages have been asked about before."""
    for side in ("left", "right"):
        code(planner, side)
    found = []
    real = planner.project.workspace.file_ids
    monkeypatch.setattr(
        planner.project.workspace, "file_ids", lambda paths: found.extend(paths) or real(paths)
    )
    return found


def test_files_that_only_other_stages_depend_on_are_not_looked_at(planner, looked_at):
    code(planner, "left")
    assert sorted(looked_at) == ["left.py", "settings.py", "stages/of_left.py"]


def test_edit_of_a_source_changes_the_code_of_who_depends_on_it(planner, place):
    before = {side: code(planner, side) for side in ("left", "right")}
    place.write("left.py", "def run():\n    return 2\n")
    assert code(planner, "right") == before["right"]
    assert code(planner, "left") != before["left"]
    place.write("settings.py", "LIMIT = 3\n")
    assert code(planner, "right") != before["right"]


def test_edit_is_seen_however_soon_after_the_last_one(planner, place):
    seen = set()
    for number in range(10):
        place.write("settings.py", f"LIMIT = {number}\n")
        seen.add(code(planner, "left")["settings:LIMIT"])
    assert len(seen) == 10


@pytest.mark.parametrize("file", ["settings/__init__.py", "left/__init__.py"])
def test_module_that_appears_in_front_of_another_takes_its_place(planner, place, file):
    before = code(planner, "left")
    name = file.partition("/")[0]
    place.write(file, (place.path / f"{name}.py").read_text().replace("LIMIT", "LIMIT "))
    os.unlink(place.path / f"{name}.py")
    assert code(planner, "left") == before, "the same code in another place"
    place.write(file, "LIMIT = 5\n\ndef run():\n    return LIMIT + 1\n")
    assert code(planner, "left") != before


def test_module_that_was_missing_is_found_when_it_is_there(planner, place):
    place.write("left.py", "try:\n    from fast import run\nexcept ImportError:\n    run = print\n")
    assert "fast:run" not in code(planner, "left")
    place.write("fast.py", "def run():\n    return 2\n")
    assert "fast:run" in code(planner, "left")
    os.unlink(place.path / "fast.py")
    assert "fast:run" not in code(planner, "left")


def test_data_that_is_read_at_import_counts_as_it_is_now(planner, place):
    place.write("settings.py", "LIMIT = open('limit.txt').read()\n")
    place.write("limit.txt", "1")
    before = code(planner, "left")
    place.write("limit.txt", "2")
    assert code(planner, "left") != before


def test_names_of_a_listed_folder_count_as_they_are_now(planner, place):
    place.write("settings.py", "import os\nLIMIT = os.listdir('plugins')\n")
    place.write("plugins/a.txt", "")
    before = code(planner, "left")
    place.write("plugins/b.txt", "")
    assert code(planner, "left") != before


def test_how_the_code_is_written_is_told_of_the_sources_as_they_are_now(planner, place):
    one = stage(planner, "left")
    before = planner.present_code.written(one, Observed())
    assert planner.present_code.written(one, Observed()) == before
    place.write(
        "left.py", "from settings import LIMIT\n\ndef run():\n    # why\n    return LIMIT\n"
    )
    after = planner.present_code.written(one, Observed())
    assert after != before
    assert code(planner, "left") == planner.code.record.fingerprints[one.entry].code
    assert planner.present_code.written(one, Observed()) == after


def test_hash_of_what_no_stage_reaches_is_that_of_now(planner, place):
    before = planner.present_code.hashes(["spare:help"])
    place.write("spare.py", "def help():\n    return 2\n")
    after = planner.present_code.hashes(["spare:help"])
    assert None not in {before["spare:help"], after["spare:help"]}
    assert after != before


def test_what_was_asked_for_beside_is_kept_for_the_next_command(planner, place, monkeypatch):
    found = planner.present_code.hashes(["spare:help"])
    planner.present_code.keep()
    planner.project.close()
    after = Planner(place.open())
    monkeypatch.setattr("pivot.project.code.Code.opened", property(lambda _: pytest.fail("read")))
    assert after.code.hashes(["spare:help"]) == found
    place.write("spare.py", "def help():\n    return 2\n")
    monkeypatch.undo()
    assert after.code.hashes(["spare:help"]) != found


def test_record_of_which_no_modules_are_known_is_compared_as_a_whole(planner, looked_at):
    planner.project.state.record_document("code:consulted", b"of another time")
    planner.present_code._standing = None
    code(planner, "left")
    assert RepoPath("right.py") in looked_at
