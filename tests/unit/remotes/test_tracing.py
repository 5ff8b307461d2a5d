import pytest

from pivot_remotes.connect import connect
from pivot_remotes.errors import NotFound
from pivot_remotes.memory import open_memory
from pivot_remotes.tracing import Count, Trace, Tracing, Verb


def test_counts_requests_and_bytes_by_verb(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"12345")
    trace = Trace()
    backend = Tracing(open_memory("memory://tracing"), trace)
    backend.put("a", b"123")
    backend.put_file("b", str(source))
    backend.get("a")
    backend.get_range("b", 1, 2)
    backend.get_file("b", str(tmp_path / "landed"))
    backend.list("")
    backend.delete("a")
    counts = trace.counts()
    assert counts.verbs == {
        Verb.LIST: Count(1, 0),
        Verb.GET: Count(3, 10),
        Verb.PUT: Count(2, 8),
        Verb.DELETE: Count(1, 0),
    }
    assert (counts.requests, counts.sent, counts.received) == (7, 8, 10)


def test_counts_are_a_value():
    trace = Trace()
    before = trace.counts()
    trace.add(Verb.GET, requests=1, size=5)
    assert before.requests == 0
    assert trace.counts().received == 5


def test_failed_requests_count_without_bytes():
    trace = Trace()
    with pytest.raises(NotFound):
        Tracing(open_memory("memory://tracing-none"), trace).get("absent")
    assert trace.counts().verbs[Verb.GET] == Count(1, 0)


def test_counts_what_s3_is_really_asked(aws, faulty, tmp_path):
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(40 << 20)
    headers = {"ETag": '"x"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    begun = b"<R><UploadId>u</UploadId><ETag>x</ETag></R>"
    faulty.answer = lambda request: (200, headers, begun if request.command == "POST" else b"")
    trace = Trace()
    options = {"anonymous": "true", "endpoint_url": faulty.endpoint}
    backend = connect("s3://bucket", options, trace=trace)
    backend.put_file("large", str(source))
    backend.put("small", b"x")
    assert trace.counts().verbs[Verb.PUT] == Count(len(faulty.seen), (40 << 20) + 1)


def test_counts_what_azure_is_really_asked(azure, faulty, tmp_path):
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(40 << 20)
    faulty.always(201, b"", ETag='"x"', **{"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"})
    trace = Trace()
    options = {"anonymous": "true", "account_name": "account", "endpoint_url": faulty.endpoint}
    backend = connect("az://container", options, trace=trace)
    backend.put_file("large", str(source))
    backend.put("small", b"x")
    assert trace.counts().verbs[Verb.PUT] == Count(len(faulty.seen), (40 << 20) + 1)
    assert len(faulty.seen) == 5


def page(keys, following):
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>1</Size><ETag>x</ETag>"
        "<LastModified>2015-10-21T07:28:00.000Z</LastModified></Contents>"
        for key in keys
    )
    token = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    return f"<ListBucketResult>{contents}{token}</ListBucketResult>".encode()


def test_pages_of_a_listing_count(aws, faulty):
    def answer(request):
        second = "continuation-token=next" in request.path
        keys = [f"a/{i:04}" for i in (range(1000, 1001) if second else range(1000))]
        return 200, {}, page(keys, "" if second else "next")

    faulty.answer = answer
    trace = Trace()
    options = {"anonymous": "true", "endpoint_url": faulty.endpoint}
    assert len(connect("s3://bucket", options, trace=trace).list("a")) == 1001
    assert trace.counts().verbs[Verb.LIST].requests == len(faulty.seen) == 2


@pytest.mark.parametrize(("objects", "requests"), [(0, 1), (1, 1), (1000, 1), (1001, 2), (2000, 2)])
def test_a_full_page_is_one_request(aws, faulty, objects, requests):
    faulty.always(200, page([f"a/{i:04}" for i in range(objects)], ""))
    trace = Trace()
    options = {"anonymous": "true", "endpoint_url": faulty.endpoint}
    connect("s3://bucket", options, trace=trace).list("a")
    assert trace.counts().requests == requests
