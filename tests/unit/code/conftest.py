"""Small projects written as one text, and their fingerprints."""

import re
from collections.abc import Callable, Mapping

import pytest

from pivot.code.fingerprint import Fingerprint, ProjectCode
from pivot.paths import RepoPath


class InMemory:
    """Sources held as `{path: text}`."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = {path: text.encode() for path, text in files.items()}

    def read(self, path: RepoPath) -> bytes | None:
        return self.files.get(path)

    def is_dir(self, path: RepoPath) -> bool:
        return path == RepoPath.ROOT or any(name.startswith(f"{path}/") for name in self.files)

    def names(self, path: RepoPath) -> list[str]:
        start = "" if path == RepoPath.ROOT else f"{path}/"
        inner = (name.removeprefix(start) for name in self.files if name.startswith(start))
        return sorted({name.partition("/")[0] for name in inner})


def split(text: str) -> dict[str, str]:
    """Files of a project: `pipeline.py` first, then each one after a line `== path`."""
    files: dict[str, str] = {}
    path = "pipeline.py"
    for line in text.strip("\n").splitlines(keepends=True):
        if line.startswith("== "):
            path = line[3:].strip()
            files[path] = ""
        else:
            files[path] = files.get(path, "") + line
    return files


_EDIT = re.compile("«([^|]*)\\|([^»]*)»")


@pytest.fixture(scope="session")
def sides() -> Callable[[str], tuple[str, str]]:
    """The two texts that an edit written `«old|new»` stands between."""

    def split_edit(text: str) -> tuple[str, str]:
        before, after = _EDIT.sub(r"\1", text), _EDIT.sub(r"\2", text)
        assert before != after
        return before, after

    return split_edit


@pytest.fixture(scope="session")
def project() -> Callable[[str], ProjectCode]:
    def make(text: str, *roots: str) -> ProjectCode:
        return ProjectCode(InMemory(split(text)), [RepoPath(root) for root in roots or (".",)])

    return make


@pytest.fixture(scope="session")
def fingerprint(project: Callable[..., ProjectCode]) -> Callable[..., Fingerprint]:
    def make(text: str, symbol: str = "pipeline:train") -> Fingerprint:
        return project(text).fingerprint(symbol)

    return make
