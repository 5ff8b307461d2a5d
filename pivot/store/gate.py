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
def shared(root: str) -> Iterator[None]:
    """Use the store at `root` beside others: on a file system without locks nobody collects."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(NoLocksError):
            fd = stack.enter_context(locked(os.path.join(root, IN_USE), shared=True))
            open_up(root, fd)
        yield


@contextlib.contextmanager
def alone(
    root: str, *, holder: str, wait: bool = True, waiting: Waiting | None = None
) -> Iterator[None]:
    """Use the store at `root` alone.

    Raises `LockedError` if others use it and `wait` is false, and `NoLocksError` where that can't
    be known.
    """
    path = os.path.join(root, IN_USE)
    with contextlib.ExitStack() as stack:
        try:
            fd = stack.enter_context(locked(path, wait=False, holder=holder))
        except NoLocksError:
            raise
        except LockedError:
            if not wait:
                raise
            if waiting is not None:
                waiting(lock_holder(path))
            fd = stack.enter_context(locked(path, holder=holder))
        open_up(root, fd)
        yield
