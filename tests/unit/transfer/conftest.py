"""Remotes in a directory, and what is added to them in packs of one object each."""

import os

import pytest

from pivot.hashing import hash_bytes
from pivot.store.codec import Codec
from pivot.store.entry import BlockPlace, Entry, FileName, Kind, PackedBlock, PackInfo
from pivot.store.pack import PackWriter, pack_key
from pivot.transfer.remote import RemoteStore
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.tracing import Trace, Tracing


@pytest.fixture
def make_remote(tmp_path):
    """A client of the remote; the same name has the same copies of indexes."""

    def make(client="me", kind=DirectoryBackend, **options):
        trace = Trace()
        backend = Tracing(kind(str(tmp_path / "remote")), trace)
        return RemoteStore(backend, str(tmp_path / f"cache-{client}"), trace, **options)

    return make


@pytest.fixture
def add(tmp_path):
    """Send an object in a pack of its own; returns the pack."""

    def send(remote, data):
        root = tmp_path / "packing"
        os.makedirs(root / "tmp", exist_ok=True)
        writer = PackWriter.open(str(root), sync=False)
        writer.append(Codec.RAW, data, len(data), [Entry(hash_bytes(data), Kind.DATA, len(data))])
        pack = writer.finish()
        remote.add_pack(str(root / pack_key(pack.name)), pack.name)
        remote.add_index([pack])
        return pack

    return send


@pytest.fixture
def unsent():
    """A pack of one object that was never written."""

    def make(data):
        name = FileName.fresh()
        place = BlockPlace(name, 100, len(data), len(data), Codec.RAW)
        block = PackedBlock(place, (Entry(hash_bytes(data), Kind.DATA, len(data)),))
        return PackInfo(name, 1000 + len(data), (block,))

    return make


@pytest.fixture
def claim(unsent):
    """Add an index that names an object in a pack that was never sent; returns the pack."""

    def put(remote, data):
        pack = unsent(data)
        remote.add_index([pack])
        return pack

    return put
