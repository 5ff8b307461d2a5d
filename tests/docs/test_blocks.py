"""What the documentation shows can be typed as it stands there."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from pivot.cli.main import cli


def test_python_blocks_are_valid_python(blocks: list[Any]) -> None:
    python = [block for block in blocks if block.language == "python"]
    assert len(python) > 20
    for block in python:
        compile(block.text, f"{block.page}:{block.line}", "exec", dont_inherit=True)


def unknown_parts(words: list[str]) -> Iterator[str]:
    """The sub-commands and options among `words` that `pivot` doesn't know."""
    command: click.Command = cli
    context = click.Context(cli, info_name="pivot", **cli.context_settings)
    for word in words:
        if word.startswith("-"):
            name = word.partition("=")[0]
            known = {opt for param in command.get_params(context) for opt in param.opts}
            known |= {opt for param in command.params for opt in param.secondary_opts}
            if name not in known:
                yield word
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                yield word
                return
            command, context = found, click.Context(found, info_name=word, parent=context)


def test_commands_that_pages_show_exist_with_their_options(blocks: list[Any]) -> None:
    typed = [
        (block, command)
        for block in blocks
        if block.language == "console"
        for command in block.commands()
        if command.startswith("pivot ")
    ]
    assert len(typed) > 20
    wrong = {
        f"{block.page}:{block.line}: {command}": unknown
        for block, command in typed
        if (unknown := list(unknown_parts(shlex.split(command)[1:])))
    }
    assert wrong == {}


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> None:
    """The `pivot` of this environment on PATH, and an author for the commits."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")


@pytest.mark.usefixtures("env")
def test_the_quick_start_works_as_written(quickstart: list[Any], tmp_path: Path) -> None:
    """Files are written and commands run in the page's order; the counts prove each step."""
    project = tmp_path / "project"
    project.mkdir()
    counts = []
    for block in quickstart:
        if block.title is not None:
            (project / block.title).write_text(block.text, encoding="utf-8")
        for command in block.commands() if block.language == "console" else []:
            done = subprocess.run(
                shlex.split(command), cwd=project, capture_output=True, encoding="utf-8"
            )
            assert done.returncode == 0, f"{block.page}:{block.line}: {command}\n{done.stderr}"
            if command == "pivot repro":
                counts.append((project / "metrics.json").read_text())
    before, again, mended, back = counts
    assert before == again == back == '{"words": 21, "distinct": 19}\n'
    assert mended == '{"words": 21, "distinct": 18}\n'
    assert (tmp_path / "storage" / "pivot-store.json").exists()
