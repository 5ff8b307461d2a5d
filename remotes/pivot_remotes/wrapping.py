"""What all wrappers of a backend share."""

from pivot_remotes.backend import Backend, Capabilities


class Wrapping:
    """Something around a backend, which shows what that is.

    Each wrapper has the verbs of its own, all of them: what one forgot must not pass by it.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: Backend) -> None:
        self._inner = inner

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    @property
    def address(self) -> str:
        return self._inner.address
