import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from pivot.definition.definitions import Definitions, decode, encode, load_definitions
from pivot.definition.discovery import discover
from pivot.definition.evidence import Evidence, edited_files, surroundings_hold
from pivot.definition.revision import revised
from pivot.definition.stage import Stage
from pivot.hashing import ObjectId, hash_fd


def file_id(path: str) -> ObjectId | None:
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return hash_fd(fd)
    finally:
        os.close(fd)


def file_ids(evidence: Evidence, root: str) -> dict[str, ObjectId | None]:
    return {path: file_id(os.path.join(root, path)) for path in evidence.files}


@dataclass(frozen=True)
class Project:
    """A folder with sources, written as a user would and settled for a while."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        os.utime(path, ns=(1_700_000_000_000_000_000, 1_700_000_000_000_000_000))
        return path

    def load(self, text: str | None = None, module: str | None = None) -> Definitions:
        if text is not None:
            self.write("pipeline.py", text)
        root = str(self.root)
        return load_definitions(root, discover(root, module))

    def stage(self, text: str) -> Stage:
        (stage,) = self.load(text).stages
        return stage

    def cached(self) -> Definitions:
        """As another process finds what this one loads."""
        return decode(encode(self.load()))

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the first place of a text in a source."""
        text = (self.root / name).read_text()
        assert old in text
        (self.root / name).write_text(text.replace(old, new, 1))

    def revise(self, definitions: Definitions) -> Definitions | None:
        """Definitions after edits, if that can be told without loading."""
        edited = edited_files(definitions.evidence, file_ids(definitions.evidence, str(self.root)))
        assert edited
        return revised(definitions, str(self.root), edited)

    def holds(self, definitions: Definitions) -> bool:
        evidence, root = definitions.evidence, str(self.root)
        return surroundings_hold(evidence, root) and not edited_files(
            evidence, file_ids(evidence, root)
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)


@pytest.fixture(scope="module")
def other_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that the tests of a file share."""
    return Project(tmp_path_factory.mktemp("other"))
