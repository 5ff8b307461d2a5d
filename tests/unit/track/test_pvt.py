"""`.pvt` files as bytes: canonical, and believed only as some Pivot wrote them."""

import json

import pytest
from blake3 import blake3

from pivot.hashing import derive, hash_bytes
from pivot.lock.sealed import NewerLockError, UnreadableLockError
from pivot.paths import RepoPath
from pivot.store.content import Content, ContentType
from pivot.track.pvt import CHECK_CONTEXT, decode, encode, read_pvt, remove_pvt, write_pvt

FILE = Content(ContentType.EXECUTABLE, hash_bytes(b"x"), 1, hash_bytes(b"recipe"))
FOLDER = Content(ContentType.DIRECTORY, hash_bytes(b"tree"), 12, None, 3)


def sealed(text):
    above = text.encode().rstrip(b"\n").rpartition(b"\n")[0] + b"\n"
    return above + f'  "check": "{derive(CHECK_CONTEXT, above).hex()}"}}\n'.encode()


@pytest.mark.parametrize("content", [FILE, FOLDER])
@pytest.mark.parametrize("name", ["raw", "größe 数据", 'quo"te\\', "a.pvt"])
def test_what_was_written_is_read_back(content, name):
    assert decode(encode(name, content), f"data/{name}.pvt") == content


def test_the_check_line_can_be_made_from_the_file_alone_by_other_code():
    above, _, last = encode("raw", FOLDER).removesuffix(b"\n").rpartition(b"\n")
    check = blake3(above + b"\n", derive_key_context="pivot tracked check 1").hexdigest()
    assert last.decode() == f'  "check": "{check}"}}'


def test_every_flipped_byte_and_every_truncation_is_detected():
    data = bytearray(encode("raw", FILE))
    for at in range(len(data)):
        with pytest.raises(UnreadableLockError):
            decode(bytes(data[:at]), "raw.pvt")
        for bit in (0x01, 0x20, 0x80):
            data[at] ^= bit
            with pytest.raises(UnreadableLockError):
                decode(bytes(data), "raw.pvt")
            data[at] ^= bit


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"type": "d"', '"type": "f"'),
        ('"type": "d"', '"type": "l"'),
        ('"size": 12', '"size": -1'),
        ('"size": 12', '"size": "12"'),
        ('"size": 12', '"size": 12,\n  "more": 1'),
        ('"size": 12', '"size":  12'),
        ('"files": 3', '"files": true'),
        ('  "files": 3,\n', ""),
        ('"path": "raw"', '"path": "../raw"'),
        ('"path": "raw"', '"path": 1'),
        ('"format": 1', '"format": 0'),
    ],
)
def test_what_no_pivot_would_write_is_refused_though_its_check_line_fits(old, new):
    text = encode("raw", FOLDER).decode()
    assert old in text
    with pytest.raises(UnreadableLockError):
        decode(sealed(text.replace(old, new)), "raw.pvt")


def test_a_record_under_another_name_is_refused():
    with pytest.raises(UnreadableLockError, match="it is the record of 'raw'"):
        decode(encode("raw", FILE), "data/renamed.pvt")


def test_conflicts_and_newer_formats_are_told_apart():
    conflict = encode("raw", FILE).replace(b'  "id"', b'<<<<<<< ours\n  "id"', 1)
    with pytest.raises(UnreadableLockError, match="conflict markers") as caught:
        decode(conflict, "data/raw.pvt")
    assert caught.value.hint == (
        "Take back a committed version with `git checkout HEAD -- data/raw.pvt`"
    )
    with pytest.raises(NewerLockError):
        decode(b'{"format": 2, "new": []}', "raw.pvt")


@pytest.mark.parametrize("data", [b"", b"PVT table\n1 2 3\n", b"\x00\xff"])
def test_another_programs_file_is_told_apart(data):
    with pytest.raises(UnreadableLockError) as caught:
        decode(data, "fluid.pvt")
    assert "give it another name" in caught.value.hint


def test_files_are_written_read_and_removed(tmp_path):
    root, path = str(tmp_path), RepoPath("data/raw")
    (tmp_path / "data").mkdir()
    assert read_pvt(root, path) is None
    write_pvt(root, path, FILE)
    write_pvt(root, path, FOLDER)
    assert read_pvt(root, path) == FOLDER
    assert json.loads((tmp_path / "data/raw.pvt").read_text())["path"] == "raw"
    remove_pvt(root, path)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_link_is_no_record(tmp_path):
    (tmp_path / "real").write_bytes(encode("raw", FILE))
    (tmp_path / "raw.pvt").symlink_to("real")
    with pytest.raises(UnreadableLockError):
        read_pvt(str(tmp_path), RepoPath("raw"))
