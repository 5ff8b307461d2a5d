"""What targets mean, and putting it in place from locks alone."""

import errno
import io
import os

import pytest

from pivot.errors import EditedError, LockedError, MissingDataError, PivotError, UsageError
from pivot.files import locked as locked_file
from pivot.hashing import hash_bytes
from pivot.lock.declared import Declared
from pivot.lock.folder import write_lock
from pivot.lock.lock import Lock
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.project import restoring
from pivot.project.restoring import preview, restore
from pivot.project.wanted import wanted
from pivot.store.content import Content, ContentType


@pytest.fixture
def locked(place):
    """Writes the lock of a stage whose outs hold these bytes, which the store gets too."""

    def lock(stage, *, stored=True, **outs):
        project = place.open()
        contents = {}
        for name, data in outs.items():
            path = RepoPath(name.replace("__", "/"))
            contents[path] = Content(ContentType.FILE, hash_bytes(data), len(data))
            if stored:
                with project.store.writer() as writer:
                    writer.add_stream(io.BytesIO(data))
        specs = tuple(OutSpec(path, OutKind.OUT) for path in sorted(contents))
        declared = Declared(1, {f"m:{stage}": "1"}, {}, None, {}, RepoPath.ROOT, (), specs)
        found = Lock(StageName(stage), f"m:{stage}", declared, {}, contents)
        write_lock(str(place.path / ".pivot/stages"), found)

    return lock


@pytest.fixture
def two(locked):
    locked("first", data__a=b"A", data__b=b"B")
    locked("second", z=b"Z")


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ((), ["data/a", "data/b", "z"]),
        (("first",), ["data/a", "data/b"]),
        (("data/a",), ["data/a"]),
        (("data",), ["data/a", "data/b"]),
        (("./data/",), ["data/a", "data/b"]),
        ((".",), ["data/a", "data/b", "z"]),
        (("second", "data/b"), ["data/b", "z"]),
    ],
)
def test_targets_are_stages_outs_and_folders(place, two, targets, expected):
    assert list(wanted(place.open(), targets)) == expected


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("frist", "Did you mean 'first'?"),
        ("data/aa", "Did you mean 'data/a'?"),
        ("quux", "`pivot list --deps`"),
        ("../data/a", "'data/a'"),
        ("/", "`pivot list --deps`"),
        ("", "`pivot list --deps`"),
        (".git", "`pivot list --deps`"),
    ],
)
def test_other_targets_are_named_with_the_nearest(place, two, target, hint):
    with pytest.raises(UsageError) as caught:
        wanted(place.open(), (target,))
    assert caught.value.message == f"{target!r} is no stage, no out and no tracked path"
    assert hint in caught.value.hint


def test_path_that_two_locks_claim_is_an_error_that_names_both(place, locked):
    locked("first", data__a=b"A")
    locked("renamed", data__a=b"A")
    with pytest.raises(PivotError, match="first and renamed both claim data/a") as caught:
        wanted(place.open(), ())
    assert "`pivot repro`" in caught.value.hint


def test_restoring_writes_what_differs_and_says_so(place, two):
    place.write("z", "Z")
    project = place.open()
    entries = wanted(project, ())
    assert list(preview(project, entries, only_missing=False).place) == ["data/a", "data/b"]
    assert not (place.path / "data").exists()
    done = restore(project, entries, force=False, only_missing=False)
    assert (done.restored, done.unchanged) == (("data/a", "data/b"), ("z",))
    assert (place.path / "data/a").read_text() == "A"
    again = restore(project, entries, force=False, only_missing=False)
    assert again.restored == ()


def test_edited_data_stops_it_before_anything_is_written(place, two):
    place.write("data/b", "mine")
    project = place.open()
    entries = wanted(project, ())
    with pytest.raises(EditedError, match="would be lost: data/b: "):
        restore(project, entries, force=False, only_missing=False)
    assert os.listdir(place.path / "data") == ["b"]
    done = restore(project, entries, force=False, only_missing=True)
    assert (done.restored, done.unchanged, done.left) == (("data/a", "z"), (), ("data/b",))
    assert (place.path / "data/b").read_text() == "mine"
    restore(project, entries, force=True, only_missing=False)
    assert (place.path / "data/b").read_text() == "B"


def test_what_the_store_lacks_stops_it_before_anything_is_written(place, two, locked):
    locked("third", stored=False, lost=b"gone")
    project = place.open()
    with pytest.raises(MissingDataError, match="lacks the data of lost") as caught:
        restore(project, wanted(project, ()), force=True, only_missing=False)
    assert "`pivot pull`" in caught.value.hint
    assert not (place.path / "z").exists()


def test_path_that_git_tracks_is_not_written(place, two):
    place.write("z", "tracked")
    place.git("add", "z")
    project = place.open()
    with pytest.raises(UsageError, match="z is tracked by Git"):
        restore(project, wanted(project, ()), force=True, only_missing=False)
    assert (place.path / "z").read_text() == "tracked"


@pytest.mark.parametrize("options", [{}, {"only_missing": True}, {"force": True}])
def test_what_is_edited_while_others_are_written_is_kept_without_force(
    place, two, monkeypatch, options
):
    project = place.open()
    real = restoring.place

    def slow(workspace, state, store, path, *arguments):
        real(workspace, state, store, path, *arguments)
        if path == "data/a":
            place.write("z", "mine")

    monkeypatch.setattr(restoring, "place", slow)
    options = {"force": False, "only_missing": False} | options
    if options["force"]:
        restore(project, wanted(project, ()), **options)
        assert (place.path / "z").read_text() == "Z"
        return
    with pytest.raises(EditedError, match="z was edited in the meantime"):
        restore(project, wanted(project, ()), **options)
    assert (place.path / "z").read_text() == "mine"
    assert (place.path / "data/b").read_text() == "B"


def is_collectable(project):
    """Whether a garbage collector could begin now."""
    path = os.path.join(project.store.root, "tmp", "in-use")
    try:
        with locked_file(path, wait=False):
            return True
    except LockedError:
        return False


@pytest.mark.parametrize("step", ["plan_checkout", "place"])
def test_the_store_is_held_from_planning_to_the_last_rename(place, two, monkeypatch, step):
    project = place.open()
    entries = wanted(project, ())
    real = getattr(restoring, step)
    seen = []

    def watched(*arguments):
        seen.append(is_collectable(project))
        result = real(*arguments)
        seen.append(is_collectable(project))
        return result

    monkeypatch.setattr(restoring, step, watched)
    restore(project, entries, force=False, only_missing=False)
    assert set(seen) == {False}
    assert is_collectable(project)


def test_a_cache_that_may_only_be_read_is_enough(place, two, monkeypatch):
    """As on a read-only share; root may write everywhere, hence no `chmod` here."""
    project = place.open()
    entries = wanted(project, ())
    cache = project.store.root
    real, real_access = os.open, os.access

    def access(path, mode, **options):
        is_denied = str(path).startswith(cache) and mode & os.W_OK
        return not is_denied and real_access(path, mode, **options)

    def opened(path, flags, *arguments, **options):
        if str(path).startswith(cache) and flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system", path)
        return real(path, flags, *arguments, **options)

    monkeypatch.setattr("os.open", opened)
    monkeypatch.setattr("os.access", access)
    restore(project, entries, force=False, only_missing=False)
    assert (place.path / "z").read_text() == "Z"


def test_progress_ends_with_all_bytes_and_files(place, two):
    project = place.open()
    place.write("z", "Z")
    seen = []

    class Shown:
        def begin(self):
            seen.append("begin")

        def __call__(self, *reached):
            seen.append(reached)

    restore(project, wanted(project, ()), force=False, only_missing=False, progress=Shown())
    assert (seen[0], seen[-1]) == ("begin", (2, 2, (2, 2)))
