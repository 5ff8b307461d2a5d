"""How one check of a remote ended."""

from dataclasses import dataclass
from enum import StrEnum

from pivot_remotes.errors import AccessDenied, BadAddress, RemoteError, Unreachable


class Mark(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. `hint` says what mends it; `denied`: it isn't allowed."""

    name: str
    mark: Mark
    text: str
    hint: str | None = None
    denied: bool = False


def failed(name: str, error: RemoteError, right: str | None) -> Check:
    """The check that ended by an error; `right` is what the storage calls the right to do it."""
    denied = isinstance(error, AccessDenied)
    hint = error.hint
    if denied and right is not None and not is_final(error):
        hint = f"{hint}; this needs {right}" if hint else f"This needs {right}"
    return Check(name, Mark.FAILED, str(error), hint, denied)


def is_final(error: RemoteError) -> bool:
    """Whether every other request would end like this one."""
    if isinstance(error, AccessDenied):
        return error.final
    return isinstance(error, Unreachable | BadAddress)
