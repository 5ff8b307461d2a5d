"""What revisions hold, as a push or a fetch needs it."""

import pytest

from pivot.errors import UsageError
from pivot.hashing import hash_bytes
from pivot.lock.sealed import UnreadableLockError
from pivot.project.revised import revised
from pivot.store.content import Content, ContentType
from pivot.track.pvt import encode


@pytest.fixture
def history(place):
    """main: one (train), two (train, eval); side: from one, with data tracked. HEAD is main."""

    def commit(message, tag):
        place.git("add", "-A", ":/")
        place.git("commit", "-qm", message)
        place.git("tag", tag)

    place.result("train", first="1")
    commit("one", "one")
    place.git("switch", "-qc", "side")
    content = Content(ContentType.FILE, hash_bytes(b"data"), 4)
    place.write("data.bin.pvt", encode("data.bin", content).decode())
    commit("data", "data")
    place.git("switch", "-q", "main")
    place.result("train", first="2")
    place.result("eval", second="3")
    commit("two", "two")
    return place


def found(place, *revisions, targets=(), all_branches=False):
    roots = revised(place.open(), revisions, targets, all_branches=all_branches)
    ids = {hash_bytes(text.encode()): text for text in ("1", "2", "3", "4", "data")}
    return {str(path): ids[content.id] for path, content in roots.items()}


def test_one_commit_is_what_its_locks_and_tracked_files_name(history):
    assert found(history, "one") == {"first.json@one": "1"}
    assert found(history, "data") == {"first.json@data": "1", "data.bin@data": "data"}
    assert found(history, "HEAD") == {"first.json@HEAD": "2", "second.json@HEAD": "3"}


def test_what_several_commits_share_comes_once_and_the_workspace_is_not_asked(history):
    history.write(".pivot/stages/broken.lock", "not asked")
    assert found(history, "one", "data", "two") == {
        "first.json@one": "1",
        "data.bin@data": "data",
        "first.json@two": "2",
        "second.json@two": "3",
    }


def test_range_is_what_its_commits_have(history):
    ids = {tag: history.git("rev-parse", tag).strip()[:10] for tag in ("one", "two")}
    assert found(history, "one..two") == {
        f"first.json@{ids['two']}": "2",
        f"second.json@{ids['two']}": "3",
    }
    assert found(history, "one..") == found(history, "one..HEAD") == found(history, "one..two")
    assert found(history, "two..one") == {}


def test_all_branches_are_their_tips(history):
    history.git("update-ref", "refs/remotes/origin/old", "one")
    history.result("train", first="4")
    history.git("commit", "-qam", "tagged alone")
    history.git("tag", "tagged")
    history.git("reset", "-q", "--hard", "HEAD~1")
    assert found(history, "tagged")["first.json@tagged"] == "4"
    assert found(history, all_branches=True) == {
        "first.json@main": "2",
        "second.json@main": "3",
        "first.json@side": "1",
        "data.bin@side": "data",
    }


def test_what_one_commit_tells_twice_of_a_path_is_both(history):
    content = Content(ContentType.FILE, hash_bytes(b"4"), 1)
    history.write("first.json.pvt", encode("first.json", content).decode())
    history.git("add", "-A", ":/")
    history.git("commit", "-qm", "twice")
    assert sorted(found(history, "HEAD", targets=["first.json"]).values()) == ["2", "4"]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["eval"], {"second.json@two": "3"}),
        (["train"], {"first.json@one": "1", "first.json@two": "2"}),
        (["first.json", "eval"], {"first.json@one": "1", "first.json@two": "2",
                                  "second.json@two": "3"}),
        (["."], {"first.json@one": "1", "first.json@two": "2", "second.json@two": "3"}),
    ],
)  # fmt: skip
def test_targets_are_stages_and_paths_of_any_of_the_commits(history, targets, expected):
    assert found(history, "one", "two", targets=targets) == expected


def test_tracked_path_is_a_target_by_either_name(history):
    assert found(history, "data", targets=["data.bin.pvt"]) == {"data.bin@data": "data"}


@pytest.mark.parametrize(
    ("revision", "targets", "said"),
    [
        ("two", ["evil"], "'evil' is no stage, no out and no tracked path in these revisions"),
        ("one", ["eval"], "'eval' is no stage"),
        ("nowhere", [], "Git knows no commit 'nowhere'"),
        ("one..nowhere", [], "Git knows no commit 'nowhere'"),
        ("one...two", [], "symmetric difference"),
        ("-x", [], "is no revision"),
    ],
)
def test_what_names_nothing_is_an_error_with_a_remedy(history, revision, targets, said):
    with pytest.raises(UsageError, match=said) as caught:
        found(history, revision, targets=targets)
    assert caught.value.hint


def test_nearest_target_is_named(history):
    with pytest.raises(UsageError) as caught:
        found(history, "two", targets=["evil"])
    assert caught.value.hint == "Did you mean 'eval'?"


def test_lock_that_cannot_be_read_is_named_with_its_commit(history):
    history.write(".pivot/stages/eval.lock", "<<<<<<< ours\n")
    history.git("commit", "-qam", "bad")
    commit = history.git("rev-parse", "HEAD").strip()[:10]
    with pytest.raises(UnreadableLockError, match=rf"eval\.lock in commit {commit} can't be read"):
        found(history, "HEAD")


def test_other_projects_of_the_repository_are_left_alone(history, tmp_path):
    other = history.path / "sub"
    other.mkdir()
    content = Content(ContentType.FILE, hash_bytes(b"data"), 4)
    top = tmp_path / "repository"
    (top / "elsewhere/.pivot/stages").mkdir(parents=True)
    (top / "elsewhere/x.bin.pvt").write_bytes(encode("x.bin", content))
    history.git("add", "-A", ":/")
    history.git("commit", "-qm", "more")
    is_root = history.path == top
    assert ("elsewhere/x.bin@HEAD" in found(history, "HEAD")) == is_root
