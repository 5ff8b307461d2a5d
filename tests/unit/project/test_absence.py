"""Places where nothing was, told again by what folders list."""

import os

import pytest

from pivot.paths import RepoPath
from pivot.project.absence import Absence

MANY = [f"m{number}" for number in range(20)]


def paths(*names):
    return [RepoPath(name) for name in names]


@pytest.fixture
def absence(tmp_path):
    """Of twenty modules in a package, of a few files elsewhere, and of two folders."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/other.py").touch()
    found = Absence(str(tmp_path))
    found.add(paths(*(f"lib/{name}.py" for name in MANY)), paths("lib/deep/folder", "top"))
    found.add(paths("json.py", "json/__init__.py", "away/far/m.py"), ())
    return found


def test_what_was_not_there_is_still_not(absence, tmp_path):
    assert absence.holds()
    (tmp_path / "lib/unrelated.py").touch()
    (tmp_path / "jsonl.py").touch()
    assert absence.holds()


@pytest.mark.parametrize(
    "file", ["lib/m7.py", "json.py", "json/__init__.py", "away/far/m.py", "lib/deep/folder/x"]
)
def test_what_appears_is_noticed(absence, tmp_path, file):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    assert not absence.holds()


def test_folder_that_went_away_holds_nothing(absence, tmp_path):
    os.unlink(tmp_path / "lib/other.py")
    os.rmdir(tmp_path / "lib")
    assert absence.holds()


def test_link_that_led_nowhere_is_followed_when_it_leads_somewhere(tmp_path):
    os.symlink(tmp_path / "target", tmp_path / "link.py")
    os.symlink(tmp_path / "folder", tmp_path / "inner")
    absence = Absence(str(tmp_path))
    absence.add(paths("link.py"), paths("inner"))
    assert absence.holds()
    (tmp_path / "target").touch()
    assert not absence.holds()
    os.unlink(tmp_path / "target")
    assert absence.holds()
    (tmp_path / "folder").mkdir()
    assert not absence.holds()


def test_folder_in_place_of_a_file_is_none(tmp_path):
    (tmp_path / "m.py").mkdir()
    absence = Absence(str(tmp_path))
    absence.add(paths("m.py"), ())
    assert absence.holds()
    os.rmdir(tmp_path / "m.py")
    (tmp_path / "m.py").touch()
    assert not absence.holds()
