"""A proxy that counts what reaches a server: `python -m benchmarks.proxy SOCKET`.

It listens on a free port of loopback, which is the first line it prints, and hands everything on to
the Unix socket of a server. Then it takes commands, a line each, until its input ends, and answers
each by the `Counts` since the last time as JSON:

    counts     nothing more
    delay S    from now on, hold each answer back for S seconds

A thread serves each connection with calls that block, which costs less than an event loop: bodies
are handed on as they come and never held.
"""

import json
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace

from benchmarks.messages import Head, MessageError, Stream, answer_length


@dataclass(frozen=True, slots=True)
class Counts:
    """What clients asked of the server.

    Attributes:
        requests: how many, whatever was answered.
        received: bytes of their bodies.
        sent: bytes of the answers' bodies.
    """

    requests: int = 0
    received: int = 0
    sent: int = 0


class Ledger:
    """The running counts, from any thread. Whoever got an answer finds it counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()

    def request(self) -> None:
        """One more request."""
        with self._lock:
            self._counts = replace(self._counts, requests=self._counts.requests + 1)

    def received(self, size: int) -> None:
        """More bytes of a request's body."""
        with self._lock:
            self._counts = replace(self._counts, received=self._counts.received + size)

    def sent(self, size: int) -> None:
        """More bytes of an answer's body."""
        with self._lock:
            self._counts = replace(self._counts, sent=self._counts.sent + size)

    def take(self) -> Counts:
        """The counts so far; they begin anew."""
        with self._lock:
            taken, self._counts = self._counts, Counts()
        return taken


class Proxy:
    """Hands on what comes to `listener`, to the Unix socket at `upstream`."""

    def __init__(self, listener: socket.socket, upstream: str) -> None:
        self.ledger = Ledger()
        self.delay = 0.0
        self._listener = listener
        self._upstream = upstream

    def serve(self) -> None:
        """Take connections for as long as the process lives."""
        while True:
            self.take()

    def take(self) -> None:
        """Wait for a connection, and serve it in a thread of its own."""
        connection, _ = self._listener.accept()
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, socket.socket(socket.AF_UNIX) as upstream:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            upstream.connect(self._upstream)
            client, server = Stream(connection), Stream(upstream)
            try:
                while (asked := client.head()) and self._exchange(asked, client, server):
                    pass
            except (OSError, MessageError, ValueError) as error:
                # The connection ends, and the client fails by that; this says why.
                print(f"a connection was lost: {error}", file=sys.stderr)

    def _exchange(self, asked: Head, client: Stream, server: Stream) -> bool:
        """One request and its answer; whether the connection goes on."""
        self.ledger.request()
        before = asked.encode()
        if asked.field(b"expect") is not None:  # the client sends the body when it is told to
            server.send(before)
            answer = _expected(server)
            self._answer(asked, answer, client, server)
            if answer.status != b"100":
                return False
            before = b""
        length = None if asked.is_chunked else asked.length or 0
        client.hand_on(asked, server, length, self.ledger.received, before=before)
        answer = _expected(server)
        self._answer(asked, answer, client, server)
        return not (asked.closes or answer.closes)

    def _answer(self, asked: Head, answer: Head, client: Stream, server: Stream) -> None:
        if self.delay:
            time.sleep(self.delay)
        length = answer_length(asked, answer)
        before = mended(answer).encode()
        server.hand_on(answer, client, length, self.ledger.sent, before=before)


def mended(answer: Head) -> Head:
    """An answer as S3 gives it: `rclone serve s3` sends a part of an object as status 200."""
    if answer.status != b"200" or answer.field(b"content-range") is None:
        return answer
    fields = (f for f in answer.fields if not f.lower().startswith(b"x-amz-checksum-"))
    return Head(b"HTTP/1.1 206 Partial Content", tuple(fields))


def _expected(server: Stream) -> Head:
    """The next answer. Raises `MessageError` where the server ends the connection instead."""
    answer = server.head()
    if answer is None:
        raise MessageError("the server gave no answer")
    return answer


def main(upstream: str) -> None:
    """Serve until standard input ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        proxy = Proxy(listener, upstream)
        threading.Thread(target=proxy.serve, daemon=True).start()
        print(listener.getsockname()[1], flush=True)
        for line in sys.stdin:
            command, *words = line.split()
            if command == "delay":
                proxy.delay = float(words[0])
            print(json.dumps(asdict(proxy.ledger.take())), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
