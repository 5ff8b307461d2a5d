"""The corpus on disk, and the outcomes of its stages."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fingerprint.corpus.cases import Files

type Outcome = Callable[[Path, tuple[str, ...], str], str]


@pytest.fixture(scope="session")
def outcome() -> Iterator[Outcome]:
    """What a stage gives when it is called: by root, source roots and `package.module:name`."""
    program = Path(__file__).with_name("outcomes.py")
    with subprocess.Popen(
        [sys.executable, program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def call(root: Path, roots: tuple[str, ...], stage: str) -> str:
            module, _, function = stage.partition(":")
            request = {
                "root": str(root),
                "roots": [str((root / part).resolve()) for part in roots],
                "module": module,
                "function": function,
            }
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return str(json.loads(process.stdout.readline()))

        yield call
        process.stdin.close()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, Files], Path]:
    """Writes a project's files into a folder of that name."""

    def write(name: str, files: Files) -> Path:
        root = tmp_path / name
        root.mkdir(parents=True)
        for path, data in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return root

    return write
