"""What a store holds after a repair: where a tree or recipe is found, all that it names is."""

import io
import os
import random

import pytest

from pivot.hashing import hash_bytes
from pivot.paths import TreePath
from pivot.store.check import check
from pivot.store.content import Content, ContentType
from pivot.store.entry import Kind
from pivot.store.pack import pack_key
from pivot.store.recipe import Recipe
from pivot.store.repair import repair
from pivot.store.split import FILE, TREE, split
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line

BIG = 3 << 20


class Kept:
    """A store whose every session makes a pack of its own, so that one entry can be lost."""

    def __init__(self, root):
        self.root = root

    def open(self):
        return Store.open(self.root)

    def bytes(self, data, kind=Kind.DATA):
        with self.open().writer() as writer:
            return writer.add_bytes(data, kind)

    def file(self, data):
        """Each chunk goes into a pack of its own."""
        added = split(io.BytesIO(data), self.bytes, FILE)
        return Content(ContentType.FILE, added.id, added.size, added.recipe)

    def tree(self, files):
        """The tree of files by path; cut into chunks where it is large."""
        lines = b"".join(
            encode_line(TreeEntry(TreePath(path), files[path])) for path in sorted(files)
        )
        added = split(io.BytesIO(lines), self.bytes, TREE)
        size = sum(content.size for content in files.values())
        return Content(ContentType.DIRECTORY, added.id, size, added.recipe, len(files))

    def lose(self, id_):
        """Remove the pack that an entry is in; whatever else is in it is lost, too."""
        place = self.open().find(id_)
        os.unlink(os.path.join(self.root, pack_key(place.block.pack)))

    def damage(self, id_):
        """Flip a byte of an entry's block."""
        place = self.open().find(id_).block
        path = os.path.join(self.root, pack_key(place.pack))
        os.chmod(path, 0o644)
        with open(path, "r+b") as f:
            f.seek(place.offset)
            byte = f.read(1)
            f.seek(place.offset)
            f.write(bytes([byte[0] ^ 1]))


@pytest.fixture
def kept(root):
    return Kept(root)


def small(kept, data):
    return Content(ContentType.FILE, kept.bytes(data), len(data))


def random_bytes(size, seed=0):
    return random.Random(seed).randbytes(size)


def read_all(store, content):
    """All bytes that a content needs, which raises if anything is missing."""
    if content.type is ContentType.DIRECTORY:
        for entry in store.tree(content):
            if entry.content is not None:
                read_all(store, entry.content)
    else:
        for _ in store.stream(content):
            pass


HARM = {"lost": Kept.lose, "damaged": Kept.damage}


@pytest.mark.parametrize("harm", HARM)
def test_a_recipe_goes_with_its_chunk(kept, harm):
    content, other = kept.file(random_bytes(BIG)), kept.file(random_bytes(BIG, 1))
    chunk, _ = kept.open().recipe(content.recipe).chunks[1]
    HARM[harm](kept, chunk)
    assert kept.open().holds(content), "this is the lie that repairing ends"
    done = repair(kept.open())
    store = kept.open()
    assert not store.holds(content)
    assert store.holds(other)
    read_all(store, other)
    assert (done.forgotten, done.lost) == (1, {chunk, content.recipe})


@pytest.mark.parametrize("harm", HARM)
def test_a_tree_goes_with_its_file_and_its_other_files_stay(kept, harm):
    one, two = small(kept, b"one"), small(kept, b"two")
    tree, other = kept.tree({"a": one, "b/c": two}), kept.tree({"b": two})
    HARM[harm](kept, one.id)
    done = repair(kept.open())
    store = kept.open()
    assert [store.holds(c) for c in (tree, one, two, other)] == [False, False, True, True]
    assert done.lost == {one.id, tree.id}


def test_a_tree_goes_with_the_chunk_of_its_file(kept):
    big = kept.file(random_bytes(BIG))
    tree = kept.tree({"big": big})
    kept.lose(kept.open().recipe(big.recipe).chunks[0][0])
    repair(kept.open())
    assert not kept.open().holds(tree)


@pytest.mark.parametrize("what", ["member", "chunk of the listing"])
def test_a_tree_that_was_cut_goes_with_its_file_or_its_own_chunk(kept, what):
    file, rest = small(kept, b"lost"), small(kept, b"kept")
    files = {f"folder/{n:04}": rest for n in range(1500)} | {"folder/x": file}
    tree, sound = kept.tree(files), kept.tree(dict.fromkeys(files, rest))
    assert tree.recipe is not None
    lost = file.id
    if what == "chunk of the listing":
        lost = kept.open().recipe(tree.recipe).chunks[-1][0]
    kept.lose(lost)
    done = repair(kept.open())
    store = kept.open()
    assert not store.holds(tree)
    assert store.holds(sound)
    read_all(store, sound)
    assert tree.recipe in done.lost


def test_a_file_that_looks_like_a_listing_is_none(kept):
    """Whether a recipe is a tree's only its hash tells."""
    line = encode_line(TreeEntry(TreePath("a"), Content(ContentType.FILE, hash_bytes(b""), 0)))
    content = kept.file(line * 20_000)
    assert content.recipe is not None
    repair(kept.open())
    read_all(kept.open(), content)


def test_what_was_forgotten_comes_back_when_it_is_added_again(kept):
    one = small(kept, b"one")
    tree = kept.tree({"a": one})
    kept.lose(one.id)
    repair(kept.open())
    assert small(kept, b"one") == one
    assert not kept.open().holds(tree), "its listing has to be added again, too"
    kept.tree({"a": one})
    read_all(kept.open(), tree)


def test_leftover_packs_that_are_indexed_again_bring_no_tree_without_its_files(kept):
    """As a collection leaves them that died after it removed an index and some of its packs."""
    one, two = small(kept, b"one"), small(kept, b"two")
    tree = kept.tree({"a": one, "b": two})
    kept.lose(one.id)
    for index in kept.open().index_names():
        os.unlink(os.path.join(kept.root, "index", f"{index}.idx"))
    assert not kept.open().holds(tree)
    repair(kept.open())
    store = kept.open()
    assert [store.holds(c) for c in (tree, one, two)] == [False, False, True]
    assert check(store, read_data=True).is_sound
    repair(store)
    assert not kept.open().holds(tree)


@pytest.mark.parametrize(
    "listing", [b"f 00 1 a\0", b"no tree at all", b"d - 0 b\0d - 0 a\0", b"d - 0 ../x\0"]
)
def test_a_tree_that_cannot_be_read_is_not_held(kept, listing):
    tree = Content(ContentType.DIRECTORY, kept.bytes(listing, Kind.TREE), 0, None, 0)
    assert kept.open().holds(tree)
    repair(kept.open())
    assert not kept.open().holds(tree)


@pytest.mark.parametrize("recipe", [b"", b"short", Recipe(hash_bytes(b""), 9, ()).encode()])
def test_a_recipe_that_cannot_be_read_is_not_held(kept, recipe):
    id_ = kept.bytes(recipe, Kind.RECIPE)
    repair(kept.open())
    assert not kept.open().has(id_)


def test_an_index_without_anything_left_is_not_written(kept):
    tree = kept.tree({"a": Content(ContentType.FILE, hash_bytes(b"gone"), 4)})
    repair(kept.open())
    assert not kept.open().holds(tree)
    assert kept.open().index_names() == []
