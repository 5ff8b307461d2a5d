"""What a returning stage left in buffers.

A stage's process ends by `os._exit`, so that threads and exit handlers can't hold up the run.
Unlike an interpreter's ordinary end this writes out no buffers, and a file that the stage forgot to
close would be cut short without a word. Hence they are written out here.
"""

import contextlib
import gc
import io
import os
import stat
import sys

_WRITERS = (io.BufferedWriter, io.BufferedRandom)


def flush_streams() -> None:
    """Write out what was printed. A log that can't take it doesn't change how the stage ended.

    The original streams, since what a stage put in their place may raise anything.
    """
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):  # ValueError: closed by the stage
                stream.flush()


def flush_files() -> None:
    """Write out every regular file that is still open for writing.

    Collecting garbage closes archives and compressors that only reference cycles keep alive. It
    may close a file beneath its buffer, so buffers are written out before; and what it closed may
    have written to other files, so they are again after it. Raises `OSError` if a file can't take
    its bytes, as on a full disk.
    """
    _flush_open_files()
    gc.collect()
    _flush_open_files()


def _flush_open_files() -> None:
    tracked = gc.get_objects()
    # By exact type: `isinstance` asks the object itself, and proxies answer by doing things.
    texts = [o for o in tracked if type(o) is io.TextIOWrapper]
    for writer in [*texts, *(o for o in tracked if type(o) in _WRITERS)]:
        if _is_open_file(writer):
            writer.flush()


def _is_open_file(writer: io.TextIOWrapper | io.BufferedWriter | io.BufferedRandom) -> bool:
    """Whether writing can't block, as it can to pipes and sockets."""
    try:
        return writer.writable() and stat.S_ISREG(os.fstat(writer.fileno()).st_mode)
    except (OSError, ValueError):  # closed, detached, or over something that is no file
        return False
