"""The command line's reference says what the commands say."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest

from pivot.cli.main import cli

GENERATOR = Path(__file__).parents[2] / "docs" / "reference" / "generate_cli.py"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def contexts(generator: ModuleType) -> list[click.Context]:
    return list(generator.commands(click.Context(cli, info_name="pivot", **cli.context_settings)))


def test_the_committed_page_is_what_the_commands_say(generator: ModuleType) -> None:
    """Run `python docs/reference/generate_cli.py` when this fails."""
    assert generator.PAGE.read_text(encoding="utf-8") == generator.render()


def test_every_command_has_a_section(generator: ModuleType, contexts: list[click.Context]) -> None:
    headings = re.findall(r"^## (.+)$", generator.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [context.command_path for context in contexts]
    assert {"pivot repro", "pivot status", "pivot push"} <= set(headings)


def test_every_command_and_option_says_what_it_does(contexts: list[click.Context]) -> None:
    silent = [context.command_path for context in contexts if not context.command.help]
    silent += [
        f"{context.command_path} {option.opts[-1]}"
        for context in contexts
        for option in context.command.params
        if isinstance(option, click.Option) and not (option.help or option.hidden)
    ]
    assert silent == []
