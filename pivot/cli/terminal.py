"""What every command says and how: data on stdout, all else on stderr, colour never alone."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from pivot.printable import LINES, printable
from pivot.project.project import Project

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


@contextmanager
def open_project() -> Iterator[Project]:
    """The project around the working directory; what it learned is kept at the end."""
    project = Project.find(os.getcwd(), note_waiting)
    try:
        yield project
    finally:
        project.close()


def emit(value: object) -> None:
    """Print one JSON value on a line of stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


def say(text: str = "") -> None:
    """Print a line of a command's report on stdout."""
    click.echo(text)


def note(text: str) -> None:
    """Print what isn't the command's report, on stderr; others may have worded a part of it."""
    click.echo(printable(text, keep=LINES), err=True)


def note_named(name: str, colour: str, text: str, *, bold: bool = False) -> None:
    """`note` with a name in colour before it, such as `error` or `hint`."""
    label = click.style(name, fg=colour, bold=bold)
    click.echo(f"{label}: {printable(text, keep=LINES)}", err=True)


def note_waiting(holder: str) -> None:
    """Say for whom a command waits that needs the cache for itself."""
    note(f"waiting until {holder} no longer uses the cache")


def width() -> int | None:
    """How many columns the terminal has that reports go to; None where that is none."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size  # noqa: PLC0415 - opens archives, too

    return get_terminal_size().columns


def table(rows: Sequence[Sequence[str]], *, indent: str = "") -> None:
    """Print rows in aligned columns; the last column is as long as it is."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append((indent + "  ".join([*cells, row[-1]])).rstrip())
    click.echo("\n".join(lines))  # at once: each call writes


def seconds(value: float) -> str:
    """A duration for people: `0.08 s`, `0.9 s`, `12.3 s`, `4 min 10 s`."""
    if value < 0.095:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def size(value: float) -> str:
    """A number of bytes for people, in powers of 1000: `412 bytes`, `3.4 GB`, `12 MB`."""
    if value < 1000:
        return f"{int(value)} bytes"
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if value < 999.95 or unit == "PB":
            break
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def plural(number: int, noun: str) -> str:
    """`1 stage`, `2 stages`, `2 indexes`."""
    ending = "" if number == 1 else "es" if noun.endswith("x") else "s"
    return f"{number:,} {noun}{ending}"
