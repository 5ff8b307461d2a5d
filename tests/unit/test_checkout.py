import errno
import os
import shutil
import signal
import stat
import threading
import time
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.checkout import plan_checkout, plan_missing, refuse_edited
from pivot.errors import EditedError, IntegrityError, MissingDataError
from pivot.forking import Forked
from pivot.hashing import hash_bytes
from pivot.landing import CollisionError, Folders, LinkInTheWayError, create, move_in
from pivot.merging import merge
from pivot.paths import RepoPath, TreePath
from pivot.placing import PlacingError, fill, lacks, place
from pivot.store.content import Content, ContentType
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line
from pivot.workspace import Workspace
from pivot.writing import TreeWriter

OUT = RepoPath("out")
FILES = {
    "a": b"1",
    "a-b": b"22",
    "b/c/d": b"333",
    "b/empty": None,
    "big": os.urandom((2 << 20) + 1),
    "nothing": b"",
}


@pytest.fixture
def keep(bench):
    """Stores what a path holds, then takes it away."""

    def store(path=OUT, *, leave=False):
        with bench.store.writer() as writer:
            content = bench.workspace.store(path, writer)
        if not leave:
            bench.remove(path)
        return content

    return store


@pytest.fixture
def put(bench):
    return lambda content, path=OUT: place(bench.workspace, bench.state, bench.store, path, content)


@pytest.fixture
def fill_in(bench):
    return lambda content: fill(bench.workspace, bench.state, bench.store, OUT, content)


@pytest.fixture
def tree(bench):
    def write(files):
        bench.write({f"out/{name}": data for name, data in files.items()})

    return write


@pytest.fixture
def clean(bench):
    """Nothing of a checkout is left over."""

    def check():
        folder = bench.root / ".pivot" / "tmp"
        assert not folder.exists() or not os.listdir(folder)

    return check


def plan(bench, contents):
    return plan_checkout(bench.workspace, contents, bench.store.holds, bench.store.tree)


def plan_only_missing(bench, contents):
    return plan_missing(
        bench.workspace, contents, bench.store.holds, partial(lacks, bench.workspace, bench.store)
    )


# -- round trips ----------------------------------------------------------------------------


def test_a_directory_comes_back_as_it_was(bench, tree, keep, put, clean):
    tree(FILES)
    (bench.root / "out" / "b" / "c" / "d").chmod(0o755)
    content = keep()
    assert not (bench.root / "out").exists()
    put(content)
    assert bench.look("out") == FILES
    assert os.access(bench.root / "out" / "b" / "c" / "d", os.X_OK)
    assert not os.access(bench.root / "out" / "a", os.X_OK)
    assert bench.workspace.content(OUT) == content
    clean()


names = st.text(st.sampled_from("ab.- é"), min_size=1, max_size=2).filter(
    lambda name: name.strip(".") and name not in (".", "..")
)
trees = st.dictionaries(names, st.binary(max_size=3) | st.none(), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, trees, max_size=3))
def test_any_tree_comes_back_as_it_was(bench, keep, put, folders):
    bench.remove(OUT)
    (bench.root / "out").mkdir()
    expected = {}
    for folder, files in folders.items():
        bench.write({f"out/{folder}": None})
        bench.write({f"out/{folder}/{name}": data for name, data in files.items()})
        expected |= {f"{folder}/{name}": data for name, data in files.items()} or {folder: None}
    content = keep()
    put(content)
    assert bench.look("out") == expected


@pytest.mark.parametrize("data", [b"", b"1", os.urandom((1 << 20) + 1)])
@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_file_comes_back_as_it_was(bench, keep, put, data, mode):
    bench.write({"sub/f": data})
    (bench.root / "sub" / "f").chmod(mode)
    path = RepoPath("sub/f")
    content = keep(path)
    put(content, path)
    assert (bench.root / "sub" / "f").read_bytes() == data
    assert os.stat(bench.root / "sub" / "f").st_mode & 0o777 == mode
    assert bench.workspace.content(path) == content


def test_files_and_directories_replace_each_other(bench, keep, put, tree, clean):
    bench.write({"out": b"file"})
    file = keep()
    tree(FILES)
    folder = keep(leave=True)
    put(file)
    assert (bench.root / "out").read_bytes() == b"file"
    put(folder)
    assert bench.look("out") == FILES
    clean()


def test_the_workspace_shares_no_inode_with_the_store(bench, keep, put):
    bench.write({"out": b"data"})
    content = keep()
    put(content)
    assert os.stat(bench.root / "out").st_nlink == 1
    (bench.root / "out").write_bytes(b"EDIT")
    assert bench.store.read(content.id) == b"data"


def test_unchanged_files_of_a_directory_are_neither_written_nor_read_again(
    bench, keep, put, tree, monkeypatch
):
    tree(FILES)
    content = keep(leave=True)
    before = os.stat(bench.root / "out" / "big").st_ino
    (bench.root / "out" / "a").unlink()
    bench.workspace.content(OUT)
    put(content)
    assert bench.look("out") == FILES
    assert os.stat(bench.root / "out" / "big").st_ino == before
    assert os.stat(bench.root / "out" / "big").st_nlink == 1
    monkeypatch.setattr("pivot.workspace.read_file", no_reading_of("big"))
    assert bench.workspace.content(OUT) == content


def no_reading_of(name):
    from pivot.workspace import read_file as real

    def read(absolute, stat_, put_):
        assert not absolute.endswith(name), "it was read again"
        return real(absolute, stat_, put_)

    return read


def test_an_edit_right_after_a_checkout_is_seen(bench, keep, put):
    for n in range(10):
        bench.write({"out": b"%d" % n, "dir/f": b"%d" % n})
        file, folder = keep(), keep(RepoPath("dir"))
        put(file)
        put(folder, RepoPath("dir"))
        for path in ("out", "dir/f"):
            (bench.root / path).write_bytes(b"X")
        assert bench.workspace.content(OUT).id == hash_bytes(b"X")
        assert bench.workspace.content(RepoPath("dir/f")).id == hash_bytes(b"X")


def test_what_is_racy_when_it_lands_is_not_remembered(bench, tree, keep, put, monkeypatch):
    """It may be edited from then on, within the tick in which it was written."""
    tree(FILES)
    content = keep()
    bench.workspace.content(OUT)
    bench.state.forget_files([path for path, _, _ in bench.state.files_below("out")])

    def move_slowly(*arguments):
        move_in(*arguments)
        time.sleep(0.02)

    monkeypatch.setattr("pivot.placing.move_in", move_slowly)
    monkeypatch.setattr("pivot.clock.FileClock.is_racy", lambda *_: True)
    put(content)
    assert list(bench.state.files_below("out")) == []


# -- whose bytes ----------------------------------------------------------------------------


def test_what_is_in_place_is_unchanged(bench, tree, keep):
    tree(FILES)
    content = keep(leave=True)
    assert plan(bench, {OUT: content}).unchanged == (OUT,)


def test_another_held_version_is_replaced_freely(bench, keep):
    bench.write({"out": b"one"})
    one = keep()
    bench.write({"out": b"two"})
    keep(leave=True)
    found = plan(bench, {OUT: one})
    assert (found.place, found.edited) == ({OUT: one}, ())
    refuse_edited(found)


def test_edited_files_are_named_one_by_one_and_kept(bench, tree, keep):
    tree(FILES)
    content = keep(leave=True)
    bench.write({"out/a": b"edited", "out/mine": b"new", "out/b/c/d": b"1"})
    found = plan(bench, {OUT: content})
    assert found.edited == ("out/a", "out/mine")
    with pytest.raises(EditedError, match="out/a, out/mine") as caught:
        refuse_edited(found)
    assert caught.value.hint == "Keep a copy, then run `pivot checkout --force`"


def test_a_directory_that_only_lost_files_is_mended_and_nothing_else_written(
    bench, tree, keep, fill_in
):
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "a").unlink()
    (bench.root / "out" / "b" / "empty").rmdir()
    found = plan(bench, {OUT: content})
    assert (found.fill, found.place, found.edited) == ({OUT: content}, {}, ())
    before = os.stat(bench.root / "out" / "big")
    fill_in(content)
    assert bench.look("out") == FILES
    assert os.stat(bench.root / "out" / "big") == before
    assert plan(bench, {OUT: content}).unchanged == (OUT,)


@pytest.mark.parametrize("extra", [{"out/a0": b"1"}, {"out/a0": None}, {"out/b/c/d": b"22"}])
def test_a_directory_that_lost_a_file_and_has_another_is_written_anew(
    bench, tree, keep, put, extra
):
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "big").unlink()
    bench.write(extra)
    found = plan(bench, {OUT: content})
    assert (found.fill, found.place, found.edited) == ({}, {OUT: content}, ())
    put(content)
    assert bench.look("out") == FILES


# -- only what is missing -------------------------------------------------------------------


def test_only_missing_leaves_what_is_there(bench, keep):
    bench.write({"out": b"one"})
    content = keep()
    bench.write({"out": b"edited"})
    assert plan_only_missing(bench, {OUT: content}).left == (OUT,)


def test_only_missing_restores_what_is_missing_in_a_directory_and_nothing_else(
    bench, tree, keep, fill_in, clean
):
    tree(FILES)
    (bench.root / "out" / "b" / "c" / "d").chmod(0o755)
    content = keep(leave=True)
    for name in ("a", "b/c/d", "big"):
        (bench.root / "out" / name).unlink()
    (bench.root / "out" / "b" / "c").rmdir()
    (bench.root / "out" / "b" / "empty").rmdir()
    bench.write({"out/a-b": b"edited", "out/mine": b"new"})
    before = os.stat(bench.root / "out" / "nothing").st_ino
    found = plan_only_missing(bench, {OUT: content})
    assert (found.fill, found.place, found.edited) == ({OUT: content}, {}, ())
    fill_in(content)
    assert bench.look("out") == FILES | {"a-b": b"edited", "mine": b"new"}
    assert os.access(bench.root / "out" / "b" / "c" / "d", os.X_OK)
    assert os.stat(bench.root / "out" / "nothing").st_ino == before
    assert os.stat(bench.root / "out" / "big").st_nlink == 1
    assert plan_only_missing(bench, {OUT: content}).left == (OUT,)
    clean()


def test_what_was_missing_is_known_and_not_read_again(bench, tree, keep, fill_in, monkeypatch):
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "big").unlink()
    fill_in(content)
    monkeypatch.setattr("pivot.workspace.read_file", no_reading_of("big"))
    assert bench.workspace.content(OUT) == content


@pytest.mark.parametrize("way", ["fill", "replace"])
def test_an_edit_that_only_a_ctime_tells_is_not_taken_for_what_was_there(
    bench, tree, keep, fill_in, put, way
):
    tree({"a": b"one", "b": b"two"})
    content = keep(leave=True)
    edited, other = bench.root / "out" / "a", bench.root / "out" / "b"
    known = os.stat(edited)
    time.sleep(0.02)
    with open(edited, "r+b") as f:
        f.write(b"ONE")
    os.utime(edited, ns=(known.st_atime_ns, known.st_mtime_ns))
    other.unlink()
    if way == "fill":
        fill_in(content)
        assert bench.look("out") == {"a": b"ONE", "b": b"two"}
        assert bench.workspace.content(RepoPath("out/a")).id == hash_bytes(b"ONE")
        assert bench.workspace.content(OUT) != content
    else:
        put(content)
        assert bench.look("out") == {"a": b"one", "b": b"two"}
        assert bench.workspace.content(OUT) == content


@pytest.mark.parametrize("way", ["link", "file"])
def test_only_missing_leaves_what_is_in_a_folders_place_alone(
    bench, tree, keep, fill_in, outside, way
):
    tree(FILES)
    content = keep(leave=True)
    bench.remove(RepoPath("out/b"))
    if way == "link":
        (bench.root / "out" / "b").symlink_to(outside)
    else:
        bench.write({"out/b": b"mine"})
    assert plan_only_missing(bench, {OUT: content}).left == (OUT,)
    (bench.root / "out" / "a").unlink()
    fill_in(content)
    assert (bench.root / "out" / "a").read_bytes() == FILES["a"]
    assert (bench.root / "out" / "b").is_symlink() is (way == "link")


def test_what_appears_while_the_rest_is_written_is_not_replaced(
    bench, tree, keep, fill_in, monkeypatch
):
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "a").unlink()

    def merge_late(*arguments):
        bench.write({"out/a": b"mine"})
        merge(*arguments)

    monkeypatch.setattr("pivot.placing.merge", merge_late)
    fill_in(content)
    assert (bench.root / "out" / "a").read_bytes() == b"mine"
    assert bench.workspace.content(OUT) != content


def test_without_hard_links_all_is_written_and_what_is_missing_moved(
    bench, tree, keep, put, fill_in, monkeypatch
):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    tree(FILES)
    content = keep(leave=True)
    (bench.root / "out" / "big").unlink()
    fill_in(content)
    assert bench.look("out") == FILES
    (bench.root / "out" / "a").unlink()
    put(content)
    assert bench.look("out") == FILES


def test_a_directory_whose_listing_is_not_here_is_absent_unless_it_is_whole(bench, tree, keep):
    tree(FILES)
    content = bench.workspace.content(OUT)
    assert plan_only_missing(bench, {OUT: content}).unchanged == (OUT,)
    (bench.root / "out" / "a").unlink()
    assert plan_only_missing(bench, {OUT: content}).absent == (OUT,)


# -- many files -----------------------------------------------------------------------------


@pytest.fixture
def many(bench, monkeypatch):
    """Small batches and two helping processes, so that a few files count as many."""
    monkeypatch.setattr("pivot.writing.BATCH_FILES", 7)
    monkeypatch.setattr("pivot.placing.BATCH_FILES", 7)
    monkeypatch.setattr("pivot.placing.useful", lambda: 2)
    files = {f"{n % 5}/{n % 3}/{n:03}": b"%d" % n for n in range(100)}
    return files | {"large": os.urandom((1 << 20) + 1), "4/none": None, "x": b"run"}


def test_helping_processes_write_the_same(bench, tree, keep, put, many, clean, monkeypatch):
    started = []
    real = Forked.start
    monkeypatch.setattr(Forked, "start", lambda work: started.append(1) or real(work))
    tree(many)
    (bench.root / "out" / "x").chmod(0o755)
    content = keep()
    put(content)
    assert started
    assert bench.look("out") == many
    assert os.access(bench.root / "out" / "x", os.X_OK)
    clean()
    monkeypatch.setattr("pivot.workspace.read_file", no_reading_of(""))
    assert bench.workspace.content(OUT) == content


def test_a_helping_process_that_dies_costs_time_alone(
    bench, tree, keep, put, many, clean, monkeypatch
):
    tree(many)
    content = keep()
    parent = os.getpid()
    real = TreeWriter._write_batch

    def die(*arguments):
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    monkeypatch.setattr(TreeWriter, "_write_batch", die)
    put(content)
    assert bench.look("out") == many
    clean()


def test_where_no_helping_process_can_be_had_all_is_written_here(
    bench, tree, keep, put, many, monkeypatch
):
    monkeypatch.setattr(Forked, "start", lambda _: None)
    tree(many)
    put(keep())
    assert bench.look("out") == many


@pytest.fixture
def ahead(monkeypatch):
    """Files of three chunks or more are read one chunk ahead."""
    monkeypatch.setattr("pivot.writing.BATCH_BYTES", 1 << 20)


def test_a_large_file_that_is_read_ahead_comes_back(bench, keep, put, ahead, clean):
    data = os.urandom(3 << 20)
    bench.write({"out": data})
    put(keep())
    assert bench.look() == {"out": data}
    clean()


def test_damage_in_a_large_file_that_is_read_ahead_shows_nothing(
    bench, keep, put, ahead, clean, monkeypatch
):
    bench.write({"out": os.urandom(3 << 20)})
    content = keep()
    real = Store.read_unverified
    seen = []

    def damaged(store, id_):
        seen.append(id_)
        if len(seen) == 4:
            raise IntegrityError("it is damaged")
        return real(store, id_)

    monkeypatch.setattr(Store, "read_unverified", damaged)
    with pytest.raises(IntegrityError, match="it is damaged"):
        put(content)
    assert not (bench.root / "out").exists()
    assert not any("ThreadPool" in thread.name for thread in threading.enumerate())
    clean()


def test_what_a_helping_process_finds_damaged_is_told_as_ever(
    bench, tree, keep, put, many, clean, monkeypatch
):
    tree({"old": b"old"})
    keep(leave=True)
    tree(many)
    content = keep(leave=True)
    (bench.root / "out" / "old").unlink()
    (bench.root / "out" / "large").unlink()
    before = bench.look("out")
    real = Store.read_file

    def damaged(store, file):
        if file.size == 2:
            raise IntegrityError("it is damaged")
        return real(store, file)

    monkeypatch.setattr(Store, "read_file", damaged)
    bench.state.forget_below(OUT)
    with pytest.raises(IntegrityError, match="it is damaged"):
        put(content)
    assert bench.look("out") == before
    clean()


@pytest.mark.parametrize("step", [(TreeWriter, "_take"), (Forked, "result"), (Forked, "_end")])
def test_an_interrupted_checkout_leaves_no_process_behind(
    bench, tree, keep, put, many, clean, monkeypatch, step
):
    tree(many)
    content = keep()

    started = []
    real = os.fork
    monkeypatch.setattr("os.fork", lambda: started.append(real()) or started[-1])

    step_itself = getattr(*step)

    def interrupt(*_):
        monkeypatch.setattr(*step, step_itself)
        raise KeyboardInterrupt

    monkeypatch.setattr(*step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        put(content)
    assert started
    for pid in started:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    assert not (bench.root / "out").exists()
    clean()


def test_progress_counts_every_file_and_byte_once(bench, tree, keep, many):
    tree(many)
    content = keep()
    seen = []
    advance = lambda files, size: seen.append((files, size))  # noqa: E731
    place(bench.workspace, bench.state, bench.store, OUT, content, advance)
    assert tuple(map(sum, zip(*seen, strict=True))) == (content.files, content.size)


# -- hostile --------------------------------------------------------------------------------


@pytest.fixture
def outside(bench):
    """A folder beside the project that nothing may touch."""
    folder = bench.root.parent / "outside"
    folder.mkdir()
    (folder / "sentinel").write_bytes(b"untouched")
    yield folder
    assert [p.name for p in folder.iterdir()] == ["sentinel"]
    assert (folder / "sentinel").read_bytes() == b"untouched"


@pytest.mark.parametrize("parent", ["p", "p/q", "p/q/r"])
def test_a_link_at_any_parent_is_not_followed(bench, keep, put, outside, parent, clean):
    bench.write({"out": b"data"})
    content = keep()
    (bench.root / parent).parent.mkdir(parents=True, exist_ok=True)
    (bench.root / parent).symlink_to(outside)
    with pytest.raises(LinkInTheWayError, match="can't be written"):
        put(content, RepoPath("p/q/r/out"))
    clean()


def test_a_link_at_the_leaf_is_replaced_and_not_written_through(bench, keep, put, outside, tree):
    bench.write({"out": b"data"})
    file = keep()
    tree(FILES)
    folder = keep()
    for target in (outside, outside / "sentinel"):
        for content in (file, folder):
            bench.remove(OUT)
            (bench.root / "out").symlink_to(target)
            put(content)
            assert not (bench.root / "out").is_symlink()


def test_a_link_at_our_own_folder_is_not_followed(bench, keep, put, outside):
    bench.write({"out": b"data"})
    content = keep()
    (bench.root / ".pivot" / "tmp").symlink_to(outside)
    with pytest.raises(LinkInTheWayError):
        put(content)


def hostile(bench, listing, size=0, files=0):
    with bench.store.writer() as writer:
        writer.add_bytes(b"")
        id_ = writer.add_bytes(listing, Kind.TREE)
    return Content(ContentType.DIRECTORY, id_, size, None, files)


@pytest.mark.parametrize(
    "path",
    [
        b"../sentinel",
        b"/tmp/sentinel",
        b"a/../../sentinel",
        b".git/hooks/post-checkout",
        b".GIT/config",
        b".g\xe2\x80\x8cit/config",
        b"git~1/config",
        b".pivot/stages/x.lock",
        b"a\x00b",
        b"a//b",
    ],
)
def test_a_hostile_path_in_a_tree_makes_nothing_visible(bench, put, outside, path, clean):
    empty = hash_bytes(b"").hex().encode()
    content = hostile(bench, b"f %s 0 !first\0f %s 0 %s\0" % (empty, empty, path), files=2)
    with pytest.raises(IntegrityError):
        put(content)
    assert not (bench.root / "out").exists()
    clean()


@pytest.mark.parametrize("declared", [0, 4, 6, 10**15])
def test_a_file_of_another_size_than_declared_makes_nothing_visible(bench, put, declared, clean):
    bench.write({"out": b"old"})
    with bench.store.writer() as writer:
        id_ = writer.add_bytes(b"12345")
    with pytest.raises(IntegrityError, match="another size"):
        put(Content(ContentType.FILE, id_, declared))
    assert bench.look() == {"out": b"old"}
    clean()


def test_a_recipe_that_makes_another_file_makes_nothing_visible(bench, put, clean):
    with bench.store.writer() as writer:
        part = writer.add_bytes(b"evil")
        lie = Recipe(hash_bytes(b"good"), 4, ((part, 4),))
        id_ = writer.add_bytes(lie.encode(), Kind.RECIPE)
    with pytest.raises(IntegrityError):
        put(Content(ContentType.FILE, lie.file, 4, id_))
    assert not (bench.root / "out").exists()
    clean()


def test_a_directory_that_hits_damage_halfway_stays_as_it_was(bench, put, keep, tree, clean):
    tree({"a": b"old"})
    keep(leave=True)
    line = encode_line(TreeEntry(TreePath("a"), Content(ContentType.FILE, hash_bytes(b""), 0)))
    gone = encode_line(TreeEntry(TreePath("b"), Content(ContentType.FILE, hash_bytes(b"x"), 1)))
    with pytest.raises(MissingDataError):
        put(hostile(bench, line + gone, size=1, files=2))
    assert bench.look("out") == {"a": b"old"}
    clean()


def test_names_that_a_file_system_takes_for_one_are_both_named(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        folders = Folders(fd, make=True)
        (tmp_path / "README").write_bytes(b"")
        (tmp_path / "dir").mkdir()
        with pytest.raises(CollisionError, match="'README' and 'README'"):
            os.close(create(TreePath("README"), fd, executable=False))
        with pytest.raises(CollisionError, match="'dir'"):
            folders.enter("dir")
        folders.close()
    finally:
        os.close(fd)


# -- a disk that fails ----------------------------------------------------------------------


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_disk_that_fails_at_any_call_leaves_the_old_state(
    bench, faults, keep, put, tree, clean, kind, error
):
    """Each changing call fails in turn; the old content is there, and a second try succeeds."""
    if kind == "file":
        bench.write({"out": b"new"})
    else:
        tree(FILES)
    content = keep()
    new = {"out": b"new"} if kind == "file" else {f"out/{n}": data for n, data in FILES.items()}
    old = {"out": b"old"} if kind == "file" else {"out/old/file": b"old"}
    for n in range(100):
        bench.remove(OUT)
        bench.write(old)
        with faults(n, error) as seen:
            try:
                put(content)
            except PlacingError as refused:
                failed = True
                told = refused.why
            else:
                failed = False
        if n >= len(seen.calls):
            break
        assert failed or seen.calls[n] == "unlink"
        assert not failed or told == os.strerror(error)
        assert bench.look() == (old if failed else new), seen.calls[n]
        if seen.calls[n] != "unlink":
            clean()
    assert 3 < n < 100
    assert bench.look() == new


def test_a_folder_on_another_disk_is_told_as_that(bench, keep, put, monkeypatch, clean):
    bench.write({"out": b"data"})
    content = keep()

    def refuse(*_, **__):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("os.rename", refuse)
    with pytest.raises(PlacingError) as caught:
        put(content)
    assert "another disk" in caught.value.hint
    clean()


# -- what is edited while a checkout writes -------------------------------------------------------


def edit_in_place(bench):
    """Leaves size and mtime as they were."""
    path = bench.root / "out" / "b" / "one"
    known = os.stat(path)
    time.sleep(0.02)
    with open(path, "r+b") as f:
        f.write(b"M")
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))


def add_a_file(bench):
    bench.write({"out/b/new": b"mine"})


def put_a_file_there(bench):
    there = bench.root / OUT
    if there.is_dir():
        shutil.rmtree(there)
    else:
        there.unlink(missing_ok=True)
    bench.write({"out": b"mine"})


@pytest.fixture
def late(monkeypatch):
    """Does something when all is written, just before the path is looked at again."""

    def register(act):
        real = Workspace.holds_still

        def acting(*arguments):
            act()
            return real(*arguments)

        monkeypatch.setattr(Workspace, "holds_still", acting)

    return register


@pytest.mark.parametrize("edit", [edit_in_place, add_a_file, put_a_file_there])
def test_a_directory_that_is_edited_while_another_is_written_is_kept(
    bench, tree, keep, late, edit, clean
):
    tree({"a": b"1", "b/one": b"1", "b/two": b"2"})
    wanted = keep(leave=True)
    tree({"a": b"2"})
    keep(leave=True)
    bench.workspace.content(OUT)
    found = plan(bench, {OUT: wanted})
    assert (list(found.place), found.edited) == ([OUT], ())
    late(lambda: edit(bench))
    with pytest.raises(EditedError, match="out was edited in the meantime"):
        place(bench.workspace, bench.state, bench.store, OUT, wanted, look=found.looks[OUT])
    if edit is put_a_file_there:
        assert (bench.root / "out").read_bytes() == b"mine"
    else:
        assert (bench.root / "out" / "a").read_bytes() == b"2"
    clean()


def test_a_directory_that_nobody_edits_is_replaced_whatever_is_linked(bench, tree, keep):
    tree({"a": b"1", "b/one": b"1", "b/two": b"2"})
    os.link(bench.root / "out/b/one", bench.root / "out/b/same")
    (bench.root / "out/b/way").symlink_to("two")
    wanted = keep(leave=True)
    tree({"a": b"2"})
    keep(leave=True)
    time.sleep(0.02)
    bench.workspace.content(OUT)
    found = plan(bench, {OUT: wanted})
    kept = os.stat(bench.root / "out/b/two").st_ino
    place(bench.workspace, bench.state, bench.store, OUT, wanted, look=found.looks[OUT])
    assert bench.workspace.content(OUT) == wanted
    assert os.stat(bench.root / "out/b/two").st_ino == kept


def test_a_helping_process_that_dies_is_no_edit(bench, tree, keep, many, monkeypatch):
    tree({f"{n:02}": b"same" if n % 2 else b"1" for n in range(20)})
    wanted = keep(leave=True)
    tree({f"{n:02}": b"2" for n in range(0, 20, 2)})
    keep(leave=True)
    time.sleep(0.02)
    bench.workspace.content(OUT)
    found = plan(bench, {OUT: wanted})
    monkeypatch.setattr(Forked, "result", lambda self: self.kill())
    place(bench.workspace, bench.state, bench.store, OUT, wanted, look=found.looks[OUT])
    assert bench.workspace.content(OUT) == wanted


@pytest.mark.parametrize("before", [None, b"held"])
def test_a_file_that_is_edited_or_made_in_the_meantime_is_kept(bench, keep, late, before, clean):
    bench.write({"out": b"wanted"})
    wanted = keep()
    if before is not None:
        bench.write({"out": before})
        keep(leave=True)
    found = plan(bench, {OUT: wanted})
    late(lambda: bench.write({"out": b"mine!"}))
    with pytest.raises(EditedError):
        place(bench.workspace, bench.state, bench.store, OUT, wanted, look=found.looks[OUT])
    assert (bench.root / "out").read_bytes() == b"mine!"
    clean()


def test_what_is_gone_or_right_in_the_meantime_is_no_reason_to_stop(bench, keep, late):
    bench.write({"out": b"wanted"})
    wanted = keep()
    bench.write({"out": b"held"})
    keep(leave=True)
    look = plan(bench, {OUT: wanted}).looks[OUT]
    late(lambda: bench.write({"out": b"wanted"}))
    place(bench.workspace, bench.state, bench.store, OUT, wanted, look=look)
    late((bench.root / "out").unlink)
    place(bench.workspace, bench.state, bench.store, OUT, wanted, look=look)
    assert (bench.root / "out").read_bytes() == b"wanted"


def test_files_get_the_users_umask(bench, keep, put):
    bench.write({"out": b"data"})
    content = keep()
    before = os.umask(0o027)
    try:
        put(content)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(bench.root / "out").st_mode) == 0o640
    assert Workspace(bench.workspace.root, bench.state).content(OUT) == content
