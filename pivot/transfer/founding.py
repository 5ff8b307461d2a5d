"""Whether a store is at a remote's address, and making one where nothing is."""

from typing import Final

from pivot.errors import UsageError
from pivot.store.identity import STORE_KEY, StoreId
from pivot.transfer.known import Copies
from pivot_remotes.backend import Backend
from pivot_remotes.errors import NotFound

# What trying out a remote may have left where nothing can be deleted.
PROBES: Final = "tmp/probe-"


def identify(backend: Backend, copies: Copies) -> bool:
    """Ask what is there and remember it; False where no store is."""
    try:
        data = backend.get(STORE_KEY)
    except NotFound:
        return False
    copies.remember(backend.address, StoreId.decode(data, backend.address))
    return True


def is_vacant(backend: Backend) -> bool:
    """Whether nothing is where no store was found; false if somebody made one meanwhile.

    Raises `UsageError` where other things are.
    """
    found = [info for info in backend.list("") if not info.key.startswith(PROBES)]
    if any(info.key == STORE_KEY for info in found):
        return False
    if found:
        raise UsageError(
            f"{backend.address} is not empty and no Pivot store",
            why=f"it has no {STORE_KEY}, but for example {found[0].key}",
            hint="Name an empty or new folder with `pivot remote add NAME URL`",
        )
    return True


def found(backend: Backend, copies: Copies) -> None:
    """Make a store where nothing is."""
    id_ = StoreId.fresh()
    backend.put(STORE_KEY, id_.encode())
    copies.remember(backend.address, id_)


def read_only(backend: Backend) -> UsageError:
    """The error for a push to what can't be written to."""
    return UsageError(
        f"{backend.address} can only be read",
        why="its option `read_only` is set, or its storage takes no files over this protocol",
        hint="Push to another remote with `pivot push -r NAME`; `pivot remote list` shows them",
    )


def no_store(backend: Backend) -> UsageError:
    """The error for an address where no store is."""
    return UsageError(
        f"{backend.address} holds no Pivot store",
        why=f"it has no {STORE_KEY}",
        hint="Check the URL with `pivot remote list`, or fill it with `pivot push`",
    )
