import subprocess
import sys

import pytest

from pivot_remotes.errors import AccessDenied
from pivot_remotes.s3.backend import open_bucket

HEADERS = {"ETag": '"x"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
PAIR = {"AWS_ACCESS_KEY_ID": "env-id", "AWS_SECRET_ACCESS_KEY": "env-secret"}


@pytest.fixture
def seen(aws, faulty):
    """The headers of the last request."""
    faulty.always(200, b"fine", **HEADERS)
    return lambda: faulty.seen[-1].headers


def test_requests_are_signed_with_keys_of_the_environment(faulty, seen):
    environ = {**PAIR, "AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL": faulty.endpoint}
    open_bucket("s3://bucket", {"region": "eu-west-1"}, environ).get("a")
    assert "Credential=env-id/" in seen()["authorization"]
    assert "/eu-west-1/s3/" in seen()["authorization"]
    assert seen()["x-amz-security-token"] == "token"


def test_a_token_of_the_environment_never_joins_given_keys(aws, faulty, seen):
    aws.setenv("AWS_SESSION_TOKEN", "of-other-keys")
    aws.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    options = {
        "access_key_id": "id",
        "secret_access_key": "secret",
        "endpoint_url": faulty.endpoint,
    }
    open_bucket("s3://bucket", options, {}).get("a")
    assert "Credential=id/" in seen()["authorization"]
    assert seen()["x-amz-security-token"] is None


def test_anonymous_requests_are_not_signed(faulty, seen):
    options = {"anonymous": "true", "endpoint_url": faulty.endpoint}
    open_bucket("s3://bucket", options, PAIR).get("a")
    assert seen()["authorization"] is None


def test_a_profile_gives_keys_and_region(tmp_path, faulty, seen):
    (tmp_path / "aws-credentials").write_text(
        "[team]\naws_access_key_id = profile-id\naws_secret_access_key = s\n"
    )
    (tmp_path / "aws-config").write_text("[profile team]\nregion = eu-north-1\n")
    options = {"profile": "team", "endpoint_url": faulty.endpoint}
    open_bucket("s3://bucket", options, PAIR).get("a")
    assert "Credential=profile-id/" in seen()["authorization"]
    assert "/eu-north-1/s3/" in seen()["authorization"]


def test_without_credentials_access_is_denied_at_once(aws):
    with pytest.raises(AccessDenied, match="no credentials for s3://bucket") as caught:
        open_bucket("s3://bucket", {}, {})
    assert "aws configure" in caught.value.hint


def test_an_unknown_profile_is_named_by_its_error(aws):
    with pytest.raises(AccessDenied, match="ProfileNotFound"):
        open_bucket("s3://bucket", {"profile": "nobody"}, {})


def test_what_a_credential_process_prints_is_not_repeated(aws, tmp_path):
    (tmp_path / "aws-config").write_text(
        "[default]\ncredential_process = sh -c 'echo my-secret >&2; exit 1'\n"
    )
    with pytest.raises(AccessDenied, match="CredentialRetrievalError") as caught:
        open_bucket("s3://bucket", {}, {})
    assert "my-secret" not in f"{caught.value} {caught.value.hint}"


def test_credentials_that_fail_later_deny_access(aws, tmp_path, faulty):
    script = tmp_path / "process"
    script.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/used ] && exit 1\ntouch {tmp_path}/used\n"
        'echo \'{"Version": 1, "AccessKeyId": "i", "SecretAccessKey": "s",'
        ' "SessionToken": "t", "Expiration": "2020-01-01T00:00:00Z"}\'\n'
    )
    script.chmod(0o755)
    (tmp_path / "aws-config").write_text(f"[default]\ncredential_process = {script}\n")
    with pytest.raises(AccessDenied):
        open_bucket("s3://bucket", {"endpoint_url": faulty.endpoint}, {}).get("a")


@pytest.mark.parametrize(
    ("options", "environ", "needed"),
    [
        ({}, PAIR, False),
        ({"anonymous": "true"}, {}, False),
        ({"access_key_id": "i", "secret_access_key": "s"}, {}, False),
        ({"profile": "team"}, PAIR, True),
    ],
)
def test_boto3_is_imported_only_when_it_is_needed(aws, tmp_path, options, environ, needed):
    (tmp_path / "aws-credentials").write_text(
        "[team]\naws_access_key_id = i\naws_secret_access_key = s\n"
    )
    for name, text in environ.items():
        aws.setenv(name, text)
    program = (
        "import sys; from pivot_remotes.connect import connect\n"
        f"connect('s3://bucket', {options!r})\n"
        "print('obstore' in sys.modules, 'boto3' in sys.modules, 'fsspec' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", str(needed), "False"]
