"""Storage that goes wrong when it is told to, for tests of whatever stands on top of it.

    backend = Faulty(inner, Nth(3, Fault.SLOW_DOWN))              # the fourth call fails
    backend = Faulty(inner, Chance(seed=7, share=0.2))            # one of five, the same each time
    backend = Faulty(inner, lambda call: Fault.FLIPPED if call.key.startswith("packs/") else None)

Which call goes wrong, and how, is a function of the call: a plan. `Faulty` is a wrapper like those
of `pivot_remotes.connect`, so that what is below may be any storage, and what is above may retry.
"""

import itertools
import os
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pivot_remotes.backend import Backend, Bytes, ObjectInfo
from pivot_remotes.errors import AccessDenied, Busy, NotFound, RemoteError, Unreachable
from pivot_remotes.landing import new_file
from pivot_remotes.wrapping import Wrapping


class Method(StrEnum):
    """A method of `Backend`."""

    LIST = "list"
    GET_RANGE = "get_range"
    GET = "get"
    GET_FILE = "get_file"
    PUT = "put"
    PUT_FILE = "put_file"
    DELETE = "delete"
    DELETE_ALL = "delete_all"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a backend.

    Attributes:
        number: how many calls came before.
        key: the key, or prefix; of several keys the first (`""` where there is none).
    """

    number: int
    method: Method
    key: str


class Fault(StrEnum):
    """What goes wrong. Each error is one that a real backend would raise for it."""

    REFUSED = "refused"  # nobody takes the connection; nothing happened
    TIMED_OUT = "timed out"  # nobody answers; nothing happened
    INTERNAL_ERROR = "500"
    SLOW_DOWN = "503"
    TOO_MANY = "429"  # with Retry-After
    EXPIRED = "expired credentials"
    ABSENT = "404"  # what is read isn't there, or not any more
    RESET = "reset"  # in mid-body: a part was moved, nothing of it is visible
    LOST_ANSWER = "lost answer"  # a change was made, and an error came back
    ERROR_BODY = "error body"  # a read succeeds and gives an error's text for bytes
    SHORT = "short"  # half of the bytes, or of the listing, as if it were all
    LONG = "long"  # more bytes than were asked for
    FLIPPED = "flipped"  # one bit of the bytes is wrong
    HALF_DELETED = "half deleted"  # of several objects some are gone, and an error came back


READS: Final = frozenset({Method.GET, Method.GET_RANGE, Method.GET_FILE})
_WRITES: Final = frozenset({Method.PUT, Method.PUT_FILE, Method.DELETE, Method.DELETE_ALL})
_SPOILING: Final = frozenset({Fault.ERROR_BODY, Fault.SHORT, Fault.LONG, Fault.FLIPPED})
_ERROR_BODY: Final = b"<Error><Code>InternalError</Code><Message>Try again.</Message></Error>"
_RETRY_AFTER: Final = 2.0

# What a call goes wrong by, or None; asked once for each call, from any thread.
type Plan = Callable[[Call], Fault | None]


def is_possible(fault: Fault, method: Method) -> bool:
    """Whether a call of `method` can go wrong by `fault`; if not, it succeeds."""
    if fault is Fault.ABSENT or fault in _SPOILING:
        return method in READS or (fault is Fault.SHORT and method is Method.LIST)
    return fault is not Fault.HALF_DELETED or method is Method.DELETE_ALL


@dataclass(frozen=True, slots=True)
class Nth:
    """The plan by which call `number` goes wrong, and with `lasting` all that follow it."""

    number: int
    fault: Fault
    lasting: bool = False

    def __call__(self, call: Call) -> Fault | None:
        hit = call.number >= self.number if self.lasting else call.number == self.number
        return self.fault if hit else None


@dataclass(frozen=True, slots=True)
class Chance:
    """The plan by which a `share` of calls goes wrong by one of `faults`.

    The same seed chooses the same numbers and faults, whatever the calls are.
    """

    seed: int
    share: float
    faults: tuple[Fault, ...] = tuple(Fault)

    def __call__(self, call: Call) -> Fault | None:
        chance = random.Random(f"{self.seed}/{call.number}")  # noqa: S311 - no secret
        return chance.choice(self.faults) if chance.random() < self.share else None


class Faulty(Wrapping):
    """A backend whose calls go wrong as `plan` says. It remembers them all."""

    __slots__ = ("_calls", "_lock", "_plan")

    def __init__(self, inner: Backend, plan: Plan) -> None:
        super().__init__(inner)
        self._plan = plan
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call so far, in the order in which they began."""
        with self._lock:
            return tuple(self._calls)

    def list(self, prefix: str) -> list[ObjectInfo]:
        fault = self._begin(Method.LIST, prefix)
        found = self._inner.list(prefix)
        return found[: len(found) // 2] if fault is Fault.SHORT else found

    def get_range(self, key: str, start: int, length: int) -> Bytes:
        fault = self._begin(Method.GET_RANGE, key)
        return _spoiled(bytes(self._inner.get_range(key, start, length)), fault)

    def get(self, key: str) -> bytes:
        fault = self._begin(Method.GET, key)
        return _spoiled(self._inner.get(key), fault)

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        fault = self._begin(Method.GET_FILE, key)
        self._inner.get_file(key, path, limit)
        if fault in _SPOILING:
            with open(path, "rb") as file:
                data = _spoiled(file.read(), fault)
            os.unlink(path)
            with new_file(path, limit) as write:
                write(data)

    def put(self, key: str, data: bytes) -> None:
        fault = self._begin(Method.PUT, key)
        self._inner.put(key, data)
        self._end(fault)

    def put_file(self, key: str, path: str) -> None:
        fault = self._begin(Method.PUT_FILE, key)
        self._inner.put_file(key, path)
        self._end(fault)

    def delete(self, key: str) -> None:
        fault = self._begin(Method.DELETE, key)
        self._inner.delete(key)
        self._end(fault)

    def delete_all(self, keys: Iterable[str]) -> None:
        doomed = tuple(keys)
        fault = self._begin(Method.DELETE_ALL, next(iter(doomed), ""))
        if fault is Fault.HALF_DELETED:
            self._inner.delete_all(doomed[: len(doomed) // 2])
            raise Busy(f"{self.address} can't serve now", why="InternalError")
        self._inner.delete_all(doomed)
        self._end(fault)

    def _begin(self, method: Method, key: str) -> Fault | None:
        """Note a call, and raise unless it is to reach the storage; its fault is returned."""
        with self._lock:
            call = Call(len(self._calls), method, key)
            self._calls.append(call)
        fault = self._plan(call)
        if fault is None or not is_possible(fault, method):
            return None
        if fault is Fault.LOST_ANSWER and method in _WRITES:
            return fault
        error = self._refusal(fault, key)
        if error is not None:
            raise error
        return fault

    def _end(self, fault: Fault | None) -> None:
        if fault is Fault.LOST_ANSWER:
            raise self._lost("the connection was reset")

    def _refusal(self, fault: Fault, key: str) -> RemoteError | None:
        """The error of a call that changes nothing and brings nothing."""
        busy = f"{self.address} can't serve now"
        match fault:
            case Fault.REFUSED:
                return self._lost("nobody takes the connection")
            case Fault.TIMED_OUT:
                return self._lost("nobody answers")
            case Fault.RESET | Fault.LOST_ANSWER:
                return self._lost("the connection was reset")
            case Fault.INTERNAL_ERROR:
                return Busy(busy, why="InternalError")
            case Fault.SLOW_DOWN:
                return Busy(busy, why="SlowDown")
            case Fault.TOO_MANY:
                return Busy(busy, why="status 429", retry_after=_RETRY_AFTER)
            case Fault.EXPIRED:
                return AccessDenied(
                    f"access to {self.address} is denied",
                    why="the session has expired",
                    hint="Renew the credentials",
                )
            case Fault.ABSENT:
                return NotFound(f"{key} isn't in {self.address}")
        return None

    def _lost(self, why: str) -> Unreachable:
        return Unreachable(f"{self.address} can't be reached", why=why)


def _spoiled(data: bytes, fault: Fault | None) -> bytes:
    match fault:
        case Fault.ERROR_BODY:
            return _ERROR_BODY
        case Fault.SHORT:
            return data[: len(data) // 2]
        case Fault.LONG:
            return data + bytes(itertools.islice(itertools.cycle(_ERROR_BODY), 100))
        case Fault.FLIPPED if data:
            middle = len(data) // 2
            return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    return data
