import contextlib
import itertools
import socket
import time

import pytest
from obstore.exceptions import BaseError

from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    Busy,
    NotFound,
    RemoteError,
    Truncated,
    Unreachable,
)
from pivot_remotes.s3.backend import open_bucket
from tests.unit.remotes.verbs import calls

KEYS = {"access_key_id": "AKIASECRETID", "secret_access_key": "very-secret-key"}
HEADERS = {"ETag": '"x"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}


def code(name):
    return f"<Error><Code>{name}</Code><Message>no</Message></Error>".encode()


@pytest.fixture
def backend(aws, faulty):
    options = {**KEYS, "endpoint_url": faulty.endpoint, "read_timeout": "0.3"}
    return open_bucket("s3://bucket/pre", options, {})


@pytest.mark.parametrize(
    ("status", "name", "kind", "why"),
    [
        (403, "AccessDenied", AccessDenied, "don't allow"),
        (403, "InvalidAccessKeyId", AccessDenied, "access key is unknown"),
        (403, "SignatureDoesNotMatch", AccessDenied, "secret key is wrong"),
        (403, "RequestTimeTooSkewed", AccessDenied, "clock"),
        (403, "SomethingNew", AccessDenied, "SomethingNew"),
        (400, "ExpiredToken", AccessDenied, "expired"),
        (401, "", AccessDenied, None),
        (404, "NoSuchBucket", BadAddress, None),
        (301, "PermanentRedirect", BadAddress, None),
        (400, "AuthorizationHeaderMalformed", BadAddress, None),
        (429, "", Busy, "429"),
        (400, "RequestTimeout", Busy, "RequestTimeout"),
        (411, "MissingContentLength", RemoteError, "MissingContentLength"),
        (418, "", RemoteError, "418"),
    ],
)
def test_every_verb_translates_refusals(backend, faulty, tmp_path, status, name, kind, why):
    faulty.always(status, code(name) if name else b"")
    for call in calls(backend, tmp_path):
        with pytest.raises(RemoteError) as caught:
            call()
        assert type(caught.value) is kind
        assert "bucket" in caught.value.message
        assert why is None or why in (caught.value.why or "")
        assert "very-secret-key" not in f"{caught.value} {caught.value.hint}"
        assert isinstance(caught.value.__cause__, BaseError | FileNotFoundError)
    assert not (tmp_path / "landed").exists()


@pytest.mark.parametrize(
    ("status", "name"), [(500, "InternalError"), (503, "SlowDown"), (502, ""), (503, "")]
)
def test_server_errors_are_busy(backend, faulty, status, name):
    faulty.always(status, code(name) if name else b"")
    with pytest.raises(Busy, match="bucket"):
        backend.get("a")
    assert len(faulty.seen) == 3, "a single request is repeated twice"


def test_a_moment_of_trouble_is_not_noticed(backend, faulty):
    answers = itertools.chain(
        [(503, {}, code("SlowDown"))], itertools.repeat((200, HEADERS, b"fine"))
    )
    faulty.answer = lambda request: next(answers)
    assert backend.get("a") == b"fine"


@pytest.mark.parametrize("number", range(7))
def test_every_verb_says_that_nobody_listens(aws, faulty, tmp_path, number):
    dead = faulty.endpoint
    faulty.server_close()
    backend = open_bucket("s3://bucket/redirect", {**KEYS, "endpoint_url": dead}, {})
    started = time.monotonic()
    with pytest.raises(Unreachable, match="s3://bucket/redirect can't be reached") as caught:
        calls(backend, tmp_path)[number]()
    assert dead in caught.value.why
    assert time.monotonic() - started < 10


def test_connections_that_nobody_takes_are_given_up(aws):
    with socket.socket() as listening, contextlib.ExitStack() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):  # fill the queue: what comes next gets no answer at all
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
        options = {
            **KEYS,
            "endpoint_url": f"http://127.0.0.1:{listening.getsockname()[1]}",
            "connect_timeout": "0.05",
        }
        started = time.monotonic()
        with pytest.raises(Unreachable, match="doesn't answer"):
            open_bucket("s3://bucket", options, {}).list("")
        assert time.monotonic() - started < 4


def test_silence_is_given_up_after_the_read_timeout(aws, faulty):
    faulty.answer = lambda request: (time.sleep(0.2), (200, HEADERS, b""))[1]
    options = {**KEYS, "endpoint_url": faulty.endpoint, "read_timeout": "0.05"}
    with pytest.raises(Unreachable, match="doesn't answer"):
        open_bucket("s3://bucket", options, {}).list("")


def test_an_upload_has_more_time_than_the_read_timeout(aws, faulty):
    faulty.answer = lambda request: (time.sleep(0.2), (200, HEADERS, b""))[1]
    options = {**KEYS, "endpoint_url": faulty.endpoint, "read_timeout": "0.05"}
    open_bucket("s3://bucket", options, {}).put("a", b"x")


def test_a_body_that_breaks_off_is_an_error_and_leaves_no_file(backend, faulty, tmp_path):
    faulty.always(200, b"half", **HEADERS, **{"Content-Length": "8"})
    with pytest.raises(RemoteError):
        backend.get("a")
    with pytest.raises(RemoteError):
        backend.get_file("a", str(tmp_path / "landed"))
    assert not (tmp_path / "landed").exists()


def test_a_server_that_ignores_ranges_is_read_anyway(backend, faulty):
    faulty.always(200, b"0123456789", **HEADERS)
    assert backend.get_range("a", 0, 3) == b"012"
    assert backend.get_range("a", 4, 3) == b"456"
    assert backend.get_range("a", 9, 1) == b"9"
    with pytest.raises(Truncated):
        backend.get_range("a", 9, 2)


def test_success_with_an_error_inside_is_an_error(backend, faulty):
    faulty.always(200, code("InternalError"))
    with pytest.raises(RemoteError):
        backend.put("a", b"x")
    with pytest.raises(Busy):
        backend.delete("a")


def test_absent_keys_and_absent_buckets_differ(aws, moto, bucket):
    options = {**KEYS, "endpoint_url": moto}
    with pytest.raises(NotFound):
        open_bucket(f"s3://{bucket}", options, {}).get("a")
    nowhere = open_bucket("s3://no-such-bucket", options, {})
    for call in (
        lambda: nowhere.get("a"),
        lambda: nowhere.list(""),
        lambda: nowhere.put("a", b""),
        lambda: nowhere.delete("a"),
    ):
        with pytest.raises(BadAddress, match="no-such-bucket doesn't exist"):
            call()


def test_a_part_that_fails_leaves_nothing_visible(aws, faulty, tmp_path):
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(40 << 20)
    begun = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"

    def answer(request):
        if request.command == "POST":
            return 200, {}, begun
        if request.command == "DELETE":
            return 204, {}, b""
        return (
            (403, {}, code("AccessDenied"))
            if "partNumber=2" in request.path
            else (
                200,
                HEADERS,
                b"",
            )
        )

    faulty.answer = answer
    backend = open_bucket("s3://bucket", {**KEYS, "endpoint_url": faulty.endpoint}, {})
    with pytest.raises(AccessDenied):
        backend.put_file("a", str(source))
    requests = [(request.command, request.path.partition("?")[2]) for request in faulty.seen]
    assert ("DELETE", "uploadId=u") in requests, "the parts that were sent are given up"
    assert ("POST", "uploadId=u") not in requests, "nothing is completed"


@pytest.mark.parametrize(
    ("name", "final"),
    [("AccessDenied", False), ("InvalidAccessKeyId", True), ("ExpiredToken", True), ("New", False)],
)
def test_a_denial_of_who_asks_is_final_and_one_of_what_is_asked_is_not(
    backend, faulty, name, final
):
    faulty.always(403, code(name))
    with pytest.raises(AccessDenied) as caught:
        backend.list("")
    assert caught.value.final is final
