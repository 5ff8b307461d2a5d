"""What goes wrong at a remote or at the disk, as errors with a remedy; translated here only."""

import contextlib
from collections.abc import Iterator

from pivot.errors import DeniedError, IntegrityError, MissingDataError, PivotError, UsageError
from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    BadKey,
    DiskRefused,
    NotFound,
    Overlong,
    RemoteError,
    Truncated,
    Unreachable,
    Unsupported,
)


class UnreachableError(PivotError):
    """A remote that can't be spoken to now; running the command again may help."""

    code = "unreachable"


class PackGoneError(IntegrityError):
    """An index of a remote names a pack that isn't there."""


class DiskError(PivotError):
    """The file system here refused; no remote can help with that."""


@contextlib.contextmanager
def translated(address: str) -> Iterator[None]:
    """Raise what the remote at `address` raises in the block as a `PivotError` that names it."""
    try:
        yield
    except RemoteError as error:
        raise of(error, address) from error


@contextlib.contextmanager
def on_disk(root: str) -> Iterator[None]:
    """Raise a refusal by the file system below the store at `root` as a `PivotError`."""
    try:
        yield
    except OSError as error:
        raise DiskError(
            f"the cache {root} can't be used",
            why=error.strerror or str(error),
            hint="Make room or give permission there, then run it again",
        ) from error


def of(error: RemoteError, address: str) -> PivotError:
    """The error that a user sees; its message always names the remote."""
    message = error.message if address in error.message else f"{error.message} ({address})"
    kind, hint = _remedy(error)
    return kind(message, why=error.why, hint=error.hint or hint)


def _remedy(error: RemoteError) -> tuple[type[PivotError], str]:
    match error:
        case DiskRefused():
            return DiskError, "Make room or give permission there, then run it again"
        case AccessDenied():
            return DeniedError, "Check the credentials for it, then run it again"
        case BadAddress() | BadKey() | Unsupported():
            return UsageError, "Check the remote's URL and options with `pivot remote list`"
        case Unreachable():
            return UnreachableError, "Check the network and `pivot remote list`, then run it again"
        case NotFound():
            return MissingDataError, "Run `pivot push` in a clone that has the data"
        case Overlong() | Truncated():
            return IntegrityError, "Run `pivot push` in a clone that has the data"
    return PivotError, "Run it again; what was moved already is not moved again"
