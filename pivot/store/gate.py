"""Who uses a store: many at once, who add and rely on what is there, or one who takes away.

An flock on `tmp/in-use`, shared by whoever adds entries or counts on finding them until a lock
names them; held alone by whoever removes or rebuilds. Whoever only reads needs none.
"""

import contextlib
import os
from collections.abc import Callable, Iterator

from pivot.errors import LockedError
from pivot.files import NoLocksError, lock_holder, locked
from pivot.store.access import open_up

IN_USE = "tmp/in-use"

# Called once, with whom we wait for.
type Waiting = Callable[[str], None]


@contextlib.contextmanager
def shared(root: str, waiting: Waiting | None = None) -> Iterator[None]:
    """Use the store at `root` beside others: on a file system without locks nobody collects."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(NoLocksError):
            open_up(root, stack.enter_context(_held(root, waiting, shared=True)))
        yield


@contextlib.contextmanager
def alone(
    root: str, *, holder: str, wait: bool = True, waiting: Waiting | None = None
) -> Iterator[None]:
    """Use the store at `root` alone.

    Raises `LockedError` if others use it and `wait` is false, and `NoLocksError` where that can't
    be known.
    """
    with _held(root, waiting, wait=wait, holder=holder) as fd:
        open_up(root, fd)
        yield


@contextlib.contextmanager
def _held(
    root: str,
    waiting: Waiting | None,
    *,
    shared: bool = False,
    wait: bool = True,
    holder: str = "",
) -> Iterator[int]:
    """Hold the flock; says for whom it waits before it does."""
    path = os.path.join(root, IN_USE)
    with contextlib.ExitStack() as stack:
        try:
            fd = stack.enter_context(locked(path, shared=shared, wait=False, holder=holder))
        except NoLocksError:
            raise
        except LockedError:
            if not wait:
                raise
            if waiting is not None:
                waiting(lock_holder(path))
            fd = stack.enter_context(locked(path, shared=shared, holder=holder))
        yield fd
