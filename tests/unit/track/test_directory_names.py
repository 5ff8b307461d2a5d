"""The names in a folder of a directory, told by its tree alone."""

import pytest

from pivot.hashing import hash_bytes
from pivot.paths import RepoPath, TreePath
from pivot.store.content import Content, ContentType
from pivot.store.tree import TreeEntry
from pivot.track.directory import names_at

FILE = Content(ContentType.FILE, hash_bytes(b"x"), 1)
RAW = RepoPath("data/raw")
DIRECTORY = Content(ContentType.DIRECTORY, hash_bytes(b"tree"), 3, None, 3)
ENTRIES = [
    TreeEntry(TreePath("a.csv"), FILE),
    TreeEntry(TreePath("empty"), None),
    TreeEntry(TreePath("inner/b.csv"), FILE),
    TreeEntry(TreePath("inner/deep/c.csv"), FILE),
    TreeEntry(TreePath("inner2/d.csv"), FILE),
]


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("data/raw", ["a.csv", "empty", "inner", "inner2"]),
        ("data/raw/inner", ["b.csv", "deep"]),
        ("data/raw/inner/deep", ["c.csv"]),
        ("data/raw/empty", []),
        ("data/raw/a.csv", None),
        ("data/raw/other", None),
    ],
)
def test_names_in_a_folder_of_a_directory(folder, names):
    assert names_at(RepoPath(folder), RAW, DIRECTORY, lambda _: iter(ENTRIES)) == names


def test_a_file_is_no_folder():
    assert names_at(RAW, RAW, FILE, lambda _: iter(ENTRIES)) is None
