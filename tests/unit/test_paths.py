import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pivot.paths import (
    MAX_BYTES,
    MAX_DEPTH,
    PathError,
    RepoPath,
    StageName,
    TreePath,
    check_names,
    is_reserved,
)

BAD = [
    "",
    "/",
    "/etc",
    "..",
    "../a",
    "a/..",
    "a/../b",
    "a//b",
    "a/",
    "./a",
    "a/.",
    "a\0b",
    "a\ud800",
    "x" * (MAX_BYTES + 1),
    "é" * (MAX_BYTES // 2 + 1),
    "/".join(["x"] * (MAX_DEPTH + 1)),
]
RESERVED = [
    ".git",
    ".GIT",
    ".Git",
    ".pivot",
    ".PIVOT",
    "git~1",
    "GIT~1",
    "pivot~1",
    ".git.",
    ".git ",
    ".git. . ",
    ".git::$INDEX_ALLOCATION",
    ".git .:stream",
    ".g\u200cit",
    "\u206a.git",
    ".git\ufeff",
    ".gi\u202et",
    "\uff0e\uff47it",
    ".\u1d33it",
]
FINE = [".gitignore", ".github", "git", "pivot", "git~2", ".git2", "a.git", ".pivotx", "~", "a~1"]


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("kind", [RepoPath, TreePath])
def test_a_path_that_could_lead_elsewhere_is_refused(kind, text):
    with pytest.raises(PathError):
        kind(text)


@pytest.mark.parametrize("name", RESERVED)
def test_every_disguise_of_our_folders_is_refused_at_every_depth(name):
    assert is_reserved(name)
    for text in (name, f"a/{name}", f"{name}/a", f"a/{name}/b"):
        with pytest.raises(PathError, match="belongs to Git or Pivot"):
            TreePath(text)


@pytest.mark.parametrize("name", FINE)
def test_names_that_only_look_alike_are_fine(name):
    assert TreePath(f"a/{name}") == RepoPath(f"a/{name}") == f"a/{name}"


@given(st.text())
def test_an_accepted_path_stays_below_its_root(text):
    try:
        path = TreePath(text)
    except PathError:
        return
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))
    assert path.encode().decode() == text


def test_names_people_write_are_normalised_and_names_of_files_are_not():
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    assert RepoPath(decomposed) == composed
    assert TreePath(decomposed) == decomposed
    assert TreePath("new\nline") == "new\nline"
    with pytest.raises(PathError, match="control character"):
        RepoPath("new\nline")


@pytest.mark.parametrize(
    ("written", "base", "path"),
    [
        ("a.csv", ".", "a.csv"),
        ("a.csv", "sub", "sub/a.csv"),
        ("../a.csv", "sub", "a.csv"),
        ("./x//y/", ".", "x/y"),
        ("x\\y", ".", "x/y"),
        ("..", "sub", "."),
        (".", "sub", "sub"),
    ],
)
def test_a_written_path_is_resolved_against_its_folder(written, base, path):
    assert RepoPath.resolve(written, base=RepoPath(base)) == path


@pytest.mark.parametrize("written", ["", " ", "/a", "\\a", "..", "../..", "sub/../../a", ".git/x"])
def test_a_written_path_that_leaves_the_project_is_refused(written):
    with pytest.raises(PathError):
        RepoPath.resolve(written, base=RepoPath.ROOT)


def test_a_path_contains_itself_and_what_is_below():
    assert RepoPath("a").contains(RepoPath("a"))
    assert RepoPath("a").contains(RepoPath("a/b"))
    assert not RepoPath("a").contains(RepoPath("ab"))
    assert RepoPath.ROOT.contains(RepoPath("x"))
    assert RepoPath("a/b").parent == "a"
    assert RepoPath("a").parent == RepoPath.ROOT
    assert RepoPath.ROOT / "a" == "a"
    assert RepoPath("a") / "b" == "a/b"


@pytest.mark.parametrize("name", ["train", "a/b", "A_1.x@y=z+w-", "-", "a.lockx", "x" * 200])
def test_stage_names_that_are_file_names(name):
    assert StageName(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a b", ".a", "a/.b", "..", "a//b", "/a", "a.lock", "a.lock/b", "é", "x" * 201, "a\n"],
)
def test_stage_names_that_are_none(name):
    with pytest.raises(PathError):
        StageName(name)


# -- many names at once ---------------------------------------------------------------------

RESERVED_OR_NOT = [".git", ".GIT", "git~1", ".pivot", "PIVOT~1", "\u200c", "\uff0e", ".", "..", " "]
LETTERS = [":", "~", "a", "B", "-", "é", "e\u0301", "\u0338", "\u017f", "\udce9", "\0", "/", ""]
pieces = st.sampled_from([*RESERVED_OR_NOT, *LETTERS, "n" * 250])
odd_names = st.lists(pieces, min_size=1, max_size=4).map("".join)


def is_refused(text):
    try:
        TreePath(text)
    except PathError:
        return True
    return False


@settings(max_examples=500)
@given(
    prefix=st.sampled_from(["", "a/", "d/" * 62, "d/" * 63, "d/" * 64, f"{'n' * 200}/" * 20]),
    names=st.lists(odd_names, max_size=4),
)
def test_names_are_refused_together_if_one_of_them_is_alone(prefix, names):
    try:
        check_names(prefix, names)
    except PathError:
        together = True
    else:
        together = False
    assert together is any(is_refused(prefix + name) for name in names)


@settings(max_examples=500)
@given(text=st.lists(odd_names, min_size=1, max_size=4).map("/".join))
def test_a_path_that_looks_plain_is_one(text):
    parts = text.split("/")
    expected = (
        any(part in ("", ".", "..") or is_reserved(part) for part in parts)
        or "\0" in text
        or any("\ud800" <= letter <= "\udfff" for letter in text)
    )
    assert is_refused(text) is expected
