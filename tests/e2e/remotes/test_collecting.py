"""Collecting a remote as a team does: two clones, two repositories, a folder and S3."""

import json
import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from tests.e2e.schemas import conforms

DAY = 86_400


@pytest.fixture
def grown(empty):
    """Three versions of a file, each committed and pushed; the first is tagged."""
    empty.pivot("remote", "add", "storage", "../remote", "--default")
    for number in (1, 2, 3):
        version(empty, number)
        if number == 1:
            empty.git("tag", "v1")
    return empty


def version(project, number):
    project.write("data.txt", f"version {number}\n" * 500)
    project.pivot("track", "data.txt")
    project.commit_all(f"version {number}")
    project.pivot("push")


def gc(project, *options, code=0):
    done = project.pivot("gc", "--remote", "storage", *options, "--json", code=code)
    (found,) = done.lines
    conforms(found, "gc-remote" if code in (0, 3) else "error")
    return found


def age_tombstones(remote, days):
    """As if they had been put so many days ago: a folder's own times are its clock."""
    for path in (remote / "tombstones").iterdir():
        os.utime(path, (path.stat().st_mtime - days * DAY,) * 2)


def files(remote):
    return {p.relative_to(remote).as_posix() for p in remote.rglob("*") if p.is_file()}


def clone(project, name, **environment):
    path = project.path.parent / name
    subprocess.run(["git", "clone", "--quiet", project.path, path], check=True)
    url = {"PIVOT_REMOTE_STORAGE_URL": str(project.path.parent / "remote")}
    return replace(project, path=path, environment={**url, **environment})


def pulls(project, revision):
    project.git("checkout", "--quiet", "--force", revision)
    shutil.rmtree(project.path / ".pivot/cache", ignore_errors=True)
    (project.path / "data.txt").unlink(missing_ok=True)
    done = project.pivot("pull", code=None)
    assert done.code in (0, 14), done.err
    return done.code == 0


def test_it_takes_two_runs_with_the_grace_between_them(grown, tmp_path):
    remote = tmp_path / "remote"
    before = files(remote)
    foreseen = gc(grown, "--tags")
    assert files(remote) == before
    assert len(foreseen["doomed_packs"]) == 1  # the second version
    done = gc(grown, "--tags", "--apply")
    assert done == {**foreseen, "dry_run": False}
    assert len(files(remote) - before) == 1
    other = clone(grown, "other")
    assert pulls(other, "main~1")
    again = gc(grown, "--tags", "--apply")
    assert again["waiting_packs"] == done["doomed_packs"]
    assert (again["doomed_packs"], again["deleted_packs"]) == ([], [])

    age_tombstones(remote, 15)
    foreseen = gc(grown, "--tags")
    done = gc(grown, "--tags", "--apply")
    assert done == {**foreseen, "dry_run": False}
    assert done["deleted_packs"] == again["waiting_packs"]
    stones = [json.loads(file.read_text()) for file in (remote / "tombstones").iterdir()]
    assert [s["packs"] for s in stones if s.get("deleted")] == [done["deleted_packs"]]
    assert len([name for name in files(remote) if name.startswith("packs/")]) == 2
    other = clone(grown, "another")
    assert [pulls(other, r) for r in ("main", "v1", "main~1")] == [True, True, False]


def test_what_is_needed_again_is_copied_before_it_would_go(grown, tmp_path):
    remote = tmp_path / "remote"
    assert len(gc(grown, "--workspace", "--apply")["doomed_packs"]) == 2
    grown.git("branch", "kept", "main~1")
    age_tombstones(remote, 15)
    done = gc(grown, "--branches", "--apply")
    assert (done["copied_entries"], len(done["deleted_packs"])) == (1, 2)
    other = clone(grown, "other")
    assert [pulls(other, r) for r in ("main", "origin/kept", "v1")] == [True, True, False]


def test_a_push_sends_again_what_is_marked(grown, tmp_path):
    gc(grown, "--workspace", "--apply")
    grown.git("checkout", "--quiet", "v1")
    grown.pivot("checkout")
    assert grown.pivot("push").out.startswith("Pushed 1 of 1 objects")
    age_tombstones(tmp_path / "remote", 15)
    grown.git("checkout", "--quiet", "main")
    done = gc(grown, "--workspace", "--grace", "2d", "--apply")
    assert len(done["deleted_packs"]) == 2
    assert len(done["doomed_packs"]) == 1  # nobody committed it meanwhile
    assert pulls(clone(grown, "other"), "v1")


def test_another_project_has_to_be_asked(grown, tmp_path, template):
    path = tmp_path / "second"
    shutil.copytree(template, path, symlinks=True)
    second = replace(grown, path=path)
    second.pivot("remote", "add", "storage", "../remote", "--default")
    second.write("own.txt", "only the second project has it\n")
    second.pivot("track", "own.txt")
    second.commit_all()
    second.pivot("push")

    (unasked,) = gc(grown, "--all-commits")["unasked"]
    assert str(path) in unasked["project"]
    refused = gc(grown, "--all-commits", "--apply", code=1)
    assert refused["code"] == "unasked"
    assert unasked["id"] in refused["hint"]
    both = gc(grown, "--all-commits", "--project", str(path), "--apply")
    assert both["doomed_packs"] == []
    assert [k["path"] for k in both["kept"] if k["project"]] == ["own.txt"]
    gone = gc(grown, "--all-commits", "--gone", unasked["id"], "--apply")
    assert len(gone["doomed_packs"]) == 1
    assert gc(grown, "--all-commits")["unasked"] == []


def test_clones_of_a_repository_are_one_project(grown):
    other = clone(grown, "other")
    other.pivot("pull")
    version(other, 4)
    assert gc(grown, "--all-commits")["unasked"] == []
    assert gc(other, "--all-commits")["unasked"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--remote", "storage"), "needs to be told what to keep"),
        (("--workspace", "--apply"), "--apply is for a remote"),
        (("--workspace", "--gone", "a"), "--gone is for a remote"),
        (("--workspace", "--remote", "storage", "--grace", "1h"), "less than a day"),
        (("--workspace", "--remote", "storage", "--gone", "a"), "no project with the id"),
        (("--workspace", "--remote", "nowhere"), "there is no remote"),
        (("--workspace", "--remote", "storage", "-n", "--apply"), "contradict"),
    ],
)
def test_what_makes_no_sense_is_refused(grown, options, message):
    assert message in grown.pivot("gc", *options, code=2).err


def test_a_grace_is_configured_and_bounded(grown, tmp_path):
    grown.pivot("config", "set", "gc.grace", "3d")
    gc(grown, "--workspace", "--apply")
    age_tombstones(tmp_path / "remote", 4)
    assert len(gc(grown, "--workspace")["deleted_packs"]) == 2
    assert "at least 1d" in grown.pivot("config", "set", "gc.grace", "2h", code=2).err
    assert gc(grown, "--workspace", "--grace", "1h", "--allow-short-grace")["grace_s"] == 3600


def test_a_shallow_clone_is_refused(grown, tmp_path):
    path = tmp_path / "shallow"
    url = f"file://{grown.path}"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", url, path], check=True)
    before = files(tmp_path / "remote")
    shallow = replace(
        grown, path=path, environment={"PIVOT_REMOTE_STORAGE_URL": str(tmp_path / "remote")}
    )
    assert "shallow" in shallow.pivot("gc", "-A", "--remote", "storage", "--apply", code=2).err
    assert files(tmp_path / "remote") == before


def test_a_damaged_index_stops_it(grown, tmp_path):
    index = next((tmp_path / "remote/index").iterdir())
    shutil.rmtree(grown.path / ".pivot/cache/remotes")
    index.chmod(0o644)
    index.write_bytes(index.read_bytes()[:-9] + b"x" * 9)
    before = files(tmp_path / "remote")
    grown.pivot("gc", "--workspace", "--remote", "storage", "--apply", code=13)
    assert files(tmp_path / "remote") == before


def test_a_cache_that_others_push_to_is_collected_neither_way(grown, tmp_path):
    """It has no grace: pushes under way rely on it, and caches know no tombstones."""
    user = replace(grown, path=tmp_path / "user")
    shutil.copytree(grown.path, user.path, symlinks=True)
    user.pivot("config", "set", "--local", "cache.dir", str(tmp_path / "remote"))
    before = {name for name in files(tmp_path / "remote") if name.startswith("packs/")}
    refused = user.pivot("gc", "--workspace", code=1)
    assert "which is a remote then" in refused.err
    refused = grown.pivot("gc", "--workspace", "--remote", "storage", code=2)
    assert "is used as a cache, too" in refused.err
    assert before <= files(tmp_path / "remote")


def test_the_notes_of_projects_hold_no_credentials(grown, tmp_path):
    grown.git("remote", "add", "origin", "https://ada:secret@example.org:8443/team/wine.git")
    shutil.rmtree(grown.path / ".pivot/cache/remotes")
    grown.pivot("push")
    notes = [json.loads(p.read_text()) for p in (tmp_path / "remote/projects").iterdir()]
    assert {"format": 1, "repository": "example.org/team/wine", "folder": "", "host": None} in notes
    assert not any("secret" in str(note) for note in notes)


def test_on_s3_too(empty, bucket, moto, keys):
    empty.pivot(
        "remote", "add", "storage", f"s3://{bucket}/team", "--default",
        "-o", f"endpoint_url={moto}",
    )  # fmt: skip
    for number in (1, 2):
        version(empty, number)
    marked = gc(empty, "--workspace", "--apply")
    assert len(marked["doomed_packs"]) == 1
    waits = gc(empty, "--workspace", "--apply")
    assert waits["waiting_packs"] == marked["doomed_packs"]
    deleted = gc(empty, "--workspace", "--grace", "0h", "--allow-short-grace", "--apply")
    assert deleted["deleted_packs"] == marked["doomed_packs"]
    shutil.rmtree(empty.path / ".pivot/cache")
    (empty.path / "data.txt").unlink()
    empty.pivot("pull")
    assert empty.read("data.txt").startswith("version 2")
