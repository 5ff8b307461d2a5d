"""Parts of a tracked directory: read alone, and put into the tree as it stands."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.errors import UsageError
from pivot.paths import RepoPath, StageName
from pivot.store.content import Content, ContentType
from pivot.track.directory import content_at, entries_at
from pivot.track.planning import Claims, OverlapError, Place, Update, plan_tracking, resolve
from pivot.track.updating import Parts, take
from pivot.workspace import Identifier

RAW = RepoPath("raw")
# Names that sort differently as files and as folders, and that are prefixes of each other.
NAMES = ["a", "a.b", "a/b", "a/b/c", "a/b.c", "b", "b/x", "b/x/y", "c/d/e", "c/d/f", "é"]


def whole(bench):
    with bench.store.writer() as writer:
        return bench.workspace.store(RAW, writer)


def planned(bench, before, *names):
    places = [Place(RepoPath(f"raw/{name}"), f"raw/{name}") for name in names]
    (update,) = plan_tracking(str(bench.root), places, Claims({RAW: before}, {}))
    return update


def updated(bench, before, *names):
    update = planned(bench, before, *names)
    parts = Parts.of(bench.workspace, bench.store.tree, update)
    with bench.store.writer() as writer:
        return take(bench.workspace, bench.store.tree, update, parts, writer)


def lay(bench, names):
    """Make a directory of files with these names; those that meet a file on their way are left."""
    shutil.rmtree(bench.root / "raw", ignore_errors=True)
    (bench.root / "raw").mkdir()
    made = {}
    for name, data in sorted(names.items()):
        folders = {name.rsplit("/", n)[0] for n in range(1, name.count("/") + 1)}
        if not folders & made.keys():
            bench.write({f"raw/{name}": data})
            made[name] = data
    return made


files = st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=3), min_size=1)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files, files)
def test_updating_all_that_differs_alone_gives_the_tree_of_all_at_once(bench, old, new):
    old = lay(bench, old)
    before = whole(bench)
    new = lay(bench, new)
    parts = sorted(old.keys() | new.keys())
    assert updated(bench, before, *parts) == whole(bench)


def test_only_the_named_part_is_taken_up(bench):
    bench.write({"raw/a": b"1", "raw/b": b"2", "raw/c/d": b"3"})
    before = whole(bench)
    expected = {"a": b"new", "b": b"2", "c/d": b"3"}
    shutil.rmtree(bench.root / "raw")
    bench.write({"raw/a": b"new", "raw/b": b"edited"})
    after = updated(bench, before, "a")
    found = {str(e.path): b"".join(bench.store.stream(e.content)) for e in bench.store.tree(after)}
    assert found == expected
    assert (after.size, after.files) == (5, 3)


def test_an_emptied_folder_stays_if_it_is_there(bench):
    bench.write({"raw/a/b/c": b"1", "raw/x": b"2"})
    before = whole(bench)
    (bench.root / "raw/a/b/c").unlink()
    kept = updated(bench, before, "a/b/c")
    assert next((e.path, e.content) for e in bench.store.tree(kept)) == ("a/b", None)
    (bench.root / "raw/a/b").rmdir()
    assert [e.path for e in bench.store.tree(updated(bench, before, "a/b/c"))] == ["a", "x"]
    (bench.root / "raw/a").rmdir()
    assert [e.path for e in bench.store.tree(updated(bench, before, "a/b/c"))] == ["x"]


def test_a_part_that_neither_has_is_an_error(bench):
    bench.write({"raw/a": b"1"})
    before = whole(bench)
    update = planned(bench, before, "nope")
    with pytest.raises(UsageError, match="raw/nope doesn't exist"):
        Parts.of(bench.workspace, bench.store.tree, update)


def test_nothing_is_stored_where_only_ids_are_asked_for(bench):
    bench.write({"raw/a": b"1"})
    before = whole(bench)
    bench.write({"raw/a": b"other"})
    update = planned(bench, before, "a")
    parts = Parts.of(bench.workspace, bench.store.tree, update)
    content = take(bench.workspace, bench.store.tree, update, parts, Identifier())
    assert not bench.store.holds(content)
    assert content == bench.workspace.content(RAW)


def test_a_small_edit_among_many_files_stores_little(bench):
    bench.write({f"raw/{n:05}.txt": b"%d" % n for n in range(4000)})
    before = whole(bench)
    bench.write({"raw/02000.txt": b"edited"})
    update = planned(bench, before, "02000.txt")
    parts = Parts.of(bench.workspace, bench.store.tree, update)
    with bench.store.writer() as writer:
        take(bench.workspace, bench.store.tree, update, parts, writer)
        assert writer.added_bytes < 150_000  # the listing has 300 kB


def test_what_a_path_inside_holds_is_told_by_the_tree(bench):
    bench.write({"raw/a": b"1", "raw/d/x": b"2", "raw/d/e/y": b"3", "raw/d.txt": b"4"})
    bench.write({"raw/empty": None})
    content = whole(bench)

    def at(name):
        return content_at(RepoPath(f"raw/{name}"), RAW, content, bench.store.tree)

    for name in ("a", "d", "d/e", "d/e/y", "d.txt", "empty"):
        assert at(name) == bench.workspace.content(RepoPath(f"raw/{name}")), name
    for name in ("b", "d/x/z", "D"):
        assert at(name) is None
    of_file = Content(ContentType.FILE, content.id, 1)
    assert list(entries_at(RepoPath("raw/a"), RAW, of_file, bench.store.tree)) == []


# -- planning -------------------------------------------------------------------------------


def plan(bench, *names, tracked=(), outs=()):
    folder = Content(ContentType.DIRECTORY, bench.workspace.content(RepoPath("raw")).id, 0, None, 0)
    claims = Claims(
        {RepoPath(path): folder for path in tracked},
        {RepoPath(path): StageName("make") for path in outs},
    )
    places = [resolve(str(bench.root), str(bench.root), name) for name in names]
    return plan_tracking(str(bench.root), places, claims)


@pytest.fixture
def laid(bench):
    bench.write({"raw/a/b": b"1", "raw/c": b"2", "other": b"3", "Raw2": b"4"})
    return bench


def test_each_tracked_path_is_read_once(laid):
    assert [u.path for u in plan(laid, "raw", "raw", "raw/a", "./other")] == ["other", "raw"]
    (update,) = plan(laid, "raw/a/b", "raw/a", "raw/c", tracked=["raw"])
    assert update == Update(RAW, update.before, ("a", "c"))
    (update,) = plan(laid, "raw/a", "raw", tracked=["raw"])
    assert update.parts == ()


@pytest.mark.parametrize(
    ("name", "outs", "tracked"),
    [
        ("raw", ["raw"], []),
        ("raw", ["raw/a"], []),
        ("raw/a", ["raw"], []),
        ("raw", [], ["raw/a"]),
        ("raw", ["Raw"], []),
        ("raw", [], ["RAW/x"]),
        ("raw/a", ["RAW"], []),
    ],
)
def test_what_something_else_holds_is_refused(laid, name, outs, tracked):
    with pytest.raises(OverlapError):
        plan(laid, name, outs=outs, tracked=tracked)


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["env/pyvenv.cfg", "env/x"], "env/x"),
        (["web/node_modules/deep/x"], "web/node_modules/deep/x"),
        (["inner/.pivot/config.toml", "inner/deep/x"], "inner/deep/x"),
        (["x.pvt/file", "x"], "x"),
    ],
)
def test_what_would_not_be_found_again_is_refused(bench, files, name):
    bench.write({"raw": None, **dict.fromkeys(files, b"")})
    with pytest.raises(UsageError):
        plan(bench, name)


def test_neighbours_are_no_overlap(laid):
    assert len(plan(laid, "raw", outs=["raw2", "ra", "data/raw"], tracked=["raw.d"])) == 1


@pytest.mark.parametrize(
    "written", ["", " ", "..", "../x", "/etc/passwd", "a/../..", "raw/../../x"]
)
def test_nothing_outside_is_a_place(tmp_path, written):
    with pytest.raises(UsageError):
        resolve(str(tmp_path), str(tmp_path), written)
