"""A team: a project whose results were pushed to a shared folder, clones of it, and S3 servers."""

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.unit.remotes.servers.fixtures import (  # noqa: F401 - fixtures of the tests below
    azurite,
    bucket,
    dav,
    gcs,
    moto,
    sshd,
    strict_bucket,
    strict_s3,
)

PIVOT = Path(sys.executable).with_name("pivot")
IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")

# a.txt -> double -> out/doubled.txt -> total -> total.json; images -> a directory of 200 files
PIPELINE = """
    import json
    import os

    from pivot import Metric, stage
    from probe import mark


    @stage(deps=["a.txt"], outs=["out/doubled.txt"])
    def double():
        mark("double")
        with open("a.txt") as f, open("out/doubled.txt", "w") as out:
            out.write(f"{2 * int(f.read())}\\n")


    @stage(deps=["out/doubled.txt"], outs=[Metric("total.json")])
    def total():
        mark("total")
        with open("out/doubled.txt") as f, open("total.json", "w") as out:
            json.dump({"total": int(f.read()) + 1}, out)


    @stage(outs=["images"])
    def images():
        mark("images")
        os.makedirs("images/empty/within")
        os.makedirs("images/more")
        for number in range(200):
            with open(f"images/more/{number}.txt", "w") as f:
                f.write(f"image {number}\\n" * number)
        os.chmod("images/more/7.txt", 0o755)
"""


@pytest.fixture(scope="session")
def team_template(told_template, compiled, tmp_path_factory) -> Path:
    """`project`, committed, with the default remote `storage` at `../remote`, and that remote."""
    base = tmp_path_factory.mktemp("team")
    project = base / "project"
    shutil.copytree(told_template, project, symlinks=True)
    (project / "pipeline.py").write_text(textwrap.dedent(PIPELINE))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(base / "home"),
        "MARKS": str(base / "marks"),
        "PYTHONPYCACHEPREFIX": str(compiled),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    (base / "marks").mkdir()
    for command in (
        [PIVOT, "config", "set", "fingerprint.ignore_env", "MARKS"],  # each clone has its own
        [PIVOT, "repro"],
        [PIVOT, "remote", "add", "storage", "../remote", "--default"],
        [PIVOT, "push"],
        ["git", "add", "--all"],
        ["git", *IDENTITY, "commit", "--quiet", "-m", "Share results"],
    ):
        subprocess.run(command, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL)
    return base


@pytest.fixture
def team(team_template, tmp_path, empty):
    """The project that pushed; `../remote` has all of its results. Nobody confirmed it here."""
    shutil.rmtree(empty.path)
    for name in ("project", "remote"):
        shutil.copytree(team_template / name, tmp_path / name, symlinks=True)
    return empty


@pytest.fixture
def clone(team, tmp_path):
    """Makes a fresh clone that may use the remote, or, with `trusts=False`, may not yet."""

    def make(name="clone", *, trusts=True):
        subprocess.run(["git", "clone", "--quiet", team.path, tmp_path / name], check=True)
        own = {"PIVOT_REMOTE_STORAGE_URL": str(tmp_path / "remote")} if trusts else {}
        return replace(team, path=tmp_path / name, environment=own)

    return make


@pytest.fixture
def held(team):
    """The outs of a project as they should be: bytes by path."""

    def read(project):
        found = {}
        for name in ("out", "images", "total.json"):
            top = project.path / name
            for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
                mode = path.stat().st_mode & 0o111 if path.exists() else None
                key = path.relative_to(project.path).as_posix()
                found[key] = (bool(mode), path.read_bytes() if path.is_file() else None)
        return found

    return read


@pytest.fixture
def keys(monkeypatch):
    """Credentials in the environment, which any server of ours takes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret-key")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


class Answer(BaseHTTPRequestHandler):
    """Answers every request as the server's `answer` says: status and body."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status, body = self.server.answer(self)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - names of http.server

    def log_message(self, *args):
        pass


@pytest.fixture
def stub() -> Iterator[ThreadingHTTPServer]:
    """An S3 endpoint of which a test sets `answer`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        server.answer = lambda request: (500, b"")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
