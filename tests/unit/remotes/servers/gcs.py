"""An emulator of Google Cloud Storage, which is among the project's test requirements."""

import http.client
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.unit.remotes.servers.programs import free_port, running


@dataclass(frozen=True, slots=True)
class Gcs:
    """A running emulator."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def new_bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"b{uuid.uuid4()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"name": name})
        connection.request("POST", "/storage/v1/b?project=test", body=body, headers=headers)
        assert connection.getresponse().status == 200
        connection.close()
        return name


@contextmanager
def serving(base: Path) -> Iterator[Gcs]:
    """Run an emulator that keeps everything in memory; its log is in `base`."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "gcp_storage_emulator", "start"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--in-memory", "--quiet"]
    with running(command, port, base / "log", cwd=base):
        yield Gcs(port)
