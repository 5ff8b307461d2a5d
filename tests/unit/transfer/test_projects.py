import json

import pytest

from pivot.errors import IntegrityError
from pivot.store.pushers import Pusher
from pivot.transfer.remote import RemoteStore
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.tracing import Trace, Tracing

DAY = 86_400
WINE = Pusher("github.com/ada/wine", "")


@pytest.fixture
def remote(tmp_path):
    trace = Trace()
    backend = Tracing(DirectoryBackend(str(tmp_path / "remote")), trace)
    store = RemoteStore(backend, str(tmp_path / "cache"), trace)
    store.open_to_write()
    return store


def note(remote, day, clone="/home/ada/wine", pusher=WINE):
    """Whether noting asked the remote for anything."""
    before = remote.requests
    remote.projects.note(clone, lambda: pusher, lambda: day * DAY)
    return remote.requests > before


def test_a_project_is_noted_once_a_week(remote):
    assert [note(remote, day) for day in (0, 1, 6, 8, 9)] == [True, False, False, True, False]
    assert [each.pusher for each in remote.projects.all()] == [WINE]


def test_each_clone_notes_it_under_the_same_name(remote):
    assert note(remote, 0)
    assert note(remote, 0, clone="/home/bob/wine")
    assert len(remote.projects.all()) == 1


def test_a_clock_that_was_set_back_notes_it_again(remote):
    assert note(remote, 100)
    assert note(remote, 50)


def test_another_store_at_the_address_has_to_be_told(remote, tmp_path):
    note(remote, 0)
    for name in ("pivot-store.json", WINE.key):
        (tmp_path / "remote" / name).unlink()
    remote.open_to_write()
    assert note(remote, 1)


def test_what_is_gone_is_taken_out(remote):
    note(remote, 0)
    remote.projects.forget(remote.projects.all())
    assert remote.projects.all() == []


def test_a_project_in_another_folder_of_the_repository_is_another():
    keys = {WINE.key, Pusher("github.com/ada/wine", "sub").key, Pusher("/wine", "", "node7").key}
    assert len(keys) == 3


@pytest.mark.parametrize(
    "change", [{"repository": 3}, {"format": 2}, {"folder": "moved"}, {"host": "\ud800"}]
)
def test_a_damaged_note_is_an_error(remote, tmp_path, change):
    note(remote, 0)
    path = tmp_path / "remote" / WINE.key
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(IntegrityError, match="should name a project"):
        remote.projects.all()
