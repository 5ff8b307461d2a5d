"""What `ssh` and SFTP servers complain of, as errors of this package.

Codes: https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02#section-7
"""

from typing import Final

from pivot_remotes.errors import AccessDenied, NotFound, RemoteError, Unreachable, Unsupported
from pivot_remotes.sftp.packets import Code
from pivot_remotes.sftp.session import RefusedError
from pivot_remotes.sftp.settings import SftpSettings

_CHANGED: Final = "HOST IDENTIFICATION HAS CHANGED"
_UNKNOWN: Final = "Host key verification failed"
_NO_ENTRY: Final = ("Permission denied", "Too many authentication failures")
_NO_SFTP: Final = ("subsystem request failed", "This account is currently not available")
_MISCONFIGURED: Final = ("Bad configuration option", "terminating,", "Bad owner or permissions")


def ended(settings: SftpSettings, complaint: str) -> RemoteError:
    """Why there is no connection, by what `ssh` said; it is its text in the locale C."""
    address = settings.address
    if _CHANGED in complaint:
        return AccessDenied(
            f"the key of host {settings.host} has changed",
            why="it was installed anew, or somebody is between it and this machine",
            hint=f"Ask who runs it, then run `ssh-keygen -R {_known_as(settings)}`",
            final=True,
        )
    if _UNKNOWN in complaint:
        return AccessDenied(
            f"host {settings.host} is not known on this machine",
            why=f"its key is not in {settings.known_hosts or '~/.ssh/known_hosts'}",
            hint=_how_to_know(settings),
            final=True,
        )
    if any(text in complaint for text in _NO_ENTRY):
        return AccessDenied(
            f"access to {address} is denied",
            why=_last_line(complaint),
            hint=f"`{_ssh(settings)}` must work without a question: try it, and `ssh-add` your key",
            final=True,
        )
    if any(text in complaint for text in _NO_SFTP):
        return Unsupported(
            f"{address} offers no SFTP",
            why=_last_line(complaint),
            hint="Have its subsystem `sftp` turned on in its `sshd_config`",
        )
    if any(text in complaint for text in _MISCONFIGURED):
        return RemoteError(
            "`ssh` can't be used", why=_last_line(complaint), hint=f"Try `{_ssh(settings)}`"
        )
    return Unreachable(
        f"{address} can't be reached",
        why=_last_line(complaint) or "the connection was closed",
        hint=f"Check the network, and try `{_ssh(settings)}`",
    )


def silent(settings: SftpSettings) -> Unreachable:
    """It took longer than a timeout."""
    return Unreachable(
        f"{settings.address} can't be reached",
        why="it doesn't answer",
        hint=f"Check the network, and try `{_ssh(settings)}`",
    )


def garbled(settings: SftpSettings, said: str) -> RemoteError:
    """What came was no SFTP."""
    return RemoteError(
        f"{settings.address} doesn't answer as an SFTP server should",
        why=said,
        hint=f"Nothing may be printed at login: look at what `{_ssh(settings)} true` prints",
    )


def refused(error: RefusedError, address: str, key: str) -> RemoteError:
    """The error of this package for a refusal met at `key`."""
    match error.code:
        case Code.NO_SUCH_FILE:
            return NotFound(f"{key or 'nothing'} isn't in {address}")
        case Code.PERMISSION_DENIED:
            return AccessDenied(
                f"access to {address} is denied", hint="Ask its owner for permission"
            )
        case Code.UNSUPPORTED:
            return Unsupported(f"{address} can't do this", why=str(error))
    return RemoteError(
        f"{address} failed" + (f" at {key}" if key else ""),
        why=f"the server says {str(error)!r}",
        hint="Is the disk there full, or a quota used up?",
    )


def _how_to_know(settings: SftpSettings) -> str:
    if settings.known_hosts is None:
        return f"Run `{_ssh(settings)}` once, and compare the fingerprint before you say yes"
    port = f"-p {settings.port} " if settings.port else ""
    return (
        f"Run `ssh-keyscan {port}{settings.host} >> {settings.known_hosts}`,"
        " and compare the fingerprint"
    )


def _known_as(settings: SftpSettings) -> str:
    return f"'[{settings.host}]:{settings.port}'" if settings.port else settings.host


def _ssh(settings: SftpSettings) -> str:
    port = f"-p {settings.port} " if settings.port else ""
    user = f"{settings.user}@" if settings.user else ""
    return f"ssh {port}{user}{settings.host}"


def _last_line(complaint: str) -> str | None:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    return lines[-1].removeprefix("ssh: ")[:300] if lines else None
