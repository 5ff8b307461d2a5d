"""Clients of one remote, and what must hold there whatever happened."""

import io
import json
import os
from collections import defaultdict

from pivot.paths import TreePath
from pivot.store.check import check
from pivot.store.codec import decompress
from pivot.store.content import Content, ContentType
from pivot.store.dangling import dangling, is_tree
from pivot.store.entry import FileName, Kind, verify
from pivot.store.index import Index
from pivot.store.pack import pack_key
from pivot.store.recipe import Recipe
from pivot.store.split import TREE
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line, parse
from pivot.transfer.remote import RemoteStore
from pivot_remotes.tracing import Trace, Tracing
from tests.unit.storage import Storage


class Team:
    """Stores below `folder`, by name, and the storage that their owners share."""

    def __init__(self, folder):
        self.folder = folder
        self.storage = Storage()

    def store(self, name):
        """The store of a client, opened afresh."""
        return Store.open(str(self.folder / name))

    def remote(self, name, backend=None):
        """The remote as a client sees it; the same name has the same copies of indexes."""
        trace = Trace()
        cache = str(self.folder / name / "remotes" / "remote")
        return RemoteStore(Tracing(backend or self.storage, trace), cache, trace)


def put_file(store, data):
    """Store a file."""
    with store.writer() as writer:
        added = writer.add_stream(io.BytesIO(data))
    return Content(ContentType.FILE, added.id, added.size, added.recipe)


def put_tree(store, files):
    """Store a directory of `{path: bytes}`: its members, then its listing."""
    with store.writer() as writer:
        lines = []
        for path, data in sorted(files.items(), key=lambda item: item[0].encode()):
            added = writer.add_stream(io.BytesIO(data))
            content = Content(ContentType.FILE, added.id, added.size, added.recipe)
            lines.append(encode_line(TreeEntry(TreePath(path), content)))
        listing = writer.add_stream(io.BytesIO(b"".join(lines)), TREE)
    size = sum(map(len, files.values()))
    return Content(ContentType.DIRECTORY, listing.id, size, listing.recipe, len(files))


def files_of(store, content):
    """The files of a directory, read back."""
    return {str(entry.path): b"".join(store.stream(entry.content)) for entry in store.tree(content)}


def named(storage):
    """What the storage has by its own files alone: places of each entry, and sizes of packs.

    Rows of listed indexes that no listed one replaces, less those in packs that a tombstone names.
    """
    indexes = {}
    doomed = set()
    for key, data in sorted(storage.objects.items()):
        folder, _, name = key.rpartition("/")
        if folder == "index" and name.endswith(".idx"):
            parsed = FileName.parse(name.removesuffix(".idx"))
            indexes[parsed] = Index(memoryview(data), parsed)
        elif folder == "tombstones":
            doomed |= {FileName.parse(pack) for pack in json.loads(data)["packs"]}
    replaced = {old for index in indexes.values() for old in index.replaces}
    places, sizes = defaultdict(list), {}
    for name, index in indexes.items():
        if name in replaced:
            continue
        sizes.update((pack, size) for pack, size in index.packs if pack not in doomed)
        for id_, place in index.rows():
            if place.block.pack not in doomed:
                places[id_].append(place)
    return dict(places), sizes


def check_storage(storage):
    """Every entry that is named can be read, is what its id says, and refers to named ones only.

    Returns the ids of what is named.
    """
    places, sizes = named(storage)
    for pack, size in sizes.items():
        assert len(storage.objects[pack_key(pack)]) == size
    opened = {}
    data = {}
    for id_, found in places.items():
        for place in found:
            block = place.block
            if block not in opened:
                pack = storage.objects[pack_key(block.pack)]
                stored = pack[block.offset : block.offset + block.stored]
                opened[block] = decompress(block.codec, stored, block.raw)
            data[id_] = opened[block][place.offset : place.offset + place.size]
            verify(id_, place.kind, data[id_])
    for id_, found in places.items():
        _check_references(id_, found[0].kind, data)
    return frozenset(places)


def _check_references(id_, kind, data):
    if kind is Kind.TREE:
        _check_members([data[id_]], data)
    elif kind is Kind.RECIPE:
        recipe = Recipe.decode(data[id_])
        assert all(chunk in data for chunk, _ in recipe.chunks), "a recipe came before its chunks"
        if is_tree(id_, recipe, lambda chunk, kind: data[chunk]):
            _check_members((data[chunk] for chunk, _ in recipe.chunks), data)


def _check_members(parts, data):
    for entry in parse(parts):
        if entry.content is not None:
            head = entry.content.recipe or entry.content.id
            assert head in data, f"a tree came before its member {entry.path}"


def check_store(store):
    """A store here is sound to its last byte, and nothing half done is left beside it."""
    assert check(store, read_data=True).is_sound
    assert not dangling(store)
    left = set(os.listdir(os.path.join(store.root, "tmp")))
    assert left <= {"in-use"}
