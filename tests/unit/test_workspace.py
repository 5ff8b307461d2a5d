import io
import os
import time
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.errors import DeniedError, PivotError
from pivot.hashing import hash_bytes
from pivot.paths import RepoPath
from pivot.reading import ChangingFileError, UnsupportedFileError
from pivot.store.content import ContentType
from pivot.store.store import Store
from pivot.walking import walk
from pivot.workspace import Workspace
from tests.unit.closure import closure

D = RepoPath("d")
NFC, NFD = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
NASTY = {
    "a.txt": b"1",
    "a/b": b"2",
    "a-b": b"3",
    "a0": b"4",
    "a b": b"5",
    "empty": None,
    "empty.txt": b"6",
    "empty-": b"7",
    "x/y/z/deep": b"8",
    "x/empty": None,
    "x.y": b"9",
    f"{NFC}": b"composed",
    f"{NFD}": b"decomposed",
    "\U0001d11e": b"beyond 16 bits",
    "\uffff": b"last within",
    "new\nline": b"10",
    "README": b"11",
    "readme": b"12",
}


@pytest.fixture
def folder(bench):
    path = bench.root / "d"
    path.mkdir()
    return path


@pytest.fixture
def stored(bench):
    def store(path=D):
        with bench.store.writer() as writer:
            return bench.workspace.store(path, writer)

    return store


def tree_of(bench, content):
    return {entry.path: entry.content for entry in bench.store.tree(content)}


def age(path):
    """Make a file old enough to be remembered; the clock's tick is about 10 ms."""
    os.utime(path, (1_600_000_000, 1_600_000_000.5))
    time.sleep(0.015)


# -- what is there --------------------------------------------------------------------------


def test_what_is_not_there_has_no_content(bench, folder):
    (folder / "file").write_bytes(b"")
    for path in ("no", "d/no", "d/file/inside"):
        assert bench.workspace.content(RepoPath(path)) is None


def test_a_file_is_known_by_its_bytes_and_its_executable_bit(bench, folder):
    (folder / "f").write_bytes(b"data")
    plain = bench.workspace.content(RepoPath("d/f"))
    assert (plain.type, plain.id, plain.size) == (ContentType.FILE, hash_bytes(b"data"), 4)
    (folder / "f").chmod(0o755)
    assert bench.workspace.content(RepoPath("d/f")).type is ContentType.EXECUTABLE


def test_looking_and_storing_tell_the_same(bench, folder, stored):
    bench.write({f"d/{name}": data for name, data in NASTY.items()})
    (folder / "big").write_bytes(os.urandom(3 << 20))
    looked = bench.workspace.content(D)
    assert not bench.store.holds(looked)
    assert stored() == looked
    assert Store.open(bench.store.root).holds(looked)


def test_a_tree_is_in_the_order_of_its_paths_bytes(bench, folder, stored):
    bench.write({f"d/{name}": data for name, data in NASTY.items()})
    tree = tree_of(bench, stored())
    assert list(tree) == sorted(NASTY, key=str.encode)
    assert {path: content and bench.store.read(content.id) for path, content in tree.items()} == (
        NASTY
    )


names = st.text(st.sampled_from("aA.- 0é\u0301𝄞"), min_size=1, max_size=3).filter(
    lambda name: name not in (".", "..")
)
trees = st.recursive(
    st.binary(max_size=3) | st.just({}),
    lambda inner: st.dictionaries(names, inner, max_size=4),
    max_leaves=10,
).filter(lambda tree: isinstance(tree, dict))


def flat(tree, prefix=""):
    for name, value in tree.items():
        if value == {}:
            yield prefix + name, None
        elif isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_any_tree_is_listed_in_order_and_complete(bench, tmp_path_factory, tree):
    root = tmp_path_factory.mktemp("w")
    expected = dict(flat(tree))
    for name, data in expected.items():
        path = root / name
        if data is None:
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    found = [(name, stat is None) for name, stat in walk(str(root), "d")]
    assert found == [(n, expected[n] is None) for n in sorted(expected, key=str.encode)]


def test_a_directory_holding_only_our_temporaries_is_an_empty_one(bench, folder, stored):
    bench.write({"d/sub/.pivot-tmp-0123-x": b"half", "d/.pivot-tmp-4567-y": b"half"})
    assert tree_of(bench, stored()) == {"sub": None}


def test_an_empty_directory_is_a_content(bench, folder, stored):
    assert (stored().files, stored().size) == (0, 0)
    assert tree_of(bench, stored()) == {}


def test_sizes_around_the_threshold_are_kept(bench, folder, stored):
    data = os.urandom((1 << 20) + 1)
    for size in (0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1):
        (folder / "f").write_bytes(data[:size])
        content = stored(RepoPath("d/f"))
        assert b"".join(bench.store.stream(content)) == data[:size]
        assert (content.recipe is not None) is (size > 1 << 20)


def test_a_tree_too_large_for_one_entry_is_cut_too(bench, folder, stored):
    long = "n" * 200
    for n in range(500):
        (folder / f"{long}{n:05}").touch()
    content = stored()
    assert content.recipe is not None
    assert content.files == 500 == len(tree_of(bench, content))


# -- links and others -----------------------------------------------------------------------


def test_a_link_to_a_file_inside_counts_as_that_file(bench, folder, stored):
    bench.write({"d/real": b"data", "d/sub/x": b"x"})
    (folder / "link").symlink_to("real")
    (folder / "sub" / "up").symlink_to("../real")
    tree = tree_of(bench, stored())
    assert tree["link"] == tree["real"] == tree["sub/up"]


@pytest.mark.parametrize(
    "target", ["../outside", "/etc/passwd", "dangling", "me", "sub", "..", "."]
)
def test_any_other_link_in_a_directory_is_refused_by_name(bench, folder, stored, target):
    bench.write({"outside": b"secret", "d/sub/x": b"x"})
    (folder / "me").symlink_to(target)
    for action in (stored, lambda: bench.workspace.content(D)):
        with pytest.raises(UnsupportedFileError, match="me is a symbolic link"):
            action()


def test_a_link_that_is_a_dep_is_followed_and_as_an_out_refused(bench, folder, stored):
    bench.write({"outside": b"data"})
    (folder / "link").symlink_to("../outside")
    assert bench.workspace.content(RepoPath("d/link")).id == hash_bytes(b"data")
    with pytest.raises(UnsupportedFileError):
        stored(RepoPath("d/link"))


def test_a_dangling_link_is_nothing_and_a_loop_is_refused(bench, folder):
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    assert bench.workspace.content(RepoPath("d/dangling")) is None
    with pytest.raises(UnsupportedFileError, match="link"):
        bench.workspace.content(RepoPath("d/loop"))


def test_a_fifo_is_refused_and_never_waited_for(bench, folder, stored):
    os.mkfifo(folder / "pipe")
    for action in (
        stored,
        lambda: bench.workspace.content(RepoPath("d/pipe")),
        lambda: list(bench.workspace.entries(D)),
    ):
        with pytest.raises(UnsupportedFileError, match="pipe"):
            action()


@pytest.mark.parametrize("name", [b"caf\xe9", b"\xed\xa0\x80", b".git", b".Pivot"])
def test_a_name_that_cannot_be_kept_is_refused_with_the_folder(bench, folder, stored, name):
    with open(os.path.join(os.fsencode(folder), name), "wb"):
        pass
    for action in (
        stored,
        lambda: list(bench.workspace.entries(D)),
        lambda: bench.workspace.digest(D),
    ):
        with pytest.raises(UnsupportedFileError, match=r"^d: ") as caught:
            action()
        assert caught.value.hint
        str(caught.value).encode("utf-8", "backslashreplace")


def denied(real, name):
    def call(path, *args, **options):
        if str(path).endswith(name):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *args, **options)

    return call


def test_an_unreadable_file_or_folder_is_named(bench, folder, monkeypatch):
    """Root may read everything, hence no `chmod` here."""
    bench.write({"d/secret": b"x", "d/sub/x": b"x"})
    monkeypatch.setattr("os.open", denied(os.open, "secret"))
    with pytest.raises(DeniedError, match="d/secret can't be read"):
        bench.workspace.content(D)
    monkeypatch.undo()
    monkeypatch.setattr("os.open", denied(os.open, "sub"))
    with pytest.raises(DeniedError, match="d/sub can't be read"):
        bench.workspace.content(D)


# -- changing while it is read --------------------------------------------------------------


@pytest.mark.parametrize("size", [100, 3 << 20])
def test_a_file_that_changes_while_it_is_read_is_refused(bench, folder, monkeypatch, size):
    (folder / "f").write_bytes(b"x" * size)
    before = os.read

    def read_and_edit(fd, n):
        data = before(fd, n)
        (folder / "f").write_bytes(b"y" * size)
        return data

    class Edited(io.FileIO):
        def read(self, n=-1):
            (folder / "f").write_bytes(b"y" * size)
            return super().read(n)

    monkeypatch.setattr("os.read", read_and_edit)
    monkeypatch.setattr(
        "pivot.reading.open", lambda fd, *_, **__: Edited(fd, closefd=False), raising=False
    )
    with pytest.raises(ChangingFileError, match="changed while it was read"):
        bench.workspace.content(RepoPath("d/f"))


def test_a_file_swapped_for_a_link_while_it_is_looked_at_is_not_followed(
    bench, folder, monkeypatch, stored
):
    bench.write({"outside": b"secret", "d/f": b"mine"})

    def swap(*_):
        os.unlink(folder / "f")
        os.symlink("../outside", folder / "f")

    monkeypatch.setattr("pivot.clock.FileClock.settle", swap)
    with pytest.raises(PivotError):
        stored()
    assert not bench.store.has(hash_bytes(b"secret"))


def test_a_file_that_vanishes_while_it_is_looked_at_is_a_plain_error(bench, folder, monkeypatch):
    bench.write({"d/f": b"mine"})
    monkeypatch.setattr("pivot.clock.FileClock.settle", lambda *_: os.unlink(folder / "f"))
    with pytest.raises(ChangingFileError):
        bench.workspace.content(D)


# -- memory ---------------------------------------------------------------------------------


def reads(monkeypatch):
    """The files that are read from now on."""
    seen = []
    real = os.open

    def counting(path, *args, **options):
        if not args or not args[0] & (os.O_CREAT | os.O_DIRECTORY):
            seen.append(os.path.basename(path))
        return real(path, *args, **options)

    monkeypatch.setattr("os.open", counting)
    return seen


def test_unchanged_files_are_not_read_again(bench, folder, monkeypatch):
    bench.write({f"d/{name}": data for name, data in NASTY.items()})
    before = bench.workspace.content(D)
    seen = reads(monkeypatch)
    assert bench.workspace.content(D) == before
    assert Workspace(bench.workspace.root, bench.state).content(D) == before
    assert seen == []


def test_only_what_changed_is_read_again(bench, folder, monkeypatch):
    bench.write({f"d/{name}": data for name, data in NASTY.items()})
    before = bench.workspace.content(D)
    (folder / "a-b").write_bytes(b"X")
    seen = reads(monkeypatch)
    assert bench.workspace.content(D) != before
    assert seen == ["a-b"]


def test_an_edit_of_the_same_size_at_once_is_seen(bench, folder):
    """Racily clean: the times may be the same as before."""
    for n in range(20):
        (folder / "f").write_bytes(b"%02d" % n)
        assert bench.workspace.content(D).id is not None
        assert bench.workspace.content(RepoPath("d/f")).id == hash_bytes(b"%02d" % n)


def test_what_is_racy_when_it_is_read_is_not_remembered(bench, folder, monkeypatch):
    """Times in the future may be past ones by the time that all is read."""
    (folder / "f").write_bytes(b"one")
    age(folder / "f")
    monkeypatch.setattr("pivot.clock.FileClock.is_racy", lambda *_: True)
    for path in (D, RepoPath("d/f")):
        bench.workspace.content(path)
    assert list(bench.state.files_below("d")) == []
    assert bench.state.directory("d") is None


def test_an_edit_whose_times_were_put_back_is_seen(bench, folder):
    (folder / "f").write_bytes(b"one")
    age(folder / "f")
    bench.workspace.content(D)
    stat = os.stat(folder / "f")
    (folder / "f").write_bytes(b"two")
    os.utime(folder / "f", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert bench.workspace.content(RepoPath("d/f")).id == hash_bytes(b"two")


def test_another_file_with_the_same_size_and_time_is_seen(bench, folder):
    (folder / "f").write_bytes(b"one")
    age(folder / "f")
    before = bench.workspace.content(D)
    (folder / "g").write_bytes(b"two")
    os.utime(folder / "g", (1_600_000_000, 1_600_000_000.5))
    os.rename(folder / "g", folder / "f")
    assert bench.workspace.content(D) != before


def test_removed_added_and_renamed_files_are_seen(bench, folder):
    bench.write({"d/a": b"1", "d/b": b"2"})
    contents = [bench.workspace.content(D)]
    os.rename(folder / "a", folder / "c")
    contents.append(bench.workspace.content(D))
    os.unlink(folder / "b")
    contents.append(bench.workspace.content(D))
    (folder / "e").mkdir()
    contents.append(bench.workspace.content(D))
    os.rmdir(folder / "e")
    (folder / "e").touch()
    contents.append(bench.workspace.content(D))
    assert len({content.id for content in contents}) == 5


def test_what_is_known_but_not_stored_is_stored(bench, folder, stored):
    bench.write({"d/a": b"1", "d/sub/b": b"2"})
    bench.workspace.content(D)
    content = stored()
    assert all(bench.store.has(id_) for id_ in closure(bench.store, [content]))


def test_a_deleted_store_is_filled_again(bench, folder, stored, tmp_path):
    bench.write({"d/a": b"1"})
    stored()
    bench.store = Store.open(str(tmp_path / "new"))
    content = stored()
    assert bench.store.read(hash_bytes(b"1")) == b"1"
    assert bench.store.holds(content)


# -- many files at once -----------------------------------------------------------------------


def test_many_files_have_the_ids_that_each_has(bench, folder):
    for name in ("known", "edited", "replaced"):
        (folder / name).write_text(name)
        age(folder / name)
        bench.workspace.file_id(f"d/{name}")
    (folder / "edited").write_text("another")
    (folder / "new").write_text("new")
    (folder / "replaced").unlink()
    (folder / "replaced").mkdir()
    (folder / "link").symlink_to("known")
    names = ("known", "edited", "new", "replaced", "link", "absent", "known/below")
    paths = [f"d/{name}" for name in names]
    now = {f"d/{name}": hash_bytes(text) for name, text in (
        ("known", b"known"), ("edited", b"another"), ("new", b"new"), ("link", b"known"),
    )}  # fmt: skip
    for _ in range(2):  # the second time from memory
        assert bench.workspace.file_ids(paths) == dict.fromkeys(paths) | now
    assert bench.workspace.file_ids([]) == {}


def test_a_file_that_cannot_be_looked_at_is_named_among_many(bench, folder):
    (folder / "loop").symlink_to("loop")
    with pytest.raises(PivotError, match="d/loop"):
        bench.workspace.file_ids(["d/absent", "d/loop"])
