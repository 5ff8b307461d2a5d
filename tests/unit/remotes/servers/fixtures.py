"""Servers that end-to-end tests start, too: a conftest imports those that its tests need."""

import http.client
import subprocess
import sys
import uuid
from collections.abc import Iterator

import boto3
import pytest

from tests.unit.remotes.servers import azurite as azurite_server
from tests.unit.remotes.servers import gcs as gcs_server
from tests.unit.remotes.servers import rclone
from tests.unit.remotes.servers import sshd as sshd_server


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The endpoint of an S3 server."""
    code = (
        "from moto.server import ThreadedMotoServer as S; import sys;"
        "s = S('127.0.0.1', 0); s.start(); print('port', s.get_host_and_port()[1], flush=True);"
        "sys.stdin.read()"
    )
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with server:
        try:
            port = next(line.split()[1] for line in server.stdout if line.startswith("port "))
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


@pytest.fixture
def bucket(moto) -> str:
    """The name of a new, empty bucket."""
    name = f"b{uuid.uuid4()}"
    connection = http.client.HTTPConnection(moto.removeprefix("http://"))
    connection.request("PUT", f"/{name}")
    assert connection.getresponse().status == 200
    connection.close()
    return name


@pytest.fixture(scope="session")
def azurite(tmp_path_factory) -> Iterator[azurite_server.Azurite]:
    """A server of Azure Blob Storage."""
    with azurite_server.serving(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def gcs(tmp_path_factory) -> Iterator[gcs_server.Gcs]:
    """A server of Google Cloud Storage."""
    with gcs_server.serving(tmp_path_factory.mktemp("gcs")) as server:
        yield server


@pytest.fixture(scope="session")
def sshd(tmp_path_factory) -> Iterator[sshd_server.Sshd]:
    """An SFTP server."""
    with sshd_server.serving(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def dav(tmp_path_factory):
    """Host and port of a WebDAV server, and the folder that it serves."""
    with rclone.serving_webdav(tmp_path_factory.mktemp("dav")) as place:
        yield place


@pytest.fixture(scope="session")
def strict_s3(tmp_path_factory) -> Iterator[str]:
    """The endpoint of an S3 server that checks signatures."""
    with rclone.serving_s3(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture
def strict_bucket(strict_s3) -> str:
    """The name of a new, empty bucket on the S3 server that checks signatures."""
    return new_bucket(strict_s3, rclone.KEY_ID, rclone.SECRET, f"b{uuid.uuid4()}")


def new_bucket(endpoint, key_id, secret, name):
    session = boto3.Session(key_id, secret, region_name="us-east-1")
    session.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
    return name
