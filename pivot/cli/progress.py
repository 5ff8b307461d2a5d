"""A line that shows how far long work is: rewritten on a terminal, now and then elsewhere."""

import os
import sys
import time
from typing import Self

import click

from pivot.cli.terminal import size

_QUIET_S = 0.5
_TERMINAL_S = 0.1
_PIPE_S = 10.0


class Progress:
    """Call it with bytes done and in all, and maybe files; leaving its block clears the line.

    Where nobody knows yet how much there is, `total` is None.
    `PIVOT_NO_PROGRESS` in the environment keeps it silent.
    """

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._begun = self._shown = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._silent = bool(os.environ.get("PIVOT_NO_PROGRESS"))
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal and self._width:
            click.echo(f"\r{' ' * self._width}\r", nl=False, err=True)

    def begin(self) -> None:
        """Go by the time from now on: what came before was deciding."""
        self._begun = self._shown = time.monotonic()

    def __call__(self, done: int, total: int | None, files: tuple[int, int] | None = None) -> None:
        now = time.monotonic()
        interval = _TERMINAL_S if self._terminal else _PIPE_S
        if self._silent or now - self._begun < _QUIET_S or now - self._shown < interval:
            return
        self._shown = now
        rate = done / (now - self._begun)
        of, left = "", ""
        if total is not None:
            of = f" of {size(total)}"
            left = f", {int((total - done) / rate)} s left" if rate else ""
        counted = f", {files[0]:,} of {files[1]:,} files" if files else ""
        text = f"{self._verb} {size(done)}{of}{counted}, {size(rate)}/s{left}"
        self._width = max(self._width, len(text))
        if self._terminal:
            click.echo(f"\r{text.ljust(self._width)}", nl=False, err=True)
        else:
            click.echo(text, err=True)
