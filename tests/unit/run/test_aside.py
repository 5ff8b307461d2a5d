"""Outs aside while their stage runs: every way it may end, every moment it may die."""

import contextlib
import os
import shutil

import pytest

from pivot.errors import PivotError
from pivot.paths import RepoPath, StageName
from pivot.run import aside as module
from pivot.run.aside import aside, open_run, recover

STAGE = StageName("group/make")
OUTS = (RepoPath("a.txt"), RepoPath("deep/tree"), RepoPath("never"))
GOOD = {"a.txt": "good", "deep/tree/x": "good x"}


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / ".pivot").mkdir(parents=True)
    for name, text in GOOD.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def files(project):
    found = {}
    for base, folders, names in os.walk(project):
        folders[:] = [f for f in folders if f != ".pivot"]
        for name in names:
            path = os.path.join(base, name)
            with open(path) as f:
                found[os.path.relpath(path, project)] = f.read()
    return found


def write_half(project):
    for name in ("a.txt", "deep/tree/half", "never"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("half")


def test_outs_are_out_of_the_way_while_the_stage_runs(project):
    kept = aside(str(project), "run", STAGE, OUTS)
    kept.put()
    assert files(project) == {}


def test_failed_stage_gives_its_outs_back_and_half_ones_are_kept_beside(project):
    kept = aside(str(project), "run", STAGE, OUTS)
    kept.put()
    write_half(project)
    kept.restore()
    assert files(project) == GOOD
    beside = project / ".pivot/aside/kept/group%2Fmake"
    assert sorted(os.listdir(beside)) == ["0", "1", "2"]
    assert (beside / "2").read_text() == "half"


def test_good_end_leaves_the_new_outs(project):
    kept = aside(str(project), "run", STAGE, OUTS)
    kept.put()
    write_half(project)
    kept.drop()
    assert files(project)["a.txt"] == "half"
    assert recover(str(project)) == ()


def test_nothing_is_recovered_where_nothing_died(project):
    assert recover(str(project)) == ()
    with open_run(str(project), "run"):
        pass
    assert recover(str(project)) == ()
    assert os.listdir(project / ".pivot/aside") == []


def test_living_run_is_let_be(project):
    with open_run(str(project), "run"):
        kept = aside(str(project), "run", STAGE, OUTS)
        kept.put()
        assert recover(str(project)) == ()
        assert files(project) == {}
        kept.drop()


def test_dead_run_is_recovered_once(project):
    with open_run(str(project), "run"):
        aside(str(project), "run", STAGE, OUTS).put()
        write_half(project)
    assert set(recover(str(project))) == set(OUTS)
    assert files(project) == GOOD
    assert recover(str(project)) == ()


class DeathError(BaseException):
    """The process ends here."""


def dying(original, after):
    calls = iter(range(after))

    def call(*arguments, **options):
        if next(calls, None) is None:
            raise DeathError
        return original(*arguments, **options)

    return call


@pytest.mark.parametrize("moment", range(8))
@pytest.mark.parametrize("end", ["restore", "drop"])
def test_death_at_any_moment_loses_nothing(project, monkeypatch, end, moment):
    """Outs are the old ones or, once the stage is done with, the new ones; never neither."""
    kept = aside(str(project), "run", STAGE, OUTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.os, "rename", dying(os.rename, moment))
        patch.setattr(module, "write_atomic", dying(module.write_atomic, moment))
        with contextlib.suppress(DeathError), open_run(str(project), "run"):
            kept.put()
            write_half(project)
            kept.restore() if end == "restore" else kept.drop()
    recover(str(project))
    now = files(project)
    assert now == GOOD or (end == "drop" and moment >= 2 and now["a.txt"] == "half")


@pytest.mark.parametrize("moment", range(6))
def test_death_while_recovering_loses_nothing(project, moment):
    with open_run(str(project), "run"):
        aside(str(project), "run", STAGE, OUTS).put()
        write_half(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.os, "rename", dying(os.rename, moment))
        with contextlib.suppress(DeathError):
            recover(str(project))
    recover(str(project))
    assert files(project) == GOOD


def test_damaged_list_of_outs_stops_nobody(project):
    with open_run(str(project), "run"):
        kept = aside(str(project), "run", STAGE, OUTS)
        kept.put()
        write_half(project)
    manifest = project / ".pivot/aside/run/group%2Fmake/outs.json"
    manifest.write_text('[["../escape", true]]')
    slot = manifest.parent / "0"
    assert slot.read_text() == "good"
    recover(str(project))
    assert not (project.parent / "escape").exists()
    found = list((project / ".pivot/aside").glob("**/0"))
    assert "good" in [path.read_text() for path in found if path.is_file()], "it isn't deleted"


def test_link_in_the_way_is_never_followed(project, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    with open_run(str(project), "run"):
        kept = aside(str(project), "run", STAGE, OUTS)
        kept.put()
    shutil.rmtree(project / "deep")
    (project / "deep").symlink_to(outside)
    with pytest.raises(PivotError, match="link"):
        recover(str(project))
    assert os.listdir(outside) == []
    (project / "deep").unlink()
    recover(str(project))
    assert files(project) == GOOD
