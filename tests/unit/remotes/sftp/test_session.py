"""A session with servers that behave as OpenSSH's doesn't."""

import struct

import pytest

from pivot_remotes.sftp.packets import Code, GarbledError, Kind
from pivot_remotes.sftp.session import RefusedError, Session

CONTENT = bytes(range(256)) * 4096  # 1 MiB


def field(data):
    return struct.pack(">I", len(data)) + data


class Server:
    """A server of one file at `f`; `answer(kind, number, fields)` may be replaced by a test."""

    def __init__(self, content=CONTENT, extensions=(), most=1 << 30, size_told=True):
        self.content = content
        self.extensions = extensions
        self.most = most
        self.size_told = size_told
        self.seen = []
        self.waiting = bytearray()
        self.held = 0
        self.answers = []
        self.reverse = False

    def send(self, data):
        kind, rest = data[4], data[5:]
        if kind == Kind.INIT:
            told = b"".join(field(name) + field(b"1") for name in self.extensions)
            self.give(Kind.VERSION, struct.pack(">I", 3) + told)
            return
        (number,) = struct.unpack(">I", rest[:4])
        self.seen.append((Kind(kind), rest[4:]))
        answered, fields = self.answer(Kind(kind), rest[4:])
        self.answers.append((answered, struct.pack(">I", number) + fields))

    def receive(self, size):
        if not self.waiting:
            answers, self.answers = self.answers, []
            if self.reverse:
                answers.reverse()
            for kind, packet in answers:
                self.give(kind, packet)
        if not self.waiting:
            raise EOFError
        taken = bytes(self.waiting[:size])
        del self.waiting[:size]
        return taken

    def give(self, kind, packet):
        self.waiting += struct.pack(">IB", len(packet) + 1, kind) + packet

    def answer(self, kind, fields):
        if kind in (Kind.OPEN, Kind.OPENDIR):
            return Kind.HANDLE, field(b"h")
        if kind == Kind.FSTAT:
            told = struct.pack(">IQ", 1, len(self.content)) if self.size_told else bytes(4)
            return Kind.ATTRS, told
        if kind == Kind.READ:
            start, length = struct.unpack(">QI", fields[5:])
            piece = self.content[start : start + min(length, self.most)]
            return (Kind.DATA, field(piece)) if piece else status(Code.EOF)
        return status(Code.OK)


def status(code, said=b"said"):
    return Kind.STATUS, struct.pack(">I", code) + field(said) + field(b"en")


def read(server, start=0, length=None):
    got = bytearray()
    Session(server).read("f", start, length, got.extend)
    return bytes(got)


@pytest.mark.parametrize("size_told", [True, False])
@pytest.mark.parametrize("most", [1 << 30, 32 << 10, 1000])
@pytest.mark.parametrize("reverse", [True, False])
def test_a_file_comes_whole_whatever_pieces_the_server_gives(size_told, most, reverse):
    server = Server(most=most, size_told=size_told)
    server.reverse = reverse
    assert read(server) == CONTENT
    assert read(server, 5, 100_000) == CONTENT[5:100_005]
    assert read(server, len(CONTENT) - 10, 100) == CONTENT[-10:]


def test_an_empty_file_is_empty():
    assert read(Server(b"")) == b""


def test_no_more_is_asked_ahead_than_a_window():
    server = Server(bytes(20 << 20))
    most = []

    def receive(size):
        most.append(sum(kind == Kind.DATA for kind, _ in server.answers))
        return Server.receive(server, size)

    server.receive = receive
    taken = []
    Session(server).read("f", 0, None, lambda piece: taken.append(len(piece)))
    assert sum(taken) == 20 << 20
    assert 1 < max(most) <= (4 << 20) // (32 << 10)


def test_the_session_goes_on_after_a_function_failed_in_the_middle():
    server = Server()
    session = Session(server)

    def take(piece):
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        session.read("f", 0, None, take)
    got = bytearray()
    session.read("f", 0, None, got.extend)
    assert bytes(got) == CONTENT


def test_a_write_that_is_refused_in_the_middle_is_an_error_and_the_session_goes_on():
    server = Server()
    answer, writes = server.answer, []

    def refuse(kind, fields):
        if kind == Kind.WRITE:
            writes.append(fields)
            if len(writes) == 3:
                return status(Code.FAILURE, b"no room")
        return answer(kind, fields)

    server.answer = refuse
    session = Session(server)
    with pytest.raises(RefusedError, match="no room"):
        session.write("f", [bytes(1 << 20)])
    assert server.seen[-1][0] == Kind.CLOSE
    session.remove(["f"])


def test_a_file_that_can_not_be_closed_was_not_written():
    server = Server()
    answer = server.answer
    server.answer = lambda kind, fields: (
        status(Code.FAILURE, b"quota") if kind == Kind.CLOSE else answer(kind, fields)
    )
    with pytest.raises(RefusedError, match="quota"):
        Session(server).write("f", [b"x"])


def test_content_is_synced_where_the_server_can():
    server = Server(extensions=[b"fsync@openssh.com"])
    Session(server).write("f", [b"x"])
    kinds = [kind for kind, _ in server.seen]
    assert kinds == [Kind.OPEN, Kind.WRITE, Kind.EXTENDED, Kind.CLOSE]


def test_a_server_that_can_not_replace_is_made_to():
    server = Server()
    answer, there = server.answer, {"new"}

    def old_rename(kind, fields):
        if kind == Kind.RENAME and "new" in there:
            return status(Code.FAILURE)
        if kind == Kind.REMOVE:
            there.clear()
        return answer(kind, fields)

    server.answer = old_rename
    Session(server).rename("old", "new")
    assert [kind for kind, _ in server.seen] == [Kind.RENAME, Kind.REMOVE, Kind.RENAME]


@pytest.mark.parametrize(
    "greeting",
    [
        b"Welcome to the lab!\r\n",
        struct.pack(">I", 2 << 20) + b"\2",
        struct.pack(">I", 0),
        struct.pack(">IBI", 5, Kind.VERSION, 2),
        struct.pack(">IBI", 5, Kind.STATUS, 3),
        struct.pack(">IBIII", 13, Kind.VERSION, 3, 100, 0),
    ],
)
def test_what_is_no_sftp_is_garbled(greeting):
    server = Server()
    server.send = lambda data: server.waiting.extend(greeting)
    with pytest.raises((GarbledError, EOFError)):
        Session(server)


@pytest.mark.parametrize(
    "lie",
    [
        (Kind.DATA, field(bytes(1 << 19))),
        (Kind.DATA, field(b"")),
        (Kind.DATA, struct.pack(">I", 100)),
        (Kind.NAME, struct.pack(">I", 0)),
        status(Code.OK),
    ],
)
def test_answers_that_do_not_fit_are_garbled(lie):
    server = Server()
    answer = server.answer
    server.answer = lambda kind, fields: lie if kind == Kind.READ else answer(kind, fields)
    with pytest.raises(GarbledError):
        read(server)
