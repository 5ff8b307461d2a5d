"""Azurite, Azure's own emulator of Blob Storage; `.ci/install-servers` installs it by npm."""

import base64
import hashlib
import hmac
import http.client
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from tests.unit.remotes.servers.programs import free_port, missing, program, running

BLOB = Path(__file__).parents[3] / "servers/node_modules/azurite/dist/src/blob/main.js"
ACCOUNT = "devstoreaccount1"
# Known to everybody: https://learn.microsoft.com/en-us/azure/storage/common/storage-connect-azurite
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "2021-12-02"


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running emulator with one account."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.endpoint};"
        )

    def new_container(self) -> str:
        """The name of a new, empty container."""
        name = f"c{uuid.uuid4()}"
        headers = f"x-ms-date:{formatdate(usegmt=True)}\nx-ms-version:{VERSION}"
        signed = f"PUT{'\n' * 12}{headers}\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        signature = _signature(signed)
        sent = dict(line.split(":", 1) for line in headers.splitlines())
        sent["Authorization"] = f"SharedKey {ACCOUNT}:{signature}"
        sent["Content-Length"] = "0"
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("PUT", f"/{ACCOUNT}/{name}?restype=container", headers=sent)
        assert connection.getresponse().status == 201
        connection.close()
        return name


def _signature(text: str) -> str:
    """https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key"""
    digest = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


@contextmanager
def serving(base: Path) -> Iterator[Azurite]:
    """Run an emulator that keeps everything in memory; its log is in `base`."""
    if not BLOB.exists():
        missing("Azurite is not installed")
    port = free_port()
    command = [program("node"), str(BLOB), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    command += ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    with running(command, port, base / "log", cwd=base):
        yield Azurite(port)
