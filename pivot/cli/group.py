"""A group of commands that are imported when they are called."""

from importlib import import_module
from itertools import groupby
from typing import Any

import click

from pivot.cli.table import COMMANDS
from pivot.errors import UsageError, nearest

HELP = ["-h", "--help"]


class LazyGroup(click.Group):
    """Finds commands in the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        row = COMMANDS.get(cmd_name)
        if row is None:
            return None
        module, _, name = row.home.partition(":")
        command: click.Command = getattr(import_module(module), name)
        # Commands inherit this from the group only where they are called through it.
        for part in (command, *getattr(command, "commands", {}).values()):
            part.context_settings.setdefault("help_option_names", HELP)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = nearest(args[0], COMMANDS)
            raise UsageError(
                f"there is no command {args[0]!r}",
                hint=f"Did you mean `pivot {near}`?" if near else "`pivot --help` lists them",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for section, rows in groupby(COMMANDS.items(), key=lambda item: item[1].section):
            with formatter.section(section):
                formatter.write_dl([(name, row.summary) for name, row in rows], col_max=12)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from_options = click.Command.shell_complete(self, ctx, incomplete)
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        items = [click.shell_completion.CompletionItem(n, help=COMMANDS[n].summary) for n in names]
        return [*items, *from_options]
