"""What can go wrong between a program and its storage.

Every error says what happened (`message`), perhaps why (`why`), and one thing that helps (`hint`,
with commands in backticks). None of them holds a credential. Exceptions of the libraries below
(fsspec, obstore, botocore, `OSError`) never leave this package.
"""

# ruff: noqa: N818 - these names are read behind `except`, where "Error" would say nothing.


class RemoteError(Exception):
    """Base of every error of this package.

    Attributes:
        message: what happened, as one sentence without a final period.
        why: the cause, where it is known.
        hint: one thing that helps.
    """

    def __init__(self, message: str, *, why: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.why is None else f"{self.message}: {self.why}"


class NotFound(RemoteError):
    """No object has this key."""


class AccessDenied(RemoteError):
    """Credentials are missing, wrong, expired or don't allow this.

    Attributes:
        final: no other request would fare better: what is wrong is who asks, not what is asked.
    """

    def __init__(
        self,
        message: str,
        *,
        why: str | None = None,
        hint: str | None = None,
        final: bool = False,
    ) -> None:
        super().__init__(message, why=why, hint=hint)
        self.final = final


class Unreachable(RemoteError):
    """The storage couldn't be spoken to, or the connection broke; trying again may help.

    Attributes:
        retry_after: seconds that the storage asked to be left alone, where it said so.
    """

    def __init__(
        self,
        message: str,
        *,
        why: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, why=why, hint=hint)
        self.retry_after = retry_after


class Busy(Unreachable):
    """The storage answered that it can't serve now (5xx, 429, `SlowDown`)."""


class Truncated(RemoteError):
    """An object is shorter than the bytes that were asked of it."""


class Overlong(RemoteError):
    """An object, or an answer, is longer than it may be."""


class DiskRefused(RemoteError):
    """The file system of this machine refused a file that was to be written or read."""


class BadAddress(RemoteError):
    """A URL or an option that names no usable storage."""


class BadKey(RemoteError):
    """A key that no backend accepts; nothing was read or written through it."""


class Unsupported(RemoteError):
    """This storage, or this installation, can't do what was asked."""
