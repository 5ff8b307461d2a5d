"""What restoring a content needs: every entry is looked up, those elsewhere are taken on trust."""

import io
import os

import pytest

from pivot.hashing import hash_bytes
from pivot.paths import TreePath
from pivot.store.content import Content, ContentType
from pivot.store.entry import Kind
from pivot.store.pack import pack_key
from pivot.store.split import FILE, TREE, split
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line
from pivot.verify.needs import Needs

BIG = os.urandom(3 << 20)
NOWHERE = hash_bytes(b"nowhere")


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture
def add(root):
    """Adds an entry in a session, and so a pack, of its own."""

    def one(data, kind=Kind.DATA):
        with Store.open(root).writer() as writer:
            return writer.add_bytes(data, kind)

    return one


@pytest.fixture
def file(add):
    def make(data):
        added = split(io.BytesIO(data), add, FILE)
        return Content(ContentType.FILE, added.id, added.size, added.recipe)

    return make


@pytest.fixture
def tree(add):
    def make(files):
        lines = b"".join(
            encode_line(TreeEntry(TreePath(path), files[path])) for path in sorted(files)
        )
        added = split(io.BytesIO(lines), add, TREE)
        size = sum(content.size for content in files.values())
        return Content(ContentType.DIRECTORY, added.id, size, added.recipe, len(files))

    return make


@pytest.fixture
def lose(root):
    def one(id_):
        os.unlink(os.path.join(root, pack_key(Store.open(root).find(id_).block.pack)))

    return one


def lacking(root, content, **options):
    return list(Needs(Store.open(root), **options).lacking(content))


def test_what_is_all_there_lacks_nothing(root, file, tree):
    big, small = file(BIG), file(b"small")
    for content in (big, small, tree({"a": big, "b/c": small}), tree({})):
        assert lacking(root, content) == []


def test_a_chunk_a_file_and_a_listing_are_missed(root, file, tree, lose):
    big, small = file(BIG), file(b"small")
    folder = tree({"a": big, "b": small})
    chunk, _ = Store.open(root).recipe(big.recipe).chunks[2]
    lose(chunk)
    assert lacking(root, big) == lacking(root, folder) == [(chunk, False)]
    lose(small.id)
    assert lacking(root, folder) == [(chunk, False), (small.id, False)]
    lose(folder.id)
    assert lacking(root, folder) == [(folder.id, False)]


def test_a_listing_that_was_cut_is_looked_into_while_all_of_it_is_there(root, file, tree, lose):
    small = file(b"small")
    folder = tree({f"folder/{n:04}": small for n in range(1500)})
    assert folder.recipe is not None
    lose(small.id)
    assert {id_ for id_, _ in lacking(root, folder)} == {small.id}
    chunk, _ = Store.open(root).recipe(folder.recipe).chunks[0]
    lose(chunk)
    assert (chunk, False) in lacking(root, folder)


def test_what_is_elsewhere_is_not_missed_and_not_looked_into(root, file, tree, lose):
    big = file(BIG)
    folder = tree({"a": big})
    chunk, _ = Store.open(root).recipe(big.recipe).chunks[0]
    lose(chunk)
    assert lacking(root, folder, elsewhere=lambda id_: id_ == chunk) == []
    lose(folder.id)
    assert lacking(root, folder, elsewhere=lambda id_: id_ == folder.id) == []
    assert lacking(root, folder, elsewhere=lambda id_: id_ == chunk) == [(folder.id, False)]


def test_damage_is_told_apart_from_absence(root, file, tree):
    big, small = file(BIG), file(b"small")
    folder = tree({"a": big, "b": small, "c": Content(ContentType.FILE, NOWHERE, 7)})
    found = lacking(root, folder, damaged=frozenset({small.id}))
    assert found == [(small.id, True), (NOWHERE, False)]
    assert lacking(root, folder, damaged=frozenset({folder.id})) == [(folder.id, True)]


def test_a_listing_that_cannot_be_read_is_damage(root, add):
    listing = Content(ContentType.DIRECTORY, add(b"no listing", Kind.TREE), 0, None, 0)
    assert lacking(root, listing) == [(listing.id, True)]
    other = Content(ContentType.DIRECTORY, add(b"", Kind.TREE), 5, None, 1)
    assert lacking(root, other) == [(other.id, True)], "another size than is claimed"
