"""The proxy counts what reaches a server, changes nothing on the way, and waits if it is told."""

import contextlib
import http.client
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.messages import Head
from benchmarks.proxy import Proxy, mended

CHECKOUT = Path(__file__).parents[2]


class Upstream(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A server that keeps what it is sent, and gives it back."""

    daemon_threads = True

    def __init__(self, path):
        super().__init__(str(path), Answer)
        self.objects = {}
        self.connections = 0


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.server.connections += 1
        super().setup()

    def do_PUT(self):
        self.server.objects[self.path] = self.body()
        self.answer(200)

    def do_GET(self):
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n")
        elif self.path == "/until-closed":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"to the end")
        elif self.path in self.server.objects:
            self.answer(200, self.server.objects[self.path])
        else:
            self.answer(404, b"absent")

    do_HEAD = do_GET  # noqa: N815 - a name of http.server

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def handle_expect_100(self):
        if self.path == "/refused":
            self.close_connection = True
            self.answer(403, b"no")
            return False
        return super().handle_expect_100()

    def log_message(self, *args):
        pass


class Proxied:
    """A client of a proxy, and the proxy's commands."""

    def __init__(self, process):
        self.process = process
        self.port = int(process.stdout.readline())
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method, path, body=None, **options):
        self.connection.request(method, path, body, **options)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def counts(self):
        counts = self.command("counts")
        return counts["requests"], counts["received"], counts["sent"]


@pytest.fixture
def upstream(tmp_path_factory):
    # Paths of sockets are short.
    folder = tmp_path_factory.mktemp("s")
    with Upstream(os.path.relpath(folder / "sock")) as server:
        server.path = folder / "sock"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxied(upstream):
    words = [sys.executable, "-m", "benchmarks.proxy", str(upstream.path)]
    with subprocess.Popen(
        words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        proxied = Proxied(process)
        yield proxied
        proxied.connection.close()
        process.stdin.close()
        assert process.wait(20) == 0


def test_requests_and_bytes_are_counted_either_way(proxied):
    assert proxied.ask("PUT", "/a", b"x" * 5000) == (200, b"")
    assert proxied.counts() == (1, 5000, 0)
    assert proxied.ask("GET", "/a") == (200, b"x" * 5000)
    assert proxied.ask("GET", "/b") == (404, b"absent")
    assert proxied.counts() == (2, 0, 5006)
    assert proxied.counts() == (0, 0, 0)


def test_a_connection_goes_on_for_many_requests(proxied, upstream):
    for number in range(20):
        proxied.ask("PUT", f"/{number}", b"data")
    assert upstream.connections == 1
    assert proxied.counts() == (20, 80, 0)


def test_large_bodies_come_through_unchanged(proxied):
    data = os.urandom(3 << 20)
    proxied.ask("PUT", "/large", data)
    assert proxied.ask("GET", "/large") == (200, data)
    assert proxied.counts() == (2, len(data), len(data))


def test_the_answer_to_a_head_request_has_no_body(proxied):
    proxied.ask("PUT", "/a", b"data")
    assert proxied.ask("HEAD", "/a") == (200, b"")
    assert proxied.ask("GET", "/a") == (200, b"data")
    assert proxied.counts() == (3, 4, 4)


def test_chunked_bodies_are_counted_without_their_framing(proxied, upstream):
    parts = iter([b"abc", b"defg"])
    proxied.ask("PUT", "/a", parts, headers={"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert upstream.objects["/a"] == b"abcdefg"
    assert proxied.ask("GET", "/chunked") == (200, b"abcdefg")
    assert proxied.counts() == (2, 7, 7)


def test_a_body_may_end_with_its_connection(proxied):
    assert proxied.ask("GET", "/until-closed") == (200, b"to the end")
    assert proxied.counts() == (1, 0, 10)


def test_a_body_that_is_announced_is_sent_when_it_is_asked_for(proxied, upstream):
    status, _ = proxied.ask("PUT", "/a", b"data", headers={"Expect": "100-continue"})
    assert (status, upstream.objects) == (200, {"/a": b"data"})
    assert proxied.counts() == (1, 4, 0)


def test_a_body_that_is_refused_beforehand_is_not_sent(proxied, upstream):
    proxied.connection.putrequest("PUT", "/refused")
    proxied.connection.putheader("Expect", "100-continue")
    proxied.connection.putheader("Content-Length", "4")
    proxied.connection.endheaders()
    answer = proxied.connection.getresponse()
    assert (answer.status, answer.read()) == (403, b"no")
    assert proxied.counts() == (1, 0, 2)


def test_answers_are_held_back_from_when_that_is_told(proxied):
    proxied.ask("PUT", "/a", b"data")
    proxied.command("delay 0.2")
    started = time.monotonic()
    assert proxied.ask("GET", "/a") == (200, b"data")
    assert time.monotonic() - started >= 0.2


def test_each_answer_is_held_back_once_however_long_it_is(upstream, monkeypatch):
    waits = []
    monkeypatch.setattr("benchmarks.proxy.time", SimpleNamespace(sleep=waits.append))
    data = upstream.objects["/large"] = bytes(2 << 20)  # eight blocks or more
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener, str(upstream.path))
        threading.Thread(target=proxy.take, daemon=True).start()
        client = http.client.HTTPConnection(*listener.getsockname(), timeout=20)
        with contextlib.closing(client):
            for delay in (2.0, 0.0):
                proxy.delay = delay
                client.request("GET", "/large")
                assert client.getresponse().read() == data
    assert waits == [2.0]


def test_part_of_an_object_is_answered_as_such():
    """`rclone serve s3` answers it with status 200, which some clients take for the whole."""
    fields = (b"Content-Range: bytes 2-5/10", b"X-Amz-Checksum-Crc32: whole", b"Etag: e")
    answer = mended(Head(b"HTTP/1.1 200 OK", fields))
    assert answer == Head(
        b"HTTP/1.1 206 Partial Content", (b"Content-Range: bytes 2-5/10", b"Etag: e")
    )
    whole = Head(b"HTTP/1.1 200 OK", fields[1:])
    assert mended(whole) == whole
