"""Credentials and options, as servers that check signatures and ones that record see them."""

import json
import re
import time
from pathlib import Path

import pytest

from pivot_remotes.connect import connect
from pivot_remotes.errors import AccessDenied, RemoteError
from pivot_remotes.s3.backend import PART
from tests.unit.remotes.servers import radosgw, rclone
from tests.unit.remotes.verbs import calls

KEYS = {"access_key_id": "id", "secret_access_key": "secret"}
HEADERS = {"ETag": '"x"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
BEGUN = b"<R><UploadId>u</UploadId><ETag>x</ETag></R>"
PAGE = Path(__file__).parents[4] / "docs/guide/storage/s3.md"


@pytest.fixture
def recorded(aws, faulty):
    """A server that takes whatever is sent to it."""

    def answer(request):
        if request.path.endswith("?delete"):
            return 200, HEADERS, b"<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>"
        if request.command == "POST" or "list-type" in request.path:
            return 200, HEADERS, BEGUN
        return 200, HEADERS, b"fine"

    faulty.answer = answer
    return faulty


def opened(server, **options):
    own = {**KEYS, "endpoint_url": server.endpoint, "attempts": "1", **options}
    return connect("s3://bucket/team", own)


@pytest.fixture
def large(tmp_path):
    """A file that is sent in two parts."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(PART + 1)
    return str(path)


# -- signatures ---------------------------------------------------------------------------------


def refused(url, tmp_path, **options):
    backend = connect(url, {"attempts": "1", **options})
    errors = []
    for call in (*calls(backend, tmp_path), lambda: backend.delete_all(["a", "b"])):
        with pytest.raises(AccessDenied) as caught:
            call()
        assert options["secret_access_key"] not in f"{caught.value} {caught.value.hint}"
        assert caught.value.hint
        errors.append(caught.value)
    return errors


def test_a_wrong_secret_is_denied_to_every_verb(aws, strict_s3, strict_bucket, tmp_path):
    refused(
        f"s3://{strict_bucket}",
        tmp_path,
        endpoint_url=strict_s3,
        access_key_id=rclone.KEY_ID,
        secret_access_key="a-guess-at-the-secret",
    )


def test_ceph_says_whether_the_key_or_the_secret_is_wrong(aws, ceph, tmp_path):
    known, unknown = (
        refused(
            f"s3://{radosgw.BUCKET}",
            tmp_path,
            endpoint_url=ceph,
            access_key_id=key_id,
            secret_access_key="a-guess-at-the-secret",
        )
        for key_id in (radosgw.KEY_ID, "NOBODYSACCESSKEY")
    )
    assert known[1].why == "the secret key is wrong"
    assert unknown[1].why == "the access key is unknown there"


# -- credentials that pass ----------------------------------------------------------------------


def test_credentials_that_expire_are_renewed_in_the_middle(aws, recorded, tmp_path):
    script = tmp_path / "process"
    script.write_text(
        f"#!/bin/sh\necho x >> {tmp_path}/asked\nn=$(wc -l < {tmp_path}/asked)\n"
        'echo "{\\"Version\\": 1, \\"AccessKeyId\\": \\"id-$((n))\\", \\"SecretAccessKey\\":'
        ' \\"s\\", \\"SessionToken\\": \\"token-$((n))\\", \\"Expiration\\":'
        ' \\"$(date -u -d "+60 seconds" +%Y-%m-%dT%H:%M:%SZ)\\"}"\n'
    )
    script.chmod(0o755)
    (tmp_path / "aws-config").write_text(f"[profile sso]\ncredential_process = {script}\n")
    backend = connect("s3://bucket", {"profile": "sso", "endpoint_url": recorded.endpoint})
    answer = recorded.answer
    # obstore takes what it was given less than a tenth of a second ago.
    recorded.answer = lambda request: (time.sleep(0.11), answer(request))[1]
    for _ in range(3):
        backend.get("a")
    seen = [request.headers for request in recorded.seen]
    ids = [re.search(r"Credential=(id-\d+)/", headers["authorization"])[1] for headers in seen]
    assert len(set(ids)) == 3, "what has a minute left is renewed"
    tokens = [headers["x-amz-security-token"] for headers in seen]
    assert tokens == [name.replace("id", "token") for name in ids]


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"])
def test_credentials_that_have_expired_are_named(aws, faulty, code):
    faulty.always(400, f"<Error><Code>{code}</Code></Error>".encode())
    with pytest.raises(AccessDenied) as caught:
        opened(faulty, session_token="old").get("a")
    assert caught.value.why == "the session has expired"
    assert "aws sso login" in caught.value.hint


# -- options ------------------------------------------------------------------------------------


def test_encryption_is_asked_for_with_every_object(recorded, large):
    backend = opened(recorded, server_side_encryption="aws:kms", sse_kms_key_id="arn:aws:kms:k")
    backend.put("a", b"x")
    backend.put_file("b", large)
    begins = [r for r in recorded.seen if r.command == "PUT" and "partNumber" not in r.path]
    begins += [r for r in recorded.seen if r.path.endswith("?uploads=")]
    assert len(begins) == 2
    for request in begins:
        assert request.headers["x-amz-server-side-encryption"] == "aws:kms"
        assert request.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "arn:aws:kms:k"


def test_the_requester_pays_where_it_says_so(recorded):
    opened(recorded, requester_pays="true").get("a")
    assert recorded.seen[-1].headers["x-amz-request-payer"] == "requester"
    opened(recorded).get("a")
    assert recorded.seen[-1].headers["x-amz-request-payer"] is None


def test_the_bucket_stands_in_the_path_or_in_the_host(aws, recorded):
    opened(recorded).get("a")
    assert recorded.seen[-1].path == "/bucket/team/a"
    aws.setenv("http_proxy", recorded.endpoint)  # so that the name needn't be known
    for style, url in (
        ("false", "http://bucket.s3.example/team/a"),
        ("true", "http://s3.example/bucket/team/a"),
    ):
        own = {**KEYS, "endpoint_url": "http://s3.example", "path_style": style}
        connect("s3://bucket/team", own).get("a")
        assert recorded.seen[-1].path == url


# -- permissions --------------------------------------------------------------------------------


def action(request):
    """What a policy must allow for a request.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    """
    query = request.path.partition("?")[2]
    match request.command:
        case "GET":
            return "s3:ListBucket" if "list-type=2" in query else "s3:GetObject"
        case "PUT":
            return "s3:PutObject"
        case "POST":
            return "s3:DeleteObject" if query == "delete" else "s3:PutObject"
        case "DELETE":
            return "s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject"
    raise AssertionError(request.requestline)


def policy(number):
    """The actions that a policy on the page for S3 allows."""
    text = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[number]
    statements = json.loads(text)["Statement"]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return {action for statement in statements for action in statement["Action"]}


def test_the_policy_in_the_docs_allows_what_is_asked_for_and_no_more(recorded, large, tmp_path):
    backend = opened(recorded)
    backend.list("")
    backend.get("a")
    backend.get_file("a", str(tmp_path / "landed"))
    assert {action(request) for request in recorded.seen} == policy(1), "of who only pulls"
    backend.put("a", b"x")
    backend.put_file("b", large)
    backend.delete("a")
    backend.delete_all(["a", "b"])
    answer = recorded.answer
    recorded.answer = lambda request: (
        (403, {}, b"") if "partNumber=2" in request.path else answer(request)
    )
    with pytest.raises(AccessDenied):
        backend.put_file("c", large)
    assert {action(request) for request in recorded.seen} == policy(0), "of who pushes"


def test_what_is_no_small_file_is_not_held_in_memory(recorded, monkeypatch):
    monkeypatch.setattr("pivot_remotes.small.LIMIT", 4)
    assert opened(recorded).get("a") == b"fine"
    monkeypatch.setattr("pivot_remotes.small.LIMIT", 3)
    with pytest.raises(RemoteError, match="a in s3://bucket/team is larger than any small file"):
        opened(recorded).get("a")
