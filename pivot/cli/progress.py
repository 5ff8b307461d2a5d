"""A line that shows how far long work is: a bar on a terminal, a line now and then elsewhere."""

import os
import shutil
import sys
import threading
import time
from typing import Self

import click

from pivot.cli.terminal import size

_QUIET_S = 0.5
_TERMINAL_S = 0.1
_PIPE_S = 10.0
_BAR = 24
_LEAST_BAR = 8


class Progress:
    """Call it with bytes done and in all, and maybe files; leaving its block clears the line.

    Where nobody knows yet how much there is, `total` is None. It may be called from any thread.
    `PIVOT_NO_PROGRESS` in the environment keeps it silent.
    """

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._begun = self._shown = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._silent = bool(os.environ.get("PIVOT_NO_PROGRESS"))
        self._width = 0
        self._lock = threading.Lock()
        self._waiting: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        self._end_phase()
        with self._lock:
            if self._terminal and self._width:
                click.echo(f"\r{' ' * self._width}\r", nl=False, err=True)
                self._width = 0

    def begin(self) -> None:
        """Go by the time from now on: what came before was deciding."""
        self._begun = self._shown = time.monotonic()

    def phase(self, doing: str) -> None:
        """Say what is done while nothing can be counted, if that takes long: `listing storage`."""
        self._end_phase()
        if self._silent:
            return
        wait = _QUIET_S if self._terminal else _PIPE_S
        self._waiting = threading.Timer(wait, self._write, (f"{doing} ...",))
        self._waiting.daemon = True
        self._waiting.start()

    def _end_phase(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting.join()  # a process that is forked later must have no other thread
            self._waiting = None

    def __call__(self, done: int, total: int | None, files: tuple[int, int] | None = None) -> None:
        if self._waiting is not None:
            self._end_phase()
            self.begin()
        now = time.monotonic()
        interval = _TERMINAL_S if self._terminal else _PIPE_S
        if self._silent or now - self._begun < _QUIET_S or now - self._shown < interval:
            return
        self._shown = now
        rate = done / (now - self._begun)
        if self._terminal and total:
            self._write(self._bar(done, total, files, rate))
        else:
            self._write(self._line(done, total, files, rate))

    def _line(
        self, done: int, total: int | None, files: tuple[int, int] | None, rate: float
    ) -> str:
        of, left = "", ""
        if total is not None:
            of = f" of {size(total)}"
            left = f", {_left((total - done) / rate)} left" if rate else ""
        counted = f", {files[0]:,} of {files[1]:,} files" if files else ""
        return f"{self._verb} {size(done)}{of}{counted}, {size(rate)}/s{left}"

    def _bar(self, done: int, total: int, files: tuple[int, int] | None, rate: float) -> str:
        """The line with a bar; as wide at the end as at the beginning, and no wider than fits."""
        part = min(1.0, done / total)
        of = f"{_fixed(done)} of {size(total)}"
        if files:
            of += f", {files[0]:>{len(f'{files[1]:,}')},} of {files[1]:,} files"
        left = f"{_left((total - done) / rate) if rate else '-':>11} left"
        text = f"{of} {_fixed(rate)}/s {left}"
        head = f"{self._verb} {int(100 * part):3}%"
        columns = shutil.get_terminal_size().columns - 1
        room = min(_BAR, columns - len(head) - len(text) - len(" [] "))
        if room < _LEAST_BAR:
            return f"{head} {text}"[:columns]
        return f"{head} [{('#' * int(part * room)).ljust(room, '-')}] {text}"

    def _write(self, text: str) -> None:
        with self._lock:
            if self._terminal:
                self._width = max(self._width, len(text))
                click.echo(f"\r{text.ljust(self._width)}", nl=False, err=True)
            else:
                click.echo(text, err=True)


def _fixed(value: float) -> str:
    """A size in the room that the longest takes, so that the line doesn't jump."""
    return f"{size(value):>9}"


def _left(seconds: float) -> str:
    """A time to come, as exact as anybody can tell: `8 s`, `12 min`, `3 h 5 min`."""
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole // 60 % 60} min"
