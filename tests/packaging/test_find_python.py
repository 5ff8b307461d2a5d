"""The Makefile's interpreter is found by running candidates, not by their names."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / ".ci" / "find-python"


def find(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """What the script finds where `folder` is all of PATH and of HOME."""
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": str(folder), "HOME": str(folder), **env},
        capture_output=True,
        encoding="utf-8",
    )


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_shim_without_an_interpreter_behind_it_is_passed_over(tmp_path: Path) -> None:
    """Version managers leave such shims on PATH for versions that aren't installed."""
    script(tmp_path / "python3.13", "echo 'command not found' >&2; exit 127")
    script(tmp_path / "python3", f'exec "{sys.executable}" "$@"')
    assert find(tmp_path).stdout.strip() == sys.executable


def test_an_older_python_is_passed_over_for_one_of_a_version_manager(tmp_path: Path) -> None:
    script(tmp_path / "python3", "exit 1")  # how an older one answers the question
    script(
        tmp_path / ".pyenv" / "versions" / "3.13.9" / "bin" / "python",
        f'exec "{sys.executable}" "$@"',
    )
    assert find(tmp_path).stdout.strip() == sys.executable


def test_the_named_interpreter_comes_first(tmp_path: Path) -> None:
    script(tmp_path / "python3.13", "echo wrong")
    assert find(tmp_path, PYTHON=sys.executable).stdout.strip() == sys.executable


def test_without_any_python_the_message_says_what_to_do(tmp_path: Path) -> None:
    found = find(tmp_path)
    assert found.returncode == 1
    assert found.stdout == ""
    assert "no Python 3.13 or newer" in found.stderr
    assert "make PYTHON=" in found.stderr
