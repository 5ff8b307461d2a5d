"""Where commands are run, what with, and what running one took."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.scale import Scale

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "benchmarks" / "results"
# The peer has an environment of its own: its dependencies and Pivot's need not agree.
PEER_BIN = CHECKOUT / ".venv-bench" / "bin"
# A tmpfs, on Linux: nothing is written below it but what `tempfile` makes.
MEMORY = "/dev/shm"  # noqa: S108
# ru_maxrss counts kibibytes on Linux and bytes on macOS.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class CommandError(Exception):
    """A command that is measured failed, or didn't do its work: its numbers mean nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a command.

    Attributes:
        seconds: wall time from starting the process to having reaped it.
        peak: bytes resident in the largest single process of its tree, of those that were
            waited for. The measuring process itself, about 20 MB, is the least that is seen.
    """

    seconds: float
    peak: int


@dataclass(frozen=True, slots=True)
class Workbench:
    """A scratch folder, the commands that are measured, and all that they are told.

    Attributes:
        folder: an empty folder, on a tmpfs where there is one.
        scale: how much to measure.
        environment: what every command gets: nothing of the user's home and configuration.
        python: the interpreter that Pivot is installed for.
        pivot: the `pivot` command.
        dvc: the `dvc` command; None to measure Pivot alone.
        aws: the `aws` command, likewise.
    """

    folder: Path
    scale: Scale
    environment: Mapping[str, str]
    python: str
    pivot: str
    dvc: str | None
    aws: str | None

    def measure(self, words: Sequence[str], cwd: Path) -> Sample:
        """Run a command to its end.

        Raises `CommandError` with what it printed if it fails.
        """
        with tempfile.TemporaryFile(dir=self.folder) as output:
            started = time.perf_counter()
            process = self._start(words, cwd, output)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                output.seek(0)
                printed = output.read().decode(errors="replace")
                raise CommandError(f"{shlex.join(words)}: exit {process.returncode}\n{printed}")
        return Sample(seconds, usage.ru_maxrss * _RSS_UNIT)

    def _start(self, words: Sequence[str], cwd: Path, output: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                words,
                cwd=cwd,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise CommandError(f"{words[0]} can't be started: {error.strerror}") from error

    @contextmanager
    def scratch(self, within: Path | None = None) -> Iterator[Path]:
        """A new folder for one repetition, removed after it; in `folder` unless told where."""
        path = Path(tempfile.mkdtemp(dir=within or self.folder))
        try:
            yield path
        finally:
            shutil.rmtree(path)

    @contextmanager
    def scratch_on_disk(self) -> Iterator[Path]:
        """The same on the disk of the checkout, where syncing takes its time."""
        RESULTS.mkdir(exist_ok=True)
        with self.scratch(RESULTS) as path:
            yield path


@contextmanager
def opened(scale: Scale, *, peer: bool) -> Iterator[Workbench]:
    """A workbench in a temporary folder, which is removed afterwards.

    Raises `CommandError` if the peer is wanted and its environment isn't there.
    """
    dvc = PEER_BIN / "dvc"
    if peer and not dvc.exists():
        raise CommandError(f"{dvc} is not there: `make bench` installs it, --no-peer goes without")
    with tempfile.TemporaryDirectory(prefix="pivot-bench-", dir=_fast_folder()) as name:
        folder = Path(name)
        yield Workbench(
            folder=folder,
            scale=scale,
            environment=_environment(folder / "home"),
            python=sys.executable,
            pivot=str(Path(sys.executable).with_name("pivot")),
            dvc=str(dvc) if peer else None,
            aws=str(PEER_BIN / "aws") if peer else None,
        )


def _fast_folder() -> str | None:
    return MEMORY if os.path.isdir(MEMORY) and os.access(MEMORY, os.W_OK) else None


def _environment(home: Path) -> dict[str, str]:
    home.mkdir()
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "bench",
        "GIT_AUTHOR_EMAIL": "bench@localhost",
        "GIT_COMMITTER_NAME": "bench",
        "GIT_COMMITTER_EMAIL": "bench@localhost",
        # What would make the peer slower for reasons that are not its work: the network, and a
        # site cache on another file system.
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / ".cache" / "dvc-site"),
        "CI": "1",
    }
