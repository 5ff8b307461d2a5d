import os
from types import SimpleNamespace

import pytest

from pivot.cli.pull import pull
from pivot.errors import LockedError
from pivot.files import locked
from pivot.project.restoring import Restored
from pivot.store.store import Store
from pivot.sync.summary import Summary


def is_collectable(store):
    try:
        with locked(os.path.join(store.root, "tmp", "in-use"), wait=False):
            return True
    except LockedError:
        return False


@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_fetched_is_held_until_it_is_in_place(tmp_path, monkeypatch, as_json):
    store = Store.open(str(tmp_path / "cache"))
    seen = []

    def bring():
        seen.append(is_collectable(store))
        return Summary(0, 0, 0, 0, 0, 0.0)

    def restore(*_, **__):
        seen.append(is_collectable(store))
        return Restored((), (), ())

    monkeypatch.setattr("pivot.cli.pull.restore", restore)
    bringing = SimpleNamespace(
        project=SimpleNamespace(store=store), roots={}, dry_run=False, as_json=as_json, bring=bring
    )
    pull.callback.__wrapped__(bringing, force=False, only_missing=False)
    assert seen == [False, False]
    assert is_collectable(store)
