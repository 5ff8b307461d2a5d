"""Finding the project around a folder."""

import pytest

from pivot.errors import NoProjectError, UsageError
from pivot.project.layout import find_project


def test_nearest_folder_above_counts(tmp_path):
    inner = tmp_path / "outer/inner"
    deep = inner / "a/b"
    deep.mkdir(parents=True)
    (tmp_path / "outer/.pivot").mkdir()
    assert find_project(str(deep)).root == str(tmp_path / "outer")
    (inner / ".pivot").mkdir()
    assert find_project(str(deep)).root == str(inner)


def test_folder_that_is_a_link_is_passed_over(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    project = tmp_path / "project"
    project.mkdir()
    (project / ".pivot").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoProjectError, match="no Pivot project"):
        find_project(str(project))


@pytest.mark.parametrize("name", ["stages", "cache", "runs", "aside", "tmp", "state.db"])
def test_link_where_pivot_writes_is_refused(tmp_path, name):
    (tmp_path / ".pivot").mkdir()
    (tmp_path / ".pivot" / name).symlink_to(tmp_path)
    with pytest.raises(UsageError, match="is a symbolic link") as caught:
        find_project(str(tmp_path))
    assert caught.value.hint
