"""What the default remote is known to have, for planning, and getting it, for running."""

import io
import os

import pytest

from pivot.config import Config
from pivot.errors import DeniedError, MissingDataError, UsageError
from pivot.paths import RepoPath
from pivot.project.fetching import RemoteResults
from pivot.settings import Source
from pivot.store.content import Content, ContentType
from pivot.store.store import Store
from pivot.sync.push import push
from pivot.transfer.remote import RemoteStore


@pytest.fixture
def content(tmp_path):
    """A content that the remote at `remote` has."""
    store = Store.open(str(tmp_path / "there"))
    with store.writer() as writer:
        added = writer.add_stream(io.BytesIO(b"a result"))
    found = Content(ContentType.FILE, added.id, added.size, added.recipe)
    remote = RemoteStore.at(str(tmp_path / "remote"), {}, str(tmp_path / "copies"))
    push(store, remote, {RepoPath("out"): found})
    return found


@pytest.fixture
def heard():
    return []


@pytest.fixture
def make(tmp_path, heard):
    """Results of a project whose configuration is as given."""

    def make(*, policy="auto", source=Source.LOCAL, may_ask=True, url="../remote", first=None):
        remote = {} if first is None else {"remotes.first.url": first}
        remote |= {} if url is None else {"remotes.a.url": url}
        config = Config({source: {**remote, "run.fetch": policy}})
        here = Store.open(str(tmp_path / "here"))
        return RemoteResults(
            config, str(tmp_path / "project"), here, heard.append if may_ask else None
        )

    return make


def held(tmp_path, content):
    return Store.open(str(tmp_path / "here")).holds(content)


def test_remote_is_listed_at_the_first_question_and_once(make, content, tmp_path, heard):
    results = make()
    assert results.has(content)
    os.rename(tmp_path / "remote", tmp_path / "gone")
    assert results.has(content), "from what was listed"
    assert heard == []


def test_looking_asks_the_copies_alone(make, content, tmp_path, heard):
    assert not make(may_ask=False).has(content)
    assert not (tmp_path / "here/remotes").exists()
    assert make().has(content)
    os.rename(tmp_path / "remote", tmp_path / "gone")
    assert make(may_ask=False).has(content)
    assert heard == []


def test_bringing_puts_it_into_the_store(make, content, tmp_path):
    make().bring({RepoPath("out"): content})
    assert held(tmp_path, content)


def test_never_neither_asks_nor_brings(make, content, heard):
    results = make(policy="never")
    assert not results.has(content)
    with pytest.raises(MissingDataError):
        results.bring({RepoPath("out"): content})
    assert heard == []


def test_auto_says_once_why_a_remote_was_not_asked(make, content, tmp_path, heard):
    os.rename(tmp_path / "remote", tmp_path / "gone")
    results = make()
    assert not results.has(content)
    assert not results.has(content)
    warning, hint = heard
    assert warning.startswith("warning: the remote wasn't used: ")
    assert f"{tmp_path}/remote holds no Pivot store" in warning
    assert hint.startswith("hint: ")


def test_auto_says_that_an_address_is_not_confirmed(make, content, heard):
    results = make(source=Source.PROJECT)
    assert not results.has(content)
    assert "was not confirmed on this machine" in heard[0]


def test_of_several_each_that_is_not_confirmed_is_named_once(make, content, tmp_path, heard):
    results = make(source=Source.PROJECT, first="../other")
    assert not results.has(content)
    assert all(warning.count("remote 'first'") < 2 for warning in heard)
    assert heard[0].startswith("warning: remote 'first' (")


def test_no_remote_at_all_is_nothing_to_talk_about(make, content, heard):
    assert not make(url=None).has(content)
    assert heard == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"url": None}, UsageError),
        ({"source": Source.PROJECT}, DeniedError),
        ({"url": "../absent"}, UsageError),
    ],
)
def test_require_raises_what_auto_only_tells(make, content, heard, given, error):
    assert not make(policy="require", may_ask=False, **given).has(content), "looking is allowed"
    with pytest.raises(error):
        make(policy="require", **given).has(content)
    assert heard == []


def test_damaged_bytes_are_missing_with_auto_and_an_error_with_require(
    make, content, tmp_path, heard
):
    for pack in (tmp_path / "remote/packs").rglob("*.pack"):
        pack.unlink()
    with pytest.raises(MissingDataError, match="is not whole"):
        make().bring({RepoPath("out"): content})
    assert "is not whole" in heard[0]
    with pytest.raises(Exception, match="is not whole") as caught:
        make(policy="require").bring({RepoPath("out"): content})
    assert not isinstance(caught.value, MissingDataError)
    assert not held(tmp_path, content)


def test_the_next_remote_is_asked_for_what_the_first_lacks(make, content, tmp_path, heard):
    other = RemoteStore.at(str(tmp_path / "other"), {}, str(tmp_path / "other-copies"))
    other.open_to_write()
    results = make(first="../other")
    assert results.has(content)
    results.bring({RepoPath("out"): content})
    assert held(tmp_path, content)
    assert heard == []


def test_the_next_remote_is_not_listed_for_what_the_first_has(make, content, tmp_path, heard):
    results = make(first="../remote", url="../absent")
    assert results.has(content)
    results.bring({RepoPath("out"): content})
    assert heard == []


@pytest.mark.parametrize("policy", ["auto", "require"])
def test_a_first_remote_that_fails_is_told_and_the_next_one_gives(
    make, content, tmp_path, heard, policy
):
    results = make(first="../absent", policy=policy)
    assert results.has(content)
    assert heard[0].startswith("warning: remote 'first' wasn't used: ")
    results.bring({RepoPath("out"): content})
    assert held(tmp_path, content)


def test_require_raises_where_one_fails_and_no_other_has_it(make, content, tmp_path):
    lost = Content(ContentType.FILE, content.id.__class__(bytes(32)), 1, None)
    with pytest.raises(UsageError, match="holds no Pivot store"):
        make(first="../absent", policy="require").has(lost)
