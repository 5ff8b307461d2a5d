"""HTTP/1.1 messages as a proxy sees them: a head that it reads, a body that it hands on.

Source: https://www.rfc-editor.org/rfc/rfc9112
"""

import socket
from collections.abc import Buffer, Callable
from dataclasses import dataclass
from typing import Final

END: Final = b"\r\n\r\n"
BLOCK: Final = 256 << 10
_LONGEST_HEAD: Final = 64 << 10
_BODILESS: Final = (b"204", b"304")

# Told of bytes of a body before they are handed on.
type Count = Callable[[int], None]


class MessageError(Exception):
    """What came isn't HTTP, or ended too early."""


@dataclass(frozen=True, slots=True)
class Head:
    """The lines before a body.

    Attributes:
        first: the request line or status line.
        fields: the other lines, as they came.
    """

    first: bytes
    fields: tuple[bytes, ...]

    def field(self, name: bytes) -> bytes | None:
        """The value of a field, whose name is given in lower case; None where it isn't there."""
        for line in self.fields:
            found, _, value = line.partition(b":")
            if found.lower() == name:
                return value.strip()
        return None

    @property
    def method(self) -> bytes:
        return self.first.split(b" ", 1)[0]

    @property
    def status(self) -> bytes:
        return self.first.split(b" ", 2)[1]

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this message."""
        return (self.field(b"connection") or b"").lower() == b"close"

    @property
    def is_chunked(self) -> bool:
        return (self.field(b"transfer-encoding") or b"").lower() == b"chunked"

    @property
    def length(self) -> int | None:
        value = self.field(b"content-length")
        return None if value is None else int(value)

    def encode(self) -> bytes:
        return b"\r\n".join((self.first, *self.fields)) + END


class Stream:
    """One side of a connection. Calls block."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._read = b""

    def head(self) -> Head | None:
        """The next head; None where the other side has ended the connection."""
        while END not in self._read:
            if len(self._read) > _LONGEST_HEAD:
                raise MessageError("a head doesn't end")
            data = self._socket.recv(BLOCK)
            if not data:
                return None
            self._read += data
        text, self._read = self._read.split(END, 1)
        first, *fields = text.split(b"\r\n")
        return Head(first, tuple(fields))

    def send(self, data: Buffer) -> None:
        self._socket.sendall(data)

    def hand_on(
        self, head: Head, target: "Stream", length: int | None, count: Count, *, before: bytes
    ) -> None:
        """Send the body that follows `head` here to `target`, after the bytes `before`.

        `length` is that of a body that isn't chunked; None for one that goes on until the
        connection ends.
        """
        if head.is_chunked and length != 0:
            target.send(before)
            self._chunks(target, count)
            return
        ready = self._read if length is None else self._read[:length]
        self._read = self._read[len(ready) :]
        count(len(ready))
        target.send(before + ready)  # in one packet, where it fits
        self._bytes(target, None if length is None else length - len(ready), count)

    def _bytes(self, target: "Stream", length: int | None, count: Count) -> None:
        """Bytes that weren't read yet."""
        buffer = memoryview(bytearray(BLOCK if length is None else min(BLOCK, length)))
        while length is None or length:
            got = self._socket.recv_into(buffer if length is None else buffer[:length])
            if not got:
                if length is None:
                    return
                raise MessageError("a body ended early")
            count(got)
            target.send(buffer[:got])
            length = None if length is None else length - got

    def _chunks(self, target: "Stream", count: Count) -> None:
        while size := int((line := self._line()).split(b";")[0], 16):
            count(size)
            target.send(line + b"\r\n" + self._exactly(size + 2))
        target.send(line + b"\r\n")
        while trailer := self._line():
            target.send(trailer + b"\r\n")
        target.send(b"\r\n")

    def _line(self) -> bytes:
        while b"\r\n" not in self._read:
            self._fill()
        line, self._read = self._read.split(b"\r\n", 1)
        return line

    def _exactly(self, length: int) -> bytes:
        while len(self._read) < length:
            self._fill()
        data, self._read = self._read[:length], self._read[length:]
        return data

    def _fill(self) -> None:
        data = self._socket.recv(BLOCK)
        if not data:
            raise MessageError("a body ended early")
        self._read += data


def answer_length(asked: Head, head: Head) -> int | None:
    """The length of the body of an answer; None where it goes on until the connection ends."""
    if asked.method == b"HEAD" or head.status in _BODILESS or head.status.startswith(b"1"):
        return 0
    return head.length
