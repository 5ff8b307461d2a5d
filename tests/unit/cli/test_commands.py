"""The table of commands, and what holds for every command in it."""

import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from pivot.cli.main import cli, main
from pivot.cli.table import COMMANDS


def commands(command=cli, name="pivot"):
    """Every command with its full name, groups included."""
    context = click.Context(command, help_option_names=["-h", "--help"])
    yield name, command
    if isinstance(command, click.Group):
        for part in command.list_commands(context):
            yield from commands(command.get_command(context, part), f"{name} {part}")


ALL = dict(commands())


@pytest.mark.parametrize("name", ALL)
def test_help_says_what_the_command_and_its_options_do(name):
    done = CliRunner().invoke(cli, [*name.split()[1:], "--help"], prog_name="pivot")
    assert done.exit_code == 0
    assert done.output.startswith(f"Usage: {name} ")
    for parameter in ALL[name].params:
        assert isinstance(parameter, click.Argument) or parameter.help, parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_summary_in_the_table_begins_like_the_commands_own_help(name):
    """Both are read side by side; the table's is the shorter one."""
    row, help_ = COMMANDS[name], ALL[f"pivot {name}"].help
    first = help_.partition("\n")[0]
    assert not row.summary.endswith(".")
    assert row.summary.split()[0] == first.split()[0], (row.summary, first)


@pytest.mark.parametrize("name", [name for name in ALL if name != "pivot"])
def test_help_begins_with_one_imperative_line(name):
    first = ALL[name].help.partition("\n")[0]
    assert re.match(r"[A-Z][a-z]+ ", first)
    assert len(first) <= 90


def test_help_lists_every_command_once_in_its_section():
    done = CliRunner().invoke(cli, ["--help"])
    for name, row in COMMANDS.items():
        assert (
            len(re.findall(rf"^  {name} +{re.escape(row.summary)}$", done.output, re.MULTILINE))
            == 1
        )
    sections = [row.section for row in COMMANDS.values()]
    assert len(set(sections)) == sum(
        a != b for a, b in zip(sections, [None, *sections], strict=False)
    )


def test_help_of_a_command_imports_only_that_command():
    code = (
        "import sys; from pivot.cli.main import main; main(['--help']);"
        "print([m for m in sys.modules if m.startswith('pivot.cli.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pivot.cli.repro" not in done.stdout
    assert "pivot.cli.main" in done.stdout


@pytest.mark.parametrize("arguments", [["-h"], ["--version"], ["repro", "-h"]])
def test_information_exits_with_0(arguments, capsys):
    assert main(arguments) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stats"], "Did you mean `pivot status`?"),
        (["xyzzy"], "`pivot --help` lists them"),
        (["status", "--jsn"], "See `pivot status --help`"),
        (["config", "get"], "See `pivot config get --help`"),
        (["completion", "tcsh"], "See `pivot completion --help`"),
    ],
)
def test_usage_errors_exit_with_2_and_help(arguments, said, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.endswith(f"hint: {said}\n")


@pytest.mark.parametrize("arguments", [[], ["remote"], ["metrics"], ["config"]])
def test_group_alone_shows_its_help(arguments, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"Usage: {' '.join(['pivot', *arguments])} ")
    assert "error:" not in err
    assert "hint:" not in err


@pytest.mark.parametrize(
    ("option", "needed"), [(["-m", "Results"], "--commit"), (["--explain"], "--dry-run")]
)
def test_option_that_needs_another_is_refused_without_it(option, needed, capsys):
    assert main(["repro", *option]) == 2
    assert needed in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_printed(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "_PIVOT_COMPLETE" in capsys.readouterr().out
