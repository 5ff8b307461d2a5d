"""Links in the way and trees that say what isn't so."""

import os

import pytest

from pivot.errors import IntegrityError, MissingDataError
from pivot.hashing import hash_bytes
from pivot.landing import CollisionError, Folders, LinkInTheWayError, create
from pivot.paths import RepoPath, TreePath
from pivot.store.content import Content, ContentType
from pivot.store.entry import Kind
from pivot.store.recipe import Recipe
from pivot.store.tree import TreeEntry, encode_line
from tests.unit.checkout.plans import FILES, OUT


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
