"""A proxy before a real server that passes requests on and spoils chosen ones on the wire."""

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ERROR = b"<Error><Code>InternalError</Code><Message>We are sorry.</Message></Error>"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your rate.</Message></Error>"
EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>"


class Spoil(StrEnum):
    """What happens to a request; all but those from `LOST` on never reach the server."""

    INTERNAL_ERROR = "500"
    SLOW_DOWN = "503"
    TOO_MANY = "429"
    EXPIRED = "expired"
    RESET = "reset"
    SILENT = "silent"
    ERROR_BODY = "200 with an error"
    LOST = "lost answer"
    CUT = "cut in mid-body"
    SHORT = "short body"
    LONG = "long body"
    FLIPPED = "flipped bit"


_ANSWERS = {
    Spoil.INTERNAL_ERROR: (500, ERROR),
    Spoil.SLOW_DOWN: (503, SLOW_DOWN),
    Spoil.TOO_MANY: (429, b""),
    Spoil.EXPIRED: (400, EXPIRED),
    Spoil.ERROR_BODY: (200, ERROR),
}
_PASSED_ON = ("content-type", "etag", "last-modified", "content-range", "location")


@dataclass(frozen=True)
class Request:
    """A request as it came: how many came before, and what it is."""

    number: int
    method: str
    path: str


class Proxy(ThreadingHTTPServer):
    """Passes requests on to `upstream`; `spoil` says what happens to each, None for nothing."""

    daemon_threads = True

    def __init__(self, upstream: str):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream.removeprefix("http://")
        self.spoil: Callable[[Request], Spoil | None] = lambda request: None
        self.seen: list[Request] = []
        self.rewrite: Callable[[str], str] = lambda path: path
        self.lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def note(self, method: str, path: str) -> Request:
        with self.lock:
            self.seen.append(Request(len(self.seen), method, path))
            return self.seen[-1]

    def handle_error(self, request, client_address):
        """A client that has gone away is no matter here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        request = self.server.note(self.command, self.path)
        spoil = self.server.spoil(request)
        if spoil is Spoil.RESET:
            return self._reset()
        if spoil is Spoil.SILENT:
            self.server.closing.wait(1)  # uploads have minutes; a server has had enough sooner
            return self._reset()
        if spoil in _ANSWERS:
            status, text = _ANSWERS[spoil]
            return self._answer(status, {"retry-after": "1"} if status == 429 else {}, text)
        status, headers, data = self._pass_on(body)
        if spoil is Spoil.LOST:
            return self._reset()
        return self._spoiled(spoil, status, headers, data)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - names of http.server

    def _spoiled(self, spoil, status, headers, data):
        middle = len(data) // 2
        match spoil:
            case Spoil.CUT if data:
                self._answer(status, headers, data[:middle], length=len(data))
                return self._reset()
            case Spoil.SHORT:
                data = data[:middle]
            case Spoil.LONG:
                data += ERROR
            case Spoil.FLIPPED if data:
                data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        return self._answer(status, headers, data)

    def _pass_on(self, body):
        connection = http.client.HTTPConnection(self.server.upstream)
        with contextlib.closing(connection):
            headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            headers["Host"] = self.server.upstream
            connection.request(self.command, self.server.rewrite(self.path), body, headers)
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() in _PASSED_ON}
            return answer.status, kept, answer.read()

    def _answer(self, status, headers, data, length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()

    def _reset(self):
        """Close so that the other side sees a reset, not an end."""
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def proxy_before(upstream: str) -> Iterator[Proxy]:
    """A proxy that runs until the block ends."""
    with Proxy(upstream) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
