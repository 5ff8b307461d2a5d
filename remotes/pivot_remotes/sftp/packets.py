"""The packets of SFTP version 3, written and read.

Source: https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02, with OpenSSH's
extensions: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

VERSION: Final = 3

# Text in packets is bytes; OpenSSH gives names as they are on its disk.
_ENCODING: Final = ("utf-8", "surrogateescape")

READ, WRITE_NEW = 0x01, 0x02 | 0x08 | 0x20  # write, create, fail where it exists

_SIZE, _OWNER, _MODE, _TIMES, _EXTENDED = 0x01, 0x02, 0x04, 0x08, 0x80000000


class Kind(IntEnum):
    """What a packet is."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    FSTAT = 8
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    STAT = 17
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Code(IntEnum):
    """What a status says; servers may say others."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    UNSUPPORTED = 8


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a server says of a file; None for what it doesn't say. Times are since 1970."""

    size: int | None
    mode: int | None
    modified: int | None


class GarbledError(Exception):
    """The other side doesn't speak SFTP. Never leaves this room."""


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def wide(value: int) -> bytes:
    return struct.pack(">Q", value)


def text(value: str) -> bytes:
    return data(value.encode(*_ENCODING))


def data(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


NO_ATTRIBUTES: Final = number(0)


class Reader:
    """Reads the fields of a packet in turn; raises `GarbledError` where they don't fit."""

    __slots__ = ("_at", "_packet")

    def __init__(self, packet: bytes, start: int = 0) -> None:
        self._packet = packet
        self._at = start

    def number(self) -> int:
        return int.from_bytes(self._take(4))

    def wide(self) -> int:
        return int.from_bytes(self._take(8))

    def data(self) -> bytes:
        return self._take(self.number())

    def text(self) -> str:
        return self.data().decode(*_ENCODING)

    def at_end(self) -> bool:
        return self._at == len(self._packet)

    def attributes(self) -> Attributes:
        flags = self.number()
        size = self.wide() if flags & _SIZE else None
        if flags & _OWNER:
            self._take(8)
        mode = self.number() if flags & _MODE else None
        modified = None
        if flags & _TIMES:
            self._take(4)
            modified = self.number()
        if flags & _EXTENDED:
            for _ in range(self.number()):
                self.data()
                self.data()
        return Attributes(size, mode, modified)

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._packet):
            raise GarbledError("a packet ends early")
        taken = self._packet[self._at : end]
        self._at = end
        return taken
