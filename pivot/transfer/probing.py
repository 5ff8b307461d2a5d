"""Trying out a remote: what it lets us do, whether it does that right, and how fast.

Everything is written as `tmp/probe-<random>-...` and removed at the end. No reader of a store looks
there.
"""

import filecmp
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pivot.errors import PivotError
from pivot.store.identity import STORE_KEY, StoreId
from pivot.transfer import latest
from pivot.transfer.check import Check, Mark, failed, is_final
from pivot.transfer.founding import PROBES
from pivot.transfer.listing import INDEXES, list_indexes
from pivot.transfer.pace import LARGE, SMALL, Rate, download, side_by_side, small_keys, upload
from pivot_remotes.backend import Backend, ObjectInfo
from pivot_remotes.connect import connect
from pivot_remotes.errors import AccessDenied, NotFound, RemoteError
from pivot_remotes.permissions import permission
from pivot_remotes.tracing import Verb

_REPLACED: Final = 4
# S3 refuses requests that are a quarter of an hour off.
_SKEW: Final = 300.0


class _SkippedError(Exception):
    """A check that has no sense here."""


class _WrongError(Exception):
    """A storage that does something else than it should."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Target:
    """What is tried out, and how.

    Attributes:
        allowed: schemes that the user's own configuration adds to the usual ones.
        folder: one of this machine, for the files of the measurement.
        jobs: small requests at once.
        read_only: nothing is to be written.
    """

    url: str
    options: Mapping[str, str] = field(repr=False)
    allowed: frozenset[str]
    folder: str
    jobs: int
    read_only: bool

    @property
    def scheme(self) -> str:
        name, separator, _ = self.url.partition("://")
        return name.lower() if separator else "file"


def opened(target: Target) -> "Probe | Check":
    """The checks of a remote, or the one that failed because it can't even be asked."""
    options = {"attempts": "2", **target.options}
    try:
        backend = connect(target.url, options, allowed=target.allowed)
    except RemoteError as error:
        return failed("open", error, None)
    return Probe(backend, target)


class Probe:
    """The checks of one remote, made in order by `run`.

    Attributes:
        store: the store that was found there.
        requests: small requests a second, written and read.
        up: how fast a large file is sent.
        down: how fast it comes back.
    """

    def __init__(self, backend: Backend, target: Target) -> None:
        self.store: StoreId | None = None
        self.requests: Rate | None = None
        self.up: Rate | None = None
        self.down: Rate | None = None
        self._backend = backend
        self._target = target
        self._refused: str | None = None
        if target.read_only:
            self._refused = "the remote is read-only"
        elif not backend.capabilities.can_write:
            self._refused = "this storage can't be written to"
        self._prefix = f"{PROBES}{secrets.token_hex(8)}"
        self._first = f"{self._prefix}-first"
        self._data = os.urandom(SMALL)
        self._sample: ObjectInfo | None = None
        self._works = False
        self._written: dict[str, None] = {}

    def run(self, begins: Callable[[str], None] | None = None) -> Iterator[Check]:
        """Make the checks one by one; what they wrote is removed at the end, however that comes.

        `begins` is told the name of each before it is made.
        """
        steps: tuple[tuple[str, Verb, Callable[[], str]], ...] = (
            ("list", Verb.LIST, self._list),
            ("store", Verb.GET, self._identify),
            ("write", Verb.PUT, self._write),
            ("read", Verb.GET, self._read),
            ("ranges", Verb.GET, self._ranges),
            ("replace", Verb.PUT, self._replace),
            ("clock", Verb.LIST, self._clock),
            ("requests", Verb.PUT, self._small),
            ("upload", Verb.PUT, self._upload),
            ("download", Verb.GET, self._download),
            ("delete", Verb.DELETE, self._delete),
        )
        reachable = True
        yield Check("open", Mark.OK, self._backend.address)
        try:
            for name, verb, step in steps:
                if not reachable:
                    yield Check(name, Mark.SKIPPED, "not tried")
                    continue
                if begins is not None:
                    begins(name)
                check, reachable = self._check(name, verb, step)
                yield check
        finally:
            left = self._clean()
        if left is not None:
            yield left

    def _check(self, name: str, verb: Verb, step: Callable[[], str]) -> tuple[Check, bool]:
        """What came of a step, and whether it makes sense to go on."""
        try:
            return Check(name, Mark.OK, step()), True
        except _SkippedError as skip:
            return Check(name, Mark.SKIPPED, str(skip)), True
        except _WrongError as wrong:
            return Check(name, Mark.FAILED, str(wrong), wrong.hint), True
        except PivotError as error:
            return Check(name, Mark.FAILED, str(error), error.hint), True
        except RemoteError as error:
            return failed(name, error, permission(self._target.scheme, verb)), not is_final(error)

    # -- the steps ------------------------------------------------------------------------

    def _list(self) -> str:
        begun = time.monotonic()
        if not self._backend.capabilities.can_list:
            published = list_indexes(self._backend)
            return f"{_indexes(len(published))} by {latest.KEY} {_within(begun)}"
        found = self._backend.list(INDEXES)
        self._sample = max(found, key=lambda info: info.size, default=None)
        return f"{_indexes(len(found))} {_within(begun)}"

    def _identify(self) -> str:
        try:
            data = self._backend.get(STORE_KEY)
        except NotFound:
            if self._refused is not None:
                raise _WrongError("no Pivot store is there", _ELSEWHERE) from None
            return "no Pivot store yet; the first `pivot push` makes one"
        self.store = StoreId.decode(data, self._backend.address)
        return f"Pivot store {self.store.text[:8]}, format {self.store.format}"

    def _write(self) -> str:
        self._need_right()
        begun = time.monotonic()
        self._put(self._first, self._data)
        self._works = True
        return f"{len(self._data):,} bytes {_within(begun)}"

    def _read(self) -> str:
        self._need_written()
        begun = time.monotonic()
        if self._backend.get(self._first) != self._data:
            raise _WrongError("other bytes came back than were written", _BROKEN)
        return f"the same bytes {_within(begun)}"

    def _ranges(self) -> str:
        key, data = self._known()
        start, length = len(data) // 4, len(data) // 2
        if self._backend.get_range(key, start, length) != data[start : start + length]:
            raise _WrongError("a range has other bytes than the whole", _BROKEN)
        if not self._backend.capabilities.ranges:
            return "right, but each costs as much as the whole object"
        return "right"

    def _known(self) -> tuple[str, bytes]:
        """An object whose bytes are known: what was written, or what tells of the store."""
        if self._works:
            return self._first, self._data
        if self.store is None:
            raise _SkippedError("there is nothing to read")
        return STORE_KEY, self._backend.get(STORE_KEY)

    def _replace(self) -> str:
        self._need_written()
        versions = [os.urandom(16 * SMALL) for _ in range(_REPLACED)]
        key = f"{self._prefix}-replaced"
        self._put(key, versions[0])
        seen: list[bytes | RemoteError] = []
        over = threading.Event()
        reader = threading.Thread(target=partial(self._watch, key, seen, over))
        reader.start()
        try:
            for version in versions[1:]:
                self._put(key, version)
        finally:
            over.set()
            reader.join()
        if self._backend.get(key) != versions[-1]:
            raise _WrongError("an old object was read after it was replaced", _STALE)
        for one in seen:
            if isinstance(one, RemoteError) and not isinstance(one, NotFound):
                raise one
            if one not in versions:
                raise _WrongError("an object could be read half replaced", _HALF)
        return f"whole at each of {len(seen)} readings"

    def _watch(self, key: str, seen: list[bytes | RemoteError], over: threading.Event) -> None:
        while not over.is_set() or not seen:
            try:
                seen.append(self._backend.get(key))
            except RemoteError as error:
                seen.append(error)
                return

    def _clock(self) -> str:
        self._need_written()
        if not self._backend.capabilities.can_list:
            raise _SkippedError("this storage can't list")
        key = f"{self._prefix}-now"
        before = time.time()
        self._put(key, b"now")
        after = time.time()
        times = {info.key: info.modified for info in self._listed()}
        if key not in times:
            raise _WrongError("a new object isn't listed at once", _STALE)
        modified = times[key]
        if modified is None:
            raise _SkippedError("this storage tells no times")
        # Most tell whole seconds.
        skew = modified - after if modified > after else min(0.0, modified + 1 - before)
        if abs(skew) > _SKEW:
            side = "behind" if skew > 0 else "ahead of"
            raise _WrongError(
                f"this machine's clock is {abs(skew):.0f} s {side} the storage's", "Set the clock"
            )
        return f"{abs(skew):.0f} s apart"

    def _small(self) -> str:
        self._need_written()
        keys = small_keys(self._prefix)
        puts = side_by_side(
            self._target.jobs, [partial(self._put, key, self._data) for key in keys]
        )
        some = keys[: puts.amount]
        gets = side_by_side(self._target.jobs, [partial(self._backend.get, key) for key in some])
        self.requests = Rate(puts.amount + gets.amount, puts.seconds + gets.seconds)
        return (
            f"{puts.per_second:,.0f} writes and {gets.per_second:,.0f} reads of {SMALL >> 10} KiB"
            f" a second, {self._target.jobs} at once"
        )

    def _upload(self) -> str:
        self._need_written()
        key = f"{self._prefix}-large"
        self._written[key] = None
        self.up = upload(self._backend, key, os.path.join(self._target.folder, "sent"))
        return _speed(self.up)

    def _download(self) -> str:
        back = os.path.join(self._target.folder, "back")
        if self.up is not None:
            self.down = download(self._backend, f"{self._prefix}-large", back)
            sent = os.path.join(self._target.folder, "sent")
            if not filecmp.cmp(sent, back, shallow=False):
                raise _WrongError("other bytes came back than were sent", _BROKEN)
        elif self._sample is not None and SMALL <= self._sample.size <= LARGE:
            self.down = download(self._backend, self._sample.key, back)
        else:
            raise _SkippedError("there is nothing large to read")
        return _speed(self.down)

    def _delete(self) -> str:
        self._need_written()
        self._backend.delete(self._first)
        try:
            self._backend.get(self._first)
        except NotFound:
            pass
        else:
            raise _WrongError("an object could be read after it was deleted", _STALE)
        count = len(self._written)
        self._backend.delete_all(list(self._written))
        self._written.clear()
        if self._backend.capabilities.can_list and self._listed():
            raise _WrongError("objects are listed after they were deleted", _STALE)
        return f"{count:,} objects"

    # -- what they share ------------------------------------------------------------------

    def _listed(self) -> list[ObjectInfo]:
        """What is listed of all that was written."""
        folder = os.path.dirname(self._prefix)
        return [info for info in self._backend.list(folder) if info.key.startswith(self._prefix)]

    def _put(self, key: str, data: bytes) -> None:
        self._written[key] = None
        try:
            self._backend.put(key, data)
        except AccessDenied:
            del self._written[key]
            raise

    def _need_right(self) -> None:
        if self._refused is not None:
            raise _SkippedError(self._refused)

    def _need_written(self) -> None:
        self._need_right()
        if not self._works:
            raise _SkippedError("nothing could be written")

    def _clean(self) -> Check | None:
        """Remove what a failure left; what is said if that fails, too."""
        if not self._written:
            return None
        try:
            self._backend.delete_all(list(self._written))
        except RemoteError as error:
            count = len(self._written)
            text = f"up to {count:,} objects of this test are left: {self._prefix}-*"
            hint = f"Delete `{self._prefix}-*` there; no command of Pivot's looks at it"
            return Check("clean up", Mark.FAILED, f"{text}: {error}", hint)
        return None


def _indexes(count: int) -> str:
    return f"{count:,} {'index' if count == 1 else 'indexes'}"


def _within(begun: float) -> str:
    return f"in {1000 * (time.monotonic() - begun):,.0f} ms"


def _speed(rate: Rate) -> str:
    return f"{rate.per_second / 1e6:,.1f} MB/s, by {rate.amount / 1e6:,.1f} MB"


_ELSEWHERE: Final = "Check its URL, or push to it from where it may be written"
_HALF: Final = "Leave its option `publish` off: readers could get half of its list"
_BROKEN: Final = "Pivot can't use this storage as it is; look at what stands between"
_STALE: Final = "Turn off caches between here and the storage"
