"""Git repositories in temporary directories, with none of the user's configuration."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ConfigLevel

from pivot.git.repository import Repository

DATE = "2026-01-02T03:04:05+01:00"


@dataclass(frozen=True, slots=True)
class Work:
    """A work tree, driven by the real `git` command."""

    path: Path

    def git(self, *arguments: str, check: bool = True, stdin: bytes = b"") -> str:
        """What a Git command prints; its errors raise unless `check` is false."""
        result = subprocess.run(
            ["git", *arguments], cwd=self.path, input=stdin, capture_output=True, check=False
        )
        if check and result.returncode != 0:
            raise AssertionError(f"git {arguments}: {result.stderr.decode()}")
        return result.stdout.decode(errors="surrogateescape")

    def write(self, name: str, data: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    def commit(self, files: dict[str, str], message: str = "base") -> str:
        """Commit these files with the real Git; the commit's id."""
        for name, data in files.items():
            self.write(name, data)
            self.git("add", "--force", "--", name)
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def twin(self) -> "Work":
        """A second work tree in the same state."""
        other = self.path.with_name(self.path.name + "-twin")
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(self.path, other, symlinks=True)
        for work in (self, Work(other)):
            work.git("update-index", "-q", "--refresh", check=False)
        return Work(other)

    def open(self) -> Repository:
        repository = Repository.discover(str(self.path))
        assert repository is not None
        return repository


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No configuration from outside, for `git` and for libgit2; a fixed identity and date."""
    home = str(tmp_path_factory.mktemp("home"))
    levels = (ConfigLevel.GLOBAL, ConfigLevel.XDG, ConfigLevel.SYSTEM)
    before = {level: pygit2.settings.search_path[level] for level in levels}
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")] + ["EMAIL"]:
            patch.delenv(name, raising=False)
        values = {"HOME": home, "XDG_CONFIG_HOME": home, "LC_ALL": "C", "TZ": "UTC"}
        values |= {"GIT_CONFIG_GLOBAL": f"{home}/.gitconfig", "GIT_CONFIG_NOSYSTEM": "1"}
        values |= {"GIT_CEILING_DIRECTORIES": str(Path(home).parent)}
        for role in ("AUTHOR", "COMMITTER"):
            values[f"GIT_{role}_NAME"] = role.title()
            values[f"GIT_{role}_EMAIL"] = f"{role.lower()}@example.org"
            values[f"GIT_{role}_DATE"] = DATE
        for name, value in values.items():
            patch.setenv(name, value)
        for level in levels:
            pygit2.settings.search_path[level] = home
        yield
    for level, path in before.items():
        pygit2.settings.search_path[level] = path


@pytest.fixture
def unborn(tmp_path: Path) -> Work:
    """A repository without commits, on branch `main`."""
    work = Work(tmp_path / "work")
    work.path.mkdir()
    work.git("init", "--quiet", "--initial-branch=main")
    return work


@pytest.fixture
def work(unborn: Work) -> Work:
    """A repository with one commit: `a.txt`, `b.txt` and `dir/c.txt`."""
    unborn.commit({"a.txt": "a\n", "b.txt": "b\n", "dir/c.txt": "c\n"})
    return unborn
