"""Code and files as commits had them."""

import pytest

from pivot.code.fingerprint import ProjectCode
from pivot.explain import Reason, ReasonKind
from pivot.hashing import hash_bytes
from pivot.lock.declared import Declared
from pivot.lock.lock import Lock
from pivot.paths import RepoPath, StageName
from pivot.project.account import Detail
from pivot.project.code_diffs import CodeDiffs
from pivot.project.commit_sources import CommitSources, place_of
from pivot.project.former_code import FormerCode, find_module
from pivot.project.former_files import FormerFiles
from pivot.project.origin import Origin
from pivot.project.sources import DiskSources
from pivot.store.content import Content, ContentType

ROOTS = (RepoPath.ROOT, RepoPath("src"))
MODULE = "def low(x):\n    return x\n\n\ndef root(x):\n    return low(x)\n"


def commit(place, files):
    for name, text in files.items():
        place.write(name, text)
    place.git("add", "--all", ".")
    place.git("commit", "--quiet", "--allow-empty", "-m", "work")
    return place.open().need_repository().head().commit


def a_lock(place):
    """A lock of what `m:root` is at this moment."""
    found = ProjectCode(DiskSources(place.open().root), ROOTS).fingerprint("m:root")
    declared = Declared(1, found.code, {}, None, {}, RepoPath.ROOT, (), ())
    return Lock(StageName("s"), "m:root", declared, {}, {})


def former(place):
    project = place.open()
    return FormerCode(project, project.need_repository(), ROOTS)


def test_sources_of_a_commit_are_those_that_it_has(place):
    id_ = commit(place, {"src/m.py": "A = 1\n", "pkg/inner/x.py": ""})
    place.write("src/m.py", "A = 2\n")
    project = place.open()
    repository = project.need_repository()
    sources = CommitSources(repository, id_, place_of(project.root, repository))
    assert sources.read(RepoPath("src/m.py")) == b"A = 1\n"
    assert sources.read(RepoPath("src")) is None
    assert sources.read(RepoPath("none.py")) is None
    folders = ["src", "pkg", "pkg/inner", ".", "src/m.py", "none"]
    assert [f for f in folders if sources.is_dir(RepoPath(f))] == folders[:4]


def test_commit_with_the_hash_of_the_lock_is_found_wherever_it_is(place):
    before = commit(place, {"m.py": MODULE})
    lock = a_lock(place)
    other = commit(place, {"m.py": MODULE.replace("return x", "return 2")})
    found = former(place).find(Origin(other, (before,)), lock, "m:low")
    assert (found.commit, found.file, found.is_proven) == (before, "m.py", True)
    found = former(place).find(Origin(other, ()), lock, "m:low")
    assert (found.commit, found.is_proven) == (other, False)
    assert former(place).find(Origin(None, (other,)), lock, "m:low") is None
    assert former(place).find(Origin(None, (before,)), lock, "m:low").commit == before


@pytest.mark.parametrize("source", ["def (", "def other(): ...\n", "def root(x):\n    return x\n"])
def test_commit_that_cannot_be_analysed_or_lacks_the_symbol_is_passed_over(place, source):
    good = commit(place, {"m.py": MODULE})
    lock = a_lock(place)
    bad = commit(place, {"m.py": source})
    assert former(place).find(Origin(bad, ()), lock, "m:low") is None
    assert former(place).find(Origin(bad, (good,)), lock, "m:low").commit == good


def test_module_is_found_in_any_root_as_package_or_file(place):
    for name in ("src/a.py", "src/b/__init__.py", "c/d.py"):
        place.write(name, "")
    sources = DiskSources(place.open().root)
    places = [find_module(sources, ROOTS, f"{name}:x") for name in ("a", "b", "c.d", "e", "..")]
    assert places == ["src/a.py", "src/b/__init__.py", "c/d.py", None, None]


def observed(symbol, old, new):
    return Detail(Reason(ReasonKind.OBSERVED, f"code:{symbol}", old, new))


@pytest.mark.parametrize("symbol", ["m:low", "m:<module>"])
def test_observed_code_is_compared_with_the_commit_that_has_its_hash(place, symbol):
    id_ = commit(place, {"m.py": MODULE})
    project, lock = place.open(), a_lock(place)
    code = ProjectCode(DiskSources(project.root), ROOTS)
    old = code.hashes([symbol])[symbol]
    place.write("m.py", MODULE.replace("return x", "return 2"))
    diffs = CodeDiffs(project, lock, former(place), Origin(id_, ()))
    detail = diffs.add_observed(observed(symbol, old, "other"), symbol)
    assert detail.diff[:2] == (f"--- m.py@{id_[:10]}", "+++ m.py")
    assert [line for line in detail.diff[3:] if line[0] in "+-"] == [
        "-    return x", "+    return 2"
    ]  # fmt: skip
    assert detail.notes == ()
    lost = diffs.add_observed(observed(symbol, "0" * 64, "other"), symbol)
    assert (lost.diff, lost.notes) == (
        None, (f"commit {id_[:10]} has the lock, but not this code",)
    )  # fmt: skip
    alone = CodeDiffs(project, lock).add_observed(observed(symbol, old, "other"), symbol)
    assert alone.notes == ("the project is in no Git repository: no source to compare with",)


def files(place, *commits):
    project = place.open()
    return FormerFiles(project.need_repository(), project.root, Origin(commits[0], commits[1:]))


def test_file_is_found_in_the_commit_that_has_its_id(place):
    one = commit(place, {"data/a.csv": "1\n"})
    two = commit(place, {"data/a.csv": "2\n"})
    path, found = RepoPath("data/a.csv"), files(place, two, one)
    assert found.file(path, hash_bytes(b"1\n")) == b"1\n"
    assert found.file(path, hash_bytes(b"3\n")) is None
    assert found.file(RepoPath("data"), hash_bytes(b"1\n")) is None


def test_listing_of_a_directory_is_the_one_that_the_workspace_had(place):
    place.write("data/run.sh", "x")
    (place.path / "data/run.sh").chmod(0o755)
    big = "".join(f"{n}\n" for n in range(300_000))
    one = commit(place, {"data/b/c": "1\n", "data/b-c": "2\n", "data/big": big})
    project, path = place.open(), RepoPath("data")
    content = project.workspace.content(path)
    listing = {entry.path: entry for entry in project.workspace.entries(path)}
    place.write("data/b/c", "changed")
    two = commit(place, {})
    assert files(place, two, one).entries(path, content) == listing
    assert listing["run.sh"].content.type is ContentType.EXECUTABLE
    assert listing["big"].content.recipe is not None
    assert files(place, two).entries(path, content) is None
    assert files(place, one).entries(RepoPath("none"), content) is None


def test_large_directories_are_not_looked_for(place):
    one = commit(place, {"data/a": "1\n"})
    path = RepoPath("data")
    content = place.open().workspace.content(path)
    assert files(place, one).entries(path, content) is not None
    for large in (content._replace(files=5_001), content._replace(size=50_000_001)):
        assert files(place, one).entries(path, Content(*large)) is None
