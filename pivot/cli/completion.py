"""`pivot completion`: the script that makes a shell complete `pivot`."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    For example, in `~/.bashrc`: eval "$(pivot completion bash)"
    """
    root = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} can't be completed")
    click.echo(kind(root, {}, "pivot", "_PIVOT_COMPLETE").source())
