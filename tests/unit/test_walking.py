"""The digest of a directory: the same from both walks, and another for any other directory."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pivot.walking import StateDigest, digest, walk

names = st.text(st.sampled_from("ab.-0é"), min_size=1, max_size=2).filter(
    lambda name: name not in (".", "..")
)
trees = st.recursive(
    st.just(b"") | st.just({}), lambda inner: st.dictionaries(names, inner, max_size=4)
).filter(lambda tree: isinstance(tree, dict))


def make(root, tree):
    root.mkdir()
    for name, value in tree.items():
        make(root / name, value) if value != b"" else (root / name).touch()


def walked(root):
    found = StateDigest()
    list(walk(str(root), "d", found.add))
    return found.value()


@settings(max_examples=60)
@given(tree=trees)
def test_the_walk_that_reads_and_the_one_that_only_looks_tell_the_same(tmp_path_factory, tree):
    root = tmp_path_factory.mktemp("w") / "d"
    make(root, tree)
    assert walked(root) == digest(str(root), "d")


TREE = {"a": b"", "b": {"c": b"", "d": {}}, "b-": b"", "e": {"f": {"g": b""}}}


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "a").unlink(),
        lambda root: (root / "new").touch(),
        lambda root: (root / "new").mkdir(),
        lambda root: (root / "b" / "d").rmdir(),
        lambda root: (root / "b" / "d" / "new").touch(),
        lambda root: os.rename(root / "a", root / "z"),
        lambda root: os.rename(root / "b", root / "c"),
        lambda root: os.rename(root / "b" / "c", root / "b" / "d" / "c"),
        lambda root: os.rename(root / "b" / "c", root / "c"),
        lambda root: (root / "a").chmod(0o700),
        lambda root: (root / "a").write_bytes(b"1"),
        lambda root: os.utime(root / "a", (1, 1)),
        lambda root: (os.rename(root / "b-", root / "x"), os.rename(root / "a", root / "b-")),
    ],
)
def test_any_change_gives_another_digest(tmp_path, change):
    root = tmp_path / "d"
    make(root, TREE)
    before = digest(str(root), "d")
    assert digest(str(root), "d") == before
    change(root)
    assert digest(str(root), "d") != before


def test_a_folder_costs_one_listing(tmp_path, monkeypatch):
    make(tmp_path / "d", TREE)
    listed = []
    real = os.listdir
    monkeypatch.setattr("os.listdir", lambda fd: listed.append(fd) or real(fd))
    monkeypatch.setattr("os.scandir", lambda _: pytest.fail("it was listed again"))
    digest(str(tmp_path / "d"), "d")
    assert len(listed) == 5
