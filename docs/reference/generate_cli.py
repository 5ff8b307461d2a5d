"""Write the command line's reference from the commands themselves."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from pivot.cli.main import cli

PAGE = Path(__file__).with_name("cli.md")
HEAD = """\
# Command line

<!-- Written by docs/reference/generate_cli.py; change the commands, not this page. -->

Data goes to standard output, everything else to standard error. From any folder of a project a
command means the whole project. [Exit codes](pivot/errors.md#exit-codes) are the same everywhere,
and so is what `--json` [promises](json.md). `git pivot` is `pivot`.
"""


def render() -> str:
    """The whole page, as Markdown."""
    root = click.Context(cli, info_name="pivot", **cli.context_settings)
    sections = [HEAD, *(_section(context) for context in commands(root))]
    return "\n".join(sections)


def commands(context: click.Context) -> Iterator[click.Context]:
    """`context` and its visible sub-commands, depth first in the order of `--help`."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from commands(click.Context(command, info_name=name, parent=context))


def _section(context: click.Context) -> str:
    usage = " ".join(context.command.collect_usage_pieces(context))
    lines = [
        f"## {context.command_path}",
        "",
        inspect.cleandoc(context.command.help or "").replace("\b\n", ""),
        "",
        "```console",
        f"$ {context.command_path} {usage}",
        "```",
        "",
    ]
    rows = [row for row in map(_row, _described(context)) if row]
    if rows:
        lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _described(context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1] and "--help" not in record[0]:
            yield record


def _row(record: tuple[str, str]) -> str:
    names, meaning = (" ".join(text.split()).replace("|", "\\|") for text in record)
    meaning = meaning.replace("[", "\\[")  # a range or default is no link
    return f"| `{names}` | {meaning} |"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
