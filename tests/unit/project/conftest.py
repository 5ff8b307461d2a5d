"""Projects in folders, with and without Git, opened in this process."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pivot.hashing import hash_bytes
from pivot.lock.declared import Declared
from pivot.lock.folder import write_lock
from pivot.lock.lock import Lock
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.project.initialise import initialise
from pivot.project.project import Project
from pivot.store.content import Content, ContentType


@dataclass(frozen=True)
class Place:
    """An initialised project at `path`, in a repository that may begin above."""

    path: Path
    opened: list[Project] = field(default_factory=list)

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def git(self, *arguments):
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(
            command, cwd=self.path, check=True, capture_output=True, text=True
        ).stdout

    def open(self):
        self.opened.append(Project.find(str(self.path)))
        return self.opened[-1]

    def result(self, stage, **metrics):
        """Write a stage's lock with metrics `name=text`, and the files themselves."""
        contents = {}
        for name, text in metrics.items():
            self.write(f"{name}.json", text)
            path = RepoPath(f"{name}.json")
            contents[path] = Content(ContentType.FILE, hash_bytes(text.encode()), len(text))
        outs = tuple(OutSpec(path, OutKind.METRIC) for path in sorted(contents))
        declared = Declared(1, {f"m:{stage}": "1"}, {}, None, {}, RepoPath.ROOT, (), outs)
        lock = Lock(StageName(stage), f"m:{stage}", declared, {}, contents)
        write_lock(str(self.path / ".pivot/stages"), lock)


@pytest.fixture(params=[".", "below/the root"])
def place(tmp_path, request):
    """A project at the root of its repository, and one below it."""
    root = tmp_path / "repository"
    path = root / request.param
    path.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=root, check=True)
    initialise(str(path), git=True)
    place = Place(path)
    yield place
    for project in place.opened:
        project.close()
