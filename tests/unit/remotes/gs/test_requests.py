"""What is asked of Google, and what its answers become."""

import json
import os
import time

import pytest

from pivot_remotes.connect import connect
from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    Busy,
    NotFound,
    RemoteError,
    Truncated,
    Unreachable,
)
from pivot_remotes.gs.backend import PART, open_bucket
from pivot_remotes.tracing import Count, Trace, Verb
from tests.unit.remotes.verbs import calls

GENERATION = {"x-goog-generation": "17"}


def error(status, reason="", message="no"):
    body = {"code": status, "message": message, "errors": [{"reason": reason, "domain": "global"}]}
    return json.dumps({"error": body}).encode()


def open_(faulty, **options):
    given = {"endpoint_url": faulty.endpoint, "read_timeout": "0.5", **options}
    return open_bucket("gs://bucket/pre", given, {})


@pytest.fixture
def backend(google, faulty):
    return open_(faulty)


PERMISSION = (
    "robot@project.iam.gserviceaccount.com does not have storage.objects.list access to the Google"
    " Cloud Storage bucket. Permission 'storage.objects.list' denied on resource (or it may not"
    " exist)."
)


@pytest.mark.parametrize(
    ("status", "reason", "message", "kind", "why"),
    [
        (401, "required", "Anonymous caller", AccessDenied, "missing, wrong or expired"),
        (403, "forbidden", PERMISSION, AccessDenied, "storage.objects.list isn't allowed"),
        (403, "accountDisabled", "no", AccessDenied, "accountDisabled"),
        (404, "notFound", "The specified bucket does not exist.", BadAddress, None),
        (400, "userProjectMissing", "Bucket is a requester pays bucket", BadAddress, None),
        (403, "rateLimitExceeded", "no", Busy, "rateLimitExceeded"),
        (400, "invalid", "invalid argument", RemoteError, "invalid"),
        (412, "conditionNotMet", "no", RemoteError, "conditionNotMet"),
        (418, "", "", RemoteError, "418"),
    ],
)
def test_every_verb_translates_refusals(
    backend, faulty, tmp_path, status, reason, message, kind, why
):
    faulty.always(status, error(status, reason, message))
    for call in calls(backend, tmp_path):
        faulty.seen.clear()
        with pytest.raises(RemoteError) as caught:
            call()
        assert type(caught.value) is kind
        assert "bucket" in caught.value.message
        assert why is None or why in (caught.value.why or "")
        assert len(faulty.seen) == 1, "what was refused is not asked again"
    assert not (tmp_path / "landed").exists()


def test_denials_say_what_helps(backend, faulty):
    faulty.always(403, error(403, "forbidden", PERMISSION))
    with pytest.raises(AccessDenied) as caught:
        backend.list("")
    assert "Storage Object User" in caught.value.hint


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_server_errors_are_busy_after_three_tries(backend, faulty, status):
    faulty.always(status, b"<html>not JSON</html>")
    with pytest.raises(Busy, match="gs://bucket/pre") as caught:
        backend.get("a")
    assert caught.value.retry_after is None
    assert len(faulty.seen) == 3


def test_who_says_when_to_come_back_is_not_asked_before(backend, faulty):
    faulty.always(429, error(429, "rateLimitExceeded"), **{"Retry-After": "7"})
    with pytest.raises(Busy) as caught:
        backend.get("a")
    assert caught.value.retry_after == 7
    assert len(faulty.seen) == 1


def test_a_moment_of_trouble_is_not_noticed(backend, faulty):
    answers = iter([(503, {}, b""), (200, {}, b"fine")])
    faulty.answer = lambda request: next(answers)
    assert backend.get("a") == b"fine"


def test_an_endless_refusal_is_not_read_to_its_end(backend, faulty):
    faulty.always(400, b"x" * (8 << 20))
    with pytest.raises(RemoteError, match="failed") as caught:
        backend.get("a")
    assert len(str(caught.value.__cause__)) < 100


@pytest.mark.parametrize("number", range(7))
def test_every_verb_says_that_nobody_listens(google, faulty, tmp_path, number):
    dead = faulty.endpoint
    faulty.server_close()
    backend = open_bucket("gs://bucket", {"endpoint_url": dead}, {})
    started = time.monotonic()
    with pytest.raises(Unreachable, match="gs://bucket can't be reached") as caught:
        calls(backend, tmp_path)[number]()
    assert dead in caught.value.why
    assert time.monotonic() - started < 10


def test_silence_is_given_up_after_the_read_timeout(google, faulty):
    faulty.answer = lambda request: (time.sleep(0.3), (200, {}, b""))[1]
    with pytest.raises(Unreachable, match="doesn't answer"):
        open_(faulty, read_timeout="0.05").get("a")


def test_whoever_pays_is_named_in_each_request(google, faulty, tmp_path):
    faulty.always(404, error(404, "notFound", "No such object: bucket/pre/a"))
    backend = open_(faulty, billing_project="ours")
    for call in calls(backend, tmp_path):
        with pytest.raises((RemoteError, AssertionError)):
            assert call() is not None
    assert len(faulty.seen) == 7
    assert all("userProject=ours" in request.path for request in faulty.seen)


# -- reading ----------------------------------------------------------------------------------


def test_a_server_that_ignores_ranges_is_read_anyway(backend, faulty):
    faulty.always(200, b"0123456789")
    assert backend.get_range("a", 4, 3) == b"456"
    with pytest.raises(Truncated):
        backend.get_range("a", 9, 2)


def test_no_more_of_a_range_is_waited_for_than_was_asked(backend, faulty):
    faulty.always(206, b"456" + b"x" * 10)
    assert backend.get_range("a", 4, 3) == b"456"
    # The rest would never come.
    faulty.always(200, b"0123456789", **{"Content-Length": "20"})
    assert backend.get_range("a", 4, 3) == b"456"


def test_a_small_file_without_an_end_is_given_up(backend, faulty, monkeypatch):
    monkeypatch.setattr("pivot_remotes.small.LIMIT", 5)
    faulty.always(200, b"12345")
    assert backend.get("a") == b"12345"
    faulty.always(200, b"123456")
    with pytest.raises(RemoteError, match=r"a in gs://bucket/pre is larger than any small file"):
        backend.get("a")
    assert len(faulty.seen) == 2


def test_a_body_that_breaks_off_is_gone_on_with(backend, faulty, tmp_path):
    whole = os.urandom(3 << 20)

    def answer(request):
        if len(faulty.seen) == 1:
            return 200, {**GENERATION, "Content-Length": str(len(whole))}, whole[: 2 << 20]
        start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        assert "generation=17" in request.path, "the rest is of the same object"
        return 206, GENERATION, whole[start:]

    faulty.answer = answer
    backend.get_file("a", str(tmp_path / "landed"))
    assert (tmp_path / "landed").read_bytes() == whole
    assert faulty.seen[1].headers["range"] == f"bytes={2 << 20}-"


@pytest.mark.parametrize("headers", [{}, GENERATION])
def test_a_body_that_never_ends_leaves_no_file(backend, faulty, tmp_path, headers):
    faulty.always(200, b"half", **headers, **{"Content-Length": "8"})
    with pytest.raises(Unreachable):
        backend.get_file("a", str(tmp_path / "landed"))
    assert not (tmp_path / "landed").exists()
    with pytest.raises(Unreachable):
        backend.get("a")


def test_a_full_disk_is_no_fault_of_the_storage(backend, faulty, tmp_path, monkeypatch):
    faulty.always(200, b"fine")
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")

    def full(path, mode):
        return open("/dev/full", "wb", buffering=0)

    monkeypatch.setattr("pivot_remotes.landing.FileIO", full)
    with pytest.raises(RemoteError, match="landed can't be written") as caught:
        backend.get_file("a", str(tmp_path / "landed"))
    assert type(caught.value) is not Unreachable


# -- writing ----------------------------------------------------------------------------------


def uploads(faulty, *, wrong=None):
    """Google's answers to an upload in parts; `wrong` may take the place of one by its range."""
    place = f"{faulty.endpoint}/upload/session"

    def answer(request):
        sent = request.headers.get("content-range")
        if sent is None:
            return 200, {"Location": place}, b""
        if wrong is not None and (other := wrong(sent)) is not None:
            return other
        span, _, size = sent.removeprefix("bytes ").partition("/")
        end = int(span.partition("-")[2])
        if end + 1 == int(size):
            return 200, {}, json.dumps({"size": size}).encode()
        return 308, {"Range": f"bytes=0-{end}"}, b""

    faulty.answer = answer


@pytest.fixture
def large(tmp_path):
    source = tmp_path / "large"
    source.write_bytes(os.urandom(1 << 20) * (2 * PART >> 20) + b"tail")
    return source


def test_large_files_are_sent_in_parts_and_counted(google, faulty, large):
    uploads(faulty)
    trace = Trace()
    backend = connect("gs://bucket/pre", {"endpoint_url": faulty.endpoint}, trace=trace)
    backend.put_file("large", str(large))
    ranges = [request.headers.get("content-range") for request in faulty.seen]
    size = 2 * PART + 4
    assert ranges == [
        None,
        f"bytes 0-{PART - 1}/{size}",
        f"bytes {PART}-{2 * PART - 1}/{size}",
        f"bytes {2 * PART}-{size - 1}/{size}",
    ]
    assert trace.counts().verbs[Verb.PUT] == Count(4, size)


@pytest.mark.parametrize("size", [0, 1, 6 << 20, PART])
def test_small_files_are_one_request(google, faulty, tmp_path, size):
    faulty.always(200, b"{}")
    trace = Trace()
    backend = connect("gs://bucket/pre", {"endpoint_url": faulty.endpoint}, trace=trace)
    source = tmp_path / "source"
    source.write_bytes(bytes(size))
    backend.put_file("a", str(source))
    backend.put("a", bytes(size))
    assert len(faulty.seen) == trace.counts().requests == 2


def test_a_part_that_fails_for_a_moment_is_sent_again(backend, faulty, large):
    once = iter([(503, {}, b"")])
    uploads(faulty, wrong=lambda sent: next(once, None) if sent.startswith("bytes 0") else None)
    backend.put_file("large", str(large))
    assert len(faulty.seen) == 5


def test_an_upload_that_fails_is_given_up_with_its_own_error(backend, faulty, large):
    def wrong(sent):
        return (403, {}, error(403, "forbidden", PERMISSION)) if f"{PART}-" in sent else None

    uploads(faulty, wrong=wrong)
    with pytest.raises(AccessDenied):
        backend.put_file("large", str(large))
    assert [request.command for request in faulty.seen[-1:]] == ["DELETE"]
    assert faulty.seen[-1].path.startswith("/upload/session")


def test_an_upload_of_which_not_all_arrived_is_an_error(backend, faulty, large):
    last = f"bytes {2 * PART}-"
    uploads(faulty, wrong=lambda sent: (308, {}, b"") if sent.startswith(last) else None)
    with pytest.raises(Unreachable, match="arrived"):
        backend.put_file("large", str(large))


def test_a_source_that_shrinks_meanwhile_is_an_error(backend, faulty, large):
    def wrong(sent):
        os.truncate(large, PART)

    uploads(faulty, wrong=wrong)
    with pytest.raises(RemoteError, match="changed"):
        backend.put_file("large", str(large))


# -- listing and deleting ---------------------------------------------------------------------


def page(names, token=None):
    items = [{"name": name, "size": "1", "updated": "2015-10-21T07:28:00.000Z"} for name in names]
    return json.dumps({"items": items} | ({"nextPageToken": token} if token else {})).encode()


def test_pages_of_a_listing_are_read_and_counted(google, faulty):
    def answer(request):
        second = "pageToken=next" in request.path
        names = [f"pre/a/{i:04}" for i in (range(1000, 1001) if second else range(1000))]
        return 200, {}, page(names, None if second else "next")

    faulty.answer = answer
    trace = Trace()
    backend = connect("gs://bucket/pre", {"endpoint_url": faulty.endpoint}, trace=trace)
    found = backend.list("a")
    assert len(found) == 1001
    assert found[0].modified == 1445412480
    assert trace.counts().verbs[Verb.LIST].requests == len(faulty.seen) == 2
    assert "prefix=pre/a/" in faulty.seen[0].path.replace("%2F", "/")


def test_nothing_is_kept_of_a_listing(backend, faulty):
    faulty.always(200, page(["pre/a/1"]))
    assert len(backend.list("a")) == 1
    faulty.always(200, page([]))
    assert backend.list("a") == []


def test_what_is_no_key_is_not_listed(backend, faulty):
    faulty.always(200, page(["pre/a/", "pre/a/b", "pre/a/x y", "pre/a/../c"]))
    assert [info.key for info in backend.list("a")] == ["a/b"]


def batch(outcomes):
    """Google's answer to many deletions in one request."""
    parts = "".join(
        f"--batch_x\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 {outcome}\r\n\r\n"
        for outcome in outcomes
    )
    return {"Content-Type": "multipart/mixed; boundary=batch_x"}, f"{parts}--batch_x--".encode()


@pytest.fixture
def googles(backend, monkeypatch):
    """The backend as if the test's server were Google's own, which takes deletions together."""
    monkeypatch.setattr(type(backend._fs), "on_google", True)
    return backend


def test_many_are_deleted_by_the_hundred(googles, faulty):
    def answer(request):
        count = 100 if len(faulty.seen) < 3 else 50
        return 200, *batch(["204 No Content"] * count)

    faulty.answer = answer
    assert googles.capabilities.delete_size == 100
    googles.delete_all([f"a/{number}" for number in range(250)])
    assert [request.path for request in faulty.seen] == ["/batch/storage/v1"] * 3


def test_absent_ones_among_many_are_fine(googles, faulty):
    absent = '404 Not Found\r\n\r\n{"error": {"code": 404, "message": "No such object: b/a"}}'
    faulty.answer = lambda request: (200, *batch(["204 No Content", absent]))
    googles.delete_all(["a", "b"])
    faulty.answer = lambda request: (200, *batch([absent, absent]))
    googles.delete_all(["a", "b"])


def test_one_that_may_not_be_deleted_among_many_is_an_error(googles, faulty):
    denied = f"403 Forbidden\r\n\r\n{error(403, 'forbidden', PERMISSION).decode()}"
    faulty.answer = lambda request: (200, *batch(["204 No Content", denied]))
    with pytest.raises(AccessDenied):
        googles.delete_all(["a", "b"])


# -- real answers -----------------------------------------------------------------------------


def test_absent_keys_and_absent_buckets_differ(google, gcs):
    options = {"endpoint_url": gcs.endpoint}
    with pytest.raises(NotFound):
        open_bucket(f"gs://{gcs.new_bucket()}", options, {}).get("a")
    nowhere = open_bucket("gs://no-such-bucket", options, {})
    for call in (lambda: nowhere.list(""), lambda: nowhere.put("a", b"x")):
        with pytest.raises(BadAddress, match="no-such-bucket doesn't exist"):
            call()
