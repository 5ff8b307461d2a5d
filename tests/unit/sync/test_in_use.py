import pytest

from pivot.errors import LockedError
from pivot.paths import RepoPath
from pivot.sync.foreseeing import foresee_push
from pivot.sync.plan import plan_push
from pivot.sync.push import push

DATA = RepoPath("data")


@pytest.mark.parametrize(("action", "module"), [(push, "completing"), (foresee_push, "foreseeing")])
def test_nobody_collects_the_store_while_it_is_decided_what_to_send(
    make_store, make_remote, put_tree, monkeypatch, action, module
):
    store = make_store()
    decided = []

    def decide(*arguments, **options):
        with pytest.raises(LockedError), store.alone(holder="gc", wait=False):
            pass
        decided.append(plan_push(*arguments, **options))
        return decided[-1]

    monkeypatch.setattr(f"pivot.sync.{module}.plan_push", decide)
    content = put_tree(store, {"a": b"data"})
    assert action(store, make_remote(), {DATA: content}).objects == 2
    assert decided
