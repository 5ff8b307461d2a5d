"""Where `.pvt` files are looked for, and where they aren't."""

import os

import pytest

from pivot.errors import DeniedError
from pivot.track.finding import find_tracked, pass_over


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_records_are_found_at_any_depth_sorted_and_without_their_data(tmp_path):
    make(tmp_path, "b.pvt", "a/x.csv.pvt", "a/deep/er/y.pvt", "a/other.txt")
    assert find_tracked(str(tmp_path)) == ["a/deep/er/y", "a/x.csv", "b"]


@pytest.mark.parametrize(
    "names",
    [
        [".git/x.pvt"],
        [".pivot/x.pvt"],
        ["sub/.GIT/x.pvt"],
        ["env/pyvenv.cfg", "env/lib/x.pvt"],
        ["web/node_modules/x.pvt"],
        ["lib/__pycache__/x.pvt"],
        ["inner/.pivot/config.toml", "inner/x.pvt", "inner/deep/y.pvt"],
        ["out/x.pvt", "out/deep/y.pvt"],
        [".pivot-tmp-0011-x.pvt"],
        [".pvt"],
        ["control\x01.pvt"],
    ],
)
def test_folders_that_can_have_none_and_names_that_are_none_are_passed_by(tmp_path, names):
    make(tmp_path, "raw.pvt", *names)
    assert find_tracked(str(tmp_path), outs={"out"}) == ["raw"]


def test_tracked_directories_are_data(tmp_path):
    make(tmp_path, "raw.pvt", "raw/inner.pvt", "raw/deep/inner.pvt", "raw2/x.pvt")
    assert find_tracked(str(tmp_path)) == ["raw", "raw2/x"]


def test_links_are_not_followed(tmp_path):
    root, away = tmp_path / "root", tmp_path / "away"
    make(away, "x.pvt")
    make(root, "raw.pvt")
    (root / "link").symlink_to(away)
    (root / "y.pvt").symlink_to(away / "x.pvt")
    (root / "loop").symlink_to(root)
    assert find_tracked(str(root)) == ["raw"]


def test_a_folder_that_cannot_be_listed_is_an_error_unless_one_passes_over_it(
    tmp_path, monkeypatch
):
    make(tmp_path, "raw.pvt", "closed/x.pvt")
    scandir = os.scandir

    def denying(folder):
        if "closed" in folder:
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", denying)
    assert find_tracked(str(tmp_path), denied=pass_over) == ["raw"]
    with pytest.raises(DeniedError):
        find_tracked(str(tmp_path))
