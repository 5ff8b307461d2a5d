"""`OSError` as errors of this package, for file systems: mounted ones and fsspec's."""

import contextlib
import errno
import socket
from collections.abc import Iterator

from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    NotFound,
    RemoteError,
    Unreachable,
    Unsupported,
)

_GONE = frozenset(
    {
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENOTCONN,
        errno.EREMOTEIO,
    }
)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextlib.contextmanager
def translated(address: str, key: str = "") -> Iterator[None]:
    """Raise what the block raises as an error that names `address` and `key`."""
    try:
        yield
    except OSError as error:
        raise of(error, address, key) from error
    except NotImplementedError as error:
        raise Unsupported(f"{address} can't do this", why=str(error) or None) from error


def of(error: OSError, address: str, key: str) -> RemoteError:
    """The error of this package for an `OSError` met at `key`."""
    why = error.strerror or str(error) or type(error).__name__
    match error:
        case FileNotFoundError() | IsADirectoryError():
            return NotFound(f"{key or 'nothing'} isn't in {address}")
        case PermissionError():
            return _denied(address, why)
        case NotADirectoryError() | FileExistsError():
            return BadAddress(
                f"{address} can't hold {key or 'objects'}",
                why="a file stands where a folder should",
            )
        case ConnectionError() | TimeoutError() | socket.gaierror():
            return Unreachable(f"{address} can't be reached", why=why)
    if error.errno == errno.EROFS:
        return _denied(address, why)
    if error.errno in _GONE:
        return Unreachable(f"{address} can't be reached", why=why)
    if error.errno in _FULL:
        return RemoteError(f"{address} is full", why=why, hint="Make room there, then run it again")
    return RemoteError(f"{address} failed" + (f" at {key}" if key else ""), why=why)


def _denied(address: str, why: str) -> AccessDenied:
    return AccessDenied(
        f"access to {address} is denied", why=why, hint="Ask its owner for permission"
    )
