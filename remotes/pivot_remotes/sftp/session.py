"""One conversation with an SFTP server: requests sent ahead, answers taken in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from stat import S_ISDIR
from typing import Final, Protocol

from pivot_remotes.sftp import packets
from pivot_remotes.sftp.packets import Attributes, Code, GarbledError, Kind, Reader

# OpenSSH gives and takes 255 KiB a packet and says so, others at least 32 KiB.
_SAFE: Final = 32 << 10
_LONGEST: Final = 255 << 10
_LONGEST_PACKET: Final = 1 << 20
_WINDOW: Final = 4 << 20  # bytes asked for, or sent, ahead of answers
_AT_ONCE: Final = 64
_RECEIVED: Final = 256 << 10
_UNKNOWN_END: Final = 1 << 62

_LIMITS: Final = "limits@openssh.com"
_RENAME: Final = "posix-rename@openssh.com"
_SYNC: Final = "fsync@openssh.com"


class Stream(Protocol):
    """Bytes to and from the server."""

    def send(self, data: bytes) -> None: ...

    def receive(self, size: int) -> bytes: ...


class RefusedError(Exception):
    """The server refused a request; the session goes on. Never leaves this room."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said or f"status {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder."""

    name: str
    attributes: Attributes


class Session:
    """Requests over `stream`, beginning with the greeting. Not for several threads at once.

    Verbs raise `RefusedError` where the server refuses, and what functions they are given raise.
    After an error of the stream (`OSError`, `EOFError`) or `GarbledError` a session is useless.
    """

    __slots__ = ("_buffer", "_early", "_expected", "_extensions", "_longest", "_next", "_stream")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._next = 0
        self._expected: set[int] = set()  # answers that somebody will ask for
        self._early: dict[int, tuple[int, Reader]] = {}
        self._extensions = self._greet()
        self._longest = self._limit()

    # -- verbs ----------------------------------------------------------------------------------

    def read(
        self, path: str, start: int, length: int | None, take: Callable[[bytes], object]
    ) -> None:
        """Hand `length` bytes of a file to `take`, in order; fewer where it ends before.

        None stands for all the rest. A folder is refused like an absent file.
        """
        handle = self._handle(self._ask(Kind.OPEN, _opening(path, packets.READ)))
        try:
            told = self._ask(Kind.FSTAT, packets.data(handle))
            first = self._longest if length is None else min(length, self._longest)
            ahead = deque([self._ask_for(handle, start, first)])
            status = self._attributes(told)
            if status.mode is not None and S_ISDIR(status.mode):
                self._forget(*(request for request, _, _ in ahead))
                raise RefusedError(Code.NO_SUCH_FILE, "is a directory")
            end = _UNKNOWN_END if length is None else start + length
            if status.size is not None:
                end = min(end, status.size)
            self._follow(handle, ahead, end, take)
        finally:
            self._forget(self._ask(Kind.CLOSE, packets.data(handle)))

    def write(self, path: str, blocks: Iterable[bytes]) -> None:
        """Write a file that must not exist, as durably as the server can."""
        handle = self._handle(self._ask(Kind.OPEN, _opening(path, packets.WRITE_NEW)))
        asked: deque[int] = deque()
        try:
            position = 0
            for piece in _pieces(blocks, self._longest):
                if len(asked) * self._longest >= _WINDOW:
                    self._succeed(asked.popleft())
                place = packets.data(handle) + packets.wide(position)
                asked.append(self._ask(Kind.WRITE, place, packets.data(piece)))
                position += len(piece)
            if _SYNC in self._extensions:
                asked.append(self._ask_extended(_SYNC, packets.data(handle)))
        finally:
            closed = self._ask(Kind.CLOSE, packets.data(handle))
            asked.append(closed)
            self._finish(asked)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; one that has that name already is replaced."""
        names = packets.text(old) + packets.text(new)
        if _RENAME in self._extensions:
            self._succeed(self._ask_extended(_RENAME, names))
            return
        try:
            self._succeed(self._ask(Kind.RENAME, names))
        except RefusedError:
            # This verb of version 3 replaces nothing, so for a moment there is no such file.
            self.remove([new])
            self._succeed(self._ask(Kind.RENAME, names))

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files; absent ones are fine. Raises the first refusal after having tried all."""
        for some in batched(paths, _AT_ONCE, strict=False):
            asked = [self._ask(Kind.REMOVE, packets.text(path)) for path in some]
            self._finish(asked, fine=Code.NO_SUCH_FILE)

    def make_folder(self, path: str) -> None:
        """Make a folder whose parent exists. One that exists already may be refused."""
        self._succeed(self._ask(Kind.MKDIR, packets.text(path), packets.NO_ATTRIBUTES))

    def status(self, path: str) -> Attributes:
        """What the server says of a file or folder, through links."""
        return self._attributes(self._ask(Kind.STAT, packets.text(path)))

    def folders(self, paths: Sequence[str]) -> Iterator[tuple[str, list[Entry]]]:
        """The folders among `paths` with what is in each, many at a time."""
        for some in batched(paths, _AT_ONCE, strict=False):
            asked = [(path, self._ask(Kind.OPENDIR, packets.text(path))) for path in some]
            yield from self._entries(asked)

    # -- how they are made ----------------------------------------------------------------------

    def _follow(
        self,
        handle: bytes,
        ahead: deque[tuple[int, int, int]],
        end: int,
        take: Callable[[bytes], object],
    ) -> None:
        """Take what was asked for in `ahead`, and ask on up to `end`."""
        position = ahead[-1][1] + ahead[-1][2]
        try:
            while ahead:
                while position < end and len(ahead) * self._longest < _WINDOW:
                    length = min(self._longest, end - position)
                    ahead.append(self._ask_for(handle, position, length))
                    position += length
                request, start, length = ahead.popleft()
                piece = self._data(request)
                if piece is None:
                    return
                if not 0 < len(piece) <= length:
                    raise GarbledError("an answer is longer than was asked for, or empty")
                take(piece)
                if len(piece) < length and start + len(piece) < end:
                    rest = self._ask_for(handle, start + len(piece), length - len(piece))
                    ahead.appendleft(rest)
        finally:
            self._forget(*(request for request, _, _ in ahead))

    def _entries(self, asked: list[tuple[str, int]]) -> Iterator[tuple[str, list[Entry]]]:
        found: dict[str, list[Entry]] = {}
        handles: dict[str, bytes] = {}
        refused: RefusedError | None = None
        for path, request in asked:
            try:
                handles[path] = self._handle(request)
                found[path] = []
            except RefusedError as error:
                if error.code != Code.NO_SUCH_FILE:
                    refused = error
        going = list(handles)
        while going:
            for path, request in [
                (path, self._ask(Kind.READDIR, packets.data(handles[path]))) for path in going
            ]:
                try:
                    found[path] += self._names(request)
                except RefusedError as error:
                    going.remove(path)
                    refused = refused or (None if error.code == Code.EOF else error)
        self._forget(*(self._ask(Kind.CLOSE, packets.data(handle)) for handle in handles.values()))
        if refused is not None:
            raise refused
        yield from found.items()

    def _finish(self, asked: Iterable[int], *, fine: Code = Code.OK) -> None:
        """Wait for the end of many requests; raises the first refusal."""
        refused: RefusedError | None = None
        for request in asked:
            try:
                self._succeed(request)
            except RefusedError as error:
                refused = refused or (None if error.code == fine else error)
        if refused is not None:
            raise refused

    # -- requests and answers -------------------------------------------------------------------

    def _greet(self) -> frozenset[str]:
        """Agree on the version; the extensions that the server has."""
        self._send(Kind.INIT, packets.number(packets.VERSION))
        kind, answer = self._receive()
        if kind != Kind.VERSION or answer.number() < packets.VERSION:
            raise GarbledError("the server speaks no version of SFTP that is known here")
        extensions = set()
        while not answer.at_end():
            extensions.add(answer.text())
            answer.data()
        return frozenset(extensions)

    def _limit(self) -> int:
        if _LIMITS not in self._extensions:
            return _SAFE
        answer = self._expect(self._ask_extended(_LIMITS, b""), Kind.EXTENDED_REPLY)
        answer.wide()
        return min(_LONGEST, *(answer.wide() or _SAFE for _ in range(2)))

    def _ask(self, kind: Kind, *fields: bytes) -> int:
        """Send a request; its number."""
        self._next = (self._next + 1) & 0xFFFFFFFF
        self._expected.add(self._next)
        self._send(kind, packets.number(self._next), *fields)
        return self._next

    def _ask_extended(self, name: str, fields: bytes) -> int:
        return self._ask(Kind.EXTENDED, packets.text(name), fields)

    def _ask_for(self, handle: bytes, start: int, length: int) -> tuple[int, int, int]:
        place = packets.data(handle) + packets.wide(start) + packets.number(length)
        return self._ask(Kind.READ, place), start, length

    def _forget(self, *requests: int) -> None:
        """Nobody will ask for these answers."""
        for request in requests:
            if self._early.pop(request, None) is None:
                self._expected.discard(request)

    def _succeed(self, request: int) -> None:
        self._refused(request, *self._answer(request), fine=True)

    def _handle(self, request: int) -> bytes:
        return self._expect(request, Kind.HANDLE).data()

    def _attributes(self, request: int) -> Attributes:
        return self._expect(request, Kind.ATTRS).attributes()

    def _data(self, request: int) -> bytes | None:
        """None at the end of the file."""
        try:
            return self._expect(request, Kind.DATA).data()
        except RefusedError as error:
            if error.code == Code.EOF:
                return None
            raise

    def _names(self, request: int) -> list[Entry]:
        answer = self._expect(request, Kind.NAME)
        entries = []
        for _ in range(answer.number()):
            name = answer.text()
            answer.data()  # the line that `ls -l` would print
            entries.append(Entry(name, answer.attributes()))
        return entries

    def _expect(self, request: int, wanted: Kind) -> Reader:
        kind, answer = self._answer(request)
        if kind != wanted:
            self._refused(request, kind, answer, fine=False)
        return answer

    @staticmethod
    def _refused(request: int, kind: int, answer: Reader, *, fine: bool) -> None:
        """Raise what a status says; `fine` is whether it may say that all is well."""
        if kind != Kind.STATUS:
            raise GarbledError(f"request {request} got an answer of kind {kind}")
        code = answer.number()
        if code != Code.OK:
            raise RefusedError(code, "" if answer.at_end() else answer.text()[:200])
        if not fine:
            raise GarbledError(f"request {request} got no answer but that all is well")

    def _answer(self, request: int) -> tuple[int, Reader]:
        while request not in self._early:
            kind, answer = self._receive()
            number = answer.number()
            if number in self._expected:
                self._expected.discard(number)
                self._early[number] = kind, answer
        return self._early.pop(request)

    def _send(self, kind: Kind, *fields: bytes) -> None:
        size = 1 + sum(map(len, fields))
        self._stream.send(b"".join((packets.number(size), bytes((kind,)), *fields)))

    def _receive(self) -> tuple[int, Reader]:
        size = int.from_bytes(self._take(4))
        if not 0 < size <= _LONGEST_PACKET:
            raise GarbledError(f"a packet of {size} bytes")
        packet = self._take(size)
        return packet[0], Reader(packet, start=1)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._buffer += self._stream.receive(_RECEIVED)
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken


def _opening(path: str, flags: int) -> bytes:
    return packets.text(path) + packets.number(flags) + packets.NO_ATTRIBUTES


def _pieces(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for block in blocks:
        view = memoryview(block)
        for start in range(0, len(view), size):
            yield bytes(view[start : start + size])
