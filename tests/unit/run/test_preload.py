"""What is loaded ahead, and what would stand in its way."""

import sys

import pytest

from pivot.run.preload import installed_only, overlays, preload


def test_only_allowed_and_wanted_modules_are_loaded():
    assert preload(["pydantic", "json", "no_such_module"]) == ("pydantic",)


@pytest.mark.parametrize("failure", ["raise AttributeError('abi')", "import nowhere", "syntax("])
def test_broken_module_is_skipped(tmp_path, monkeypatch, failure):
    (tmp_path / "scipy.py").write_text(failure)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "scipy", raising=False)
    assert preload(["scipy"]) == ()


def test_project_folders_are_off_the_path_meanwhile(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.path)
    with installed_only() as unused:
        assert str(tmp_path) in unused
        assert str(tmp_path) not in sys.path
        assert any(entry.endswith("site-packages") for entry in sys.path)
        assert any(entry.endswith("lib-dynload") for entry in sys.path)
    assert sys.path == before


@pytest.mark.parametrize("file", ["six.py", "six/__init__.py", "six.cpython-313-x86_64.so"])
def test_module_of_the_same_name_overlays(tmp_path, file):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert overlays(str(tmp_path), frozenset({"six"}))
    assert not overlays(str(tmp_path), frozenset({"seven"}))


@pytest.mark.parametrize("file", ["six/data.csv", "six.csv", "sixth.py"])
def test_folders_and_other_files_dont_overlay(tmp_path, file):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert not overlays(str(tmp_path), frozenset({"six"}))


def test_missing_root_overlays_nothing(tmp_path):
    assert not overlays(str(tmp_path / "none"), frozenset({"six"}))
