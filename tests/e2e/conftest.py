"""Projects in real Git repositories, driven by the installed `pivot` command."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pivot.project.confirmed import address_digest, confirm, confirmed_file
from tests.e2e.sites import Site

CHECKOUT = Path(__file__).parents[2]
PIVOT = Path(sys.executable).with_name("pivot")
STALLED_S = 60

# Stages of tests import this: they say what ran, and wait for what the test does.
PROBE = '''
import os
import time


def mark(name):
    """Note that `name` ran."""
    with open(os.path.join(os.environ["MARKS"], name), "a") as f:
        f.write("x")


def wait_for(name):
    """Wait until the test, or another stage, has noted `name`."""
    deadline = time.monotonic() + 30
    while not os.path.exists(os.path.join(os.environ["MARKS"], name)):
        assert time.monotonic() < deadline, name
        time.sleep(0.002)
'''

# a.txt -> double (through two modules) -> doubled.txt -> total -> total.json; alone -> alone.txt
STORY = {
    "a.txt": "3\n",
    "pipeline.py": """
        import json

        from pivot import Metric, stage
        from pydantic import BaseModel

        from lib.middle import scaled


        class Params(BaseModel):
            offset: int = 1


        @stage(deps=["a.txt"], outs=["out/doubled.txt"])
        def double():
            with open("a.txt") as f, open("out/doubled.txt", "w") as out:
                out.write(f"{scaled(int(f.read()))}\\n")


        @stage(deps=["out/doubled.txt"], outs=[Metric("total.json")], params=Params)
        def total(params: Params):
            with open("out/doubled.txt") as f, open("total.json", "w") as out:
                json.dump({"total": int(f.read()) + params.offset}, out)


        @stage(outs=["alone.txt"])
        def alone():
            with open("alone.txt", "w") as out:
                out.write("alone\\n")
        """,
    "lib/__init__.py": "",
    "lib/middle.py": """
        from lib.low import factor


        def scaled(number):
            return number * factor()
        """,
    "lib/low.py": """
        def factor():
            return 2
        """,
}


# Three stages whose outs are a directory, a file that is cut, and a small one.
STORED = """
    import os
    import random

    from pivot import stage

    def write(name, size, seed):
        with open(name, "wb") as f:
            f.write(random.Random(seed).randbytes(size))

    @stage(outs=["tree"])
    def tree():
        os.mkdir("tree")
        for number in range(10):
            write(f"tree/{number}", 20_000, number)

    @stage(deps=["tree"], outs=["big"])
    def big():
        write("big", 2_500_000, 99)

    @stage(deps=["big"], outs=["small"])
    def small():
        write("small", 300, 100)
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did; durations, ids and places that differ each time are normalised."""

    code: int
    out: str
    err: str

    @property
    def statuses(self) -> dict[str, str]:
        """Stage to status, of a run printed for people."""
        lines = (re.match(r"(\S+) {2,}(not started|\w+)", line) for line in self.out.splitlines())
        return {m[1]: m[2] for m in lines if m}

    @property
    def lines(self) -> list[Any]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(slots=True)
class Project:
    """A project at `path`; its Git repository may begin above."""

    path: Path
    marks: Path
    environment: dict[str, str] = field(default_factory=dict)
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def write(self, name: str, text: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        data = textwrap.dedent(text).lstrip("\n").encode() if isinstance(text, str) else text
        file.write_bytes(data)
        return file

    def write_all(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            self.write(name, text)

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit a file as a user would."""
        text = self.read(name)
        assert old in text
        (self.path / name).write_text(text.replace(old, new))

    def read(self, name: str) -> str:
        return (self.path / name).read_text()

    def exists(self, name: str) -> bool:
        return os.path.lexists(self.path / name)

    def pivot(
        self,
        *arguments: str,
        code: int | None = 0,
        cwd: str = ".",
        env: Mapping[str, str] | None = None,
        limits: Callable[[], None] | None = None,
    ) -> Result:
        """Run `pivot`; the exit code must be `code`, unless that is None."""
        process = self.start(*arguments, cwd=cwd, env=env, limits=limits)
        return self.finish(process, code)

    def start(
        self,
        *arguments: str,
        cwd: str = ".",
        env: Mapping[str, str] | None = None,
        limits: Callable[[], None] | None = None,
    ) -> "subprocess.Popen[str]":
        """Start `pivot` as the leader of a process group, as a shell does."""
        process = subprocess.Popen(
            [PIVOT, *arguments],
            cwd=self.path / cwd,
            env={**os.environ, "MARKS": str(self.marks), **self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            preexec_fn=limits,  # noqa: PLW1509 - no threads here
        )
        self.started.append(process)
        return process

    def finish(self, process: "subprocess.Popen[str]", code: int | None = 0) -> Result:
        out, err = process.communicate(timeout=STALLED_S)
        assert code is None or process.returncode == code, f"{process.returncode}\n{out}{err}"
        assert "Traceback" not in err or "File" in err
        return Result(process.returncode, self.normalised(out), self.normalised(err))

    def normalised(self, text: str) -> str:
        for pattern, word in (
            (r"\b\d+(\.\d+)? (s|min)\b", "TIME"),
            (r"\b\d{8}-\d{6}-[0-9a-f]{6}\b", "RUN"),
            (r"(?<=Committed )(.*) as [0-9a-f]{10}", r"\1 as COMMIT"),
        ):
            text = re.sub(pattern, word, text)
        return text.replace(str(self.path), "PROJECT")

    def ran(self) -> list[str]:
        """What has noted that it ran since the last call, sorted."""
        names = [p.name for p in self.marks.iterdir() for _ in p.read_text()]
        for mark in self.marks.iterdir():
            mark.unlink()
        return sorted(names)

    def mark(self, name: str) -> None:
        (self.marks / name).write_text("x")

    def await_mark(self, name: str) -> None:
        self.eventually((self.marks / name).exists)

    def eventually(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.005)

    def git(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.path, capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def commit_all(self, message: str = "work") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def lock(self, stage: str) -> Path:
        return self.path / ".pivot/stages" / f"{stage}.lock"

    def snapshot(self) -> dict[str, tuple[int, int, bytes]]:
        """Mode, time of change and bytes of every file, but for Pivot's private ones and Git's."""
        found = {}
        for base, folders, files in os.walk(self.path):
            folders[:] = [f for f in folders if f not in (".git", "cache", "tmp", "runs")]
            for name in files:
                path = Path(base, name)
                stat = path.lstat()
                if not name.startswith("state.db"):
                    key = path.relative_to(self.path).as_posix()
                    found[key] = (stat.st_mode, stat.st_mtime_ns, path.read_bytes())
        return found


@pytest.fixture(autouse=True)
def outside_of_the_checkout(
    isolation: Path, compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the checkout is found by looking upwards from the working directory."""
    assert not tmp_path.resolve().is_relative_to(CHECKOUT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(compiled))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled modules are kept: beside sources they would show up as untracked files."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository on branch `main`, and Pivot initialised in it."""
    path = tmp_path_factory.mktemp("template") / "project"
    path.mkdir()
    for command in (["git", "init", "--quiet", "--initial-branch=main"], [str(PIVOT), "init"]):
        subprocess.run(command, cwd=path, check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture
def empty(template: Path, tmp_path: Path) -> Iterator[Project]:
    """An initialised project without stages or commits."""
    path = tmp_path / "project"
    shutil.copytree(template, path, symlinks=True)
    marks = tmp_path / "marks"
    marks.mkdir()
    project = Project(path, marks)
    project.write("probe.py", PROBE)
    yield project
    for process in project.started:
        with process:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def told_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of `story`, to be copied."""
    base = tmp_path_factory.mktemp("story")
    path = base / "project"
    shutil.copytree(template, path, symlinks=True)
    project = Project(path, base)
    project.write("probe.py", PROBE)
    project.write_all(STORY)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    project.git("add", "--all")
    project.git(*identity, "commit", "--quiet", "-m", "Define stages")
    return path


@pytest.fixture
def story(told_template: Path, tmp_path: Path, empty: Project) -> Project:
    """Three stages that have run; sources are committed, locks not."""
    shutil.rmtree(empty.path)
    shutil.copytree(told_template, empty.path, symlinks=True)
    empty.pivot("repro")
    return empty


@pytest.fixture(scope="session")
def stored_template(told_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of `stored`, with its remote beside it."""
    base = tmp_path_factory.mktemp("stored")
    shutil.copytree(told_template, base / "project", symlinks=True)
    project = Project(base / "project", base)
    project.write("pipeline.py", STORED)
    for command in (
        ["repro", "--jobs", "1"],
        ["remote", "add", "storage", "../remote", "--default"],
        ["push"],
    ):
        project.pivot(*command, env={"XDG_STATE_HOME": str(base / "state")})
    return base


@pytest.fixture
def stored(stored_template: Path, empty: Project, tmp_path: Path) -> Project:
    """A directory, a file that was cut and a small one, each in a pack of its own, and pushed."""
    shutil.rmtree(empty.path)
    shutil.copytree(stored_template / "project", empty.path, symlinks=True)
    shutil.copytree(stored_template / "remote", tmp_path / "remote")
    confirm(confirmed_file(os.environ), address_digest(str(tmp_path / "remote"), None))
    return empty


@pytest.fixture
def stages(empty: Project) -> Callable[[str], Project]:
    """Makes a project of a `pipeline.py` with the usual imports and these stages."""
    head = "from pivot import IncrementalOut, Metric, Out, Plot, stage\nfrom probe import *\n"
    head += "import json, os, signal, sys, time\n\n"

    def make(text: str) -> Project:
        empty.write("pipeline.py", head + textwrap.dedent(text))
        return empty

    return make


@pytest.fixture
def site(empty: Project, tmp_path: Path) -> Site:
    """A site folder; it is none of the environment's, so that the tests' own stays as it is."""
    folder = tmp_path / "venv/site-packages"
    folder.mkdir(parents=True)
    start = tmp_path / "start"
    start.mkdir()
    (start / "sitecustomize.py").write_text(f"import site\nsite.addsitedir({str(folder)!r})\n")
    empty.environment["PYTHONPATH"] = str(start)
    return Site(folder)


@pytest.fixture
def read_only() -> Callable[[Path], AbstractContextManager[None]]:
    """Takes away the right to write to a folder and all below it, for a while."""

    @contextmanager
    def within(top: Path) -> Iterator[None]:
        modes = {folder: os.stat(folder).st_mode for folder, _, _ in os.walk(top)}
        try:
            for folder, mode in modes.items():
                os.chmod(folder, mode & ~0o222)
            if os.access(top, os.W_OK):
                pytest.skip("permissions don't hold back root")
            yield
        finally:
            for folder, mode in modes.items():
                os.chmod(folder, mode)

    return within
