"""The guide to explanations shows what its commands print."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import CHECKOUT, blocks_of


def masked(text: str) -> str:
    """`text` without what differs from commit to commit, and from one Python to the next."""
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{10}\b|\b[0-9a-f]{8}\b", "HASH", text)
    return re.sub(r"python  3\.\d+", "python  VERSION", text)


def test_outputs_of_the_guide_are_what_its_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are written and commands run in the page's order."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    compared = 0
    for block in blocks_of(CHECKOUT / "docs" / "guide" / "explaining.md"):
        if block.title is not None:
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
        for command in block.commands() if block.language == "console" else []:
            done = subprocess.run(
                shlex.split(command), cwd=tmp_path, capture_output=True, encoding="utf-8"
            )
            assert done.returncode == 0, f"{block.page}:{block.line}: {command}\n{done.stderr}"
            shown = block.text.partition(f"$ {command}\n")[2]
            if shown and not shown.startswith("$ "):
                assert masked(done.stdout) == masked(shown), f"{block.page}:{block.line}"
                compared += 1
    assert compared == 5
