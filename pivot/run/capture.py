"""A stage's output: where it goes, and reading the end of it."""

import contextlib
import io
import os
import sys

TAIL_BYTES = 256 << 10


def redirect(log: str) -> None:
    """Send this process's output to the file `log`, and give it an empty input.

    It happens below Python, to descriptors 0, 1 and 2, so C code, `os.system` and child processes
    are captured too. Appending keeps lines whole where several of them write at once. Raises
    `OSError` if `log` can't be opened.
    """
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for fd in (nothing, output):
        if fd > 2:
            os.close(fd)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What is printed must be in the log even if the next line of the stage is a crash.
            stream.reconfigure(line_buffering=True, errors="backslashreplace")


def tail(path: str, lines: int) -> str:
    """The last `lines` lines of a log, at most 256 KiB of them; "" where there is no log.

    Colours (ANSI escapes) are kept; bytes that are not UTF-8 are shown as U+FFFD.
    """
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as f:
        size = f.seek(0, os.SEEK_END)
        f.seek(max(0, size - TAIL_BYTES))
        kept = f.read(TAIL_BYTES).splitlines(keepends=True)[-lines:] if lines > 0 else []
        return b"".join(kept).decode(errors="replace")
    return ""


def bounded(text: str, limit: int) -> str:
    """`text`, or where it is longer than `limit` characters, its beginning and end."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
