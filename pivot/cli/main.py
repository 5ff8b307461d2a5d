"""The console script: global options, and the one place where errors become exit codes."""

import gc
import json
import os
import sys
from importlib import import_module

import click

from pivot import __version__
from pivot.cli.colour import colour
from pivot.cli.group import HELP, LazyGroup
from pivot.errors import ExitCode, PivotError
from pivot.printable import LINES, printable

_CONTEXT = {"help_option_names": HELP, "max_content_width": 100}


@click.group(cls=LazyGroup, context_settings=_CONTEXT)
@click.version_option(__version__, message="pivot %(version)s")
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Run as if started in DIR.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks of Pivot's own errors.")
@click.pass_context
def cli(context: click.Context, directory: str | None, debug: bool) -> None:  # noqa: ARG001 - read by `main`
    """Change your code; Pivot knows what to run."""
    context.color = colour()
    if directory is not None:
        os.chdir(directory)


def main(arguments: list[str] | None = None) -> int:
    """Run `pivot`; returns the exit code. Without `arguments` the process ends with it."""
    if arguments is not None:
        return _run(arguments)
    try:
        return _run(sys.argv[1:])
    finally:
        # Python looks for cycles among all that is left when it ends, a tenth of a short command.
        gc.freeze()


def _run(arguments: list[str]) -> int:
    try:
        code = cli.main(arguments, prog_name="pivot", standalone_mode=False)
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = ExitCode.USAGE
    except click.ClickException as error:
        _fail(arguments, "usage", error.format_message(), None, _usage_hint(error))
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        _fail(arguments, "interrupted", "interrupted", None, None)
        code = ExitCode.INTERRUPTED
    except PivotError as error:
        if "--debug" in arguments:
            raise
        _fail(arguments, error.code, error.message, error.why, error.hint)
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone, `head` for one; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.FAILED
    except OSError as error:
        if "--debug" in arguments:
            raise
        _fail(arguments, "os", *_os_error(error))
        code = ExitCode.FAILED
    except Exception as error:  # the outermost boundary
        if "--debug" in arguments:
            raise
        code = _unexpected(arguments, error)
    return int(code or ExitCode.DONE)


def _fail(
    arguments: list[str], code: str, message: str, why: str | None, hint: str | None
) -> ExitCode:
    """Report an error: three lines for people, or one object with `--json`."""
    if "--json" in arguments:
        text = message if why is None else f"{message}: {why}"
        value = {"type": "error", "code": code, "message": text, "hint": hint}
        click.echo(json.dumps(value, ensure_ascii=False))
        return ExitCode.FAILED
    lines = [(click.style("error", fg="red", bold=True), message), ("  why", why)]
    for name, said in (*lines, (click.style("hint", fg="cyan"), hint)):
        if said is not None:
            click.echo(f"{name}: {printable(said, keep=LINES)}", err=True, color=colour())
    return ExitCode.FAILED


def _usage_hint(error: click.ClickException) -> str | None:
    context = getattr(error, "ctx", None)
    return f"See `{context.command_path} --help`" if context is not None else None


def _os_error(error: OSError) -> tuple[str, str | None, str | None]:
    place = error.filename or "a file"
    return (
        f"{place} can't be read or written",
        error.strerror,
        "Mend that and run the command again",
    )


def _unexpected(arguments: list[str], error: Exception) -> ExitCode:
    """An error that nobody foresaw: keep a report, show one line."""
    place = import_module("pivot.cli.report").write_report(arguments, error)
    return _fail(
        arguments,
        "unexpected",
        f"Pivot met an error of its own: {type(error).__name__}: {error}",
        None,
        f"Please report it with the file {place}",
    )


if __name__ == "__main__":
    sys.exit(main())
