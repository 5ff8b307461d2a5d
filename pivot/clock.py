"""When a file's times tell that it is still what it was: the clock of a file system, in ticks.

Two changes within one tick of that clock leave the same times. A file that changed less than a
tick before it was read can't be told from one that changed after ("racily clean"): what was read
of it must not be remembered.
Source: https://git-scm.com/docs/racy-git
"""

import contextlib
import os
import time

from pivot.files import Stat, temporary_name

# Kernels tick at 100 to 1000 Hz.
TICK_NS = 12_000_000
# File systems that keep whole seconds only (FAT: every other one).
COARSE_TICK_NS = 2_012_000_000


class FileClock:
    """The clock by which the files below a folder get their times.

    That of a network file system is another machine's. It is read from a file that is made in
    `folder`, when it is first needed; where none can be made, it is taken for our own.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._offset: int | None = None

    def now(self) -> int:
        """Nanoseconds since the epoch: never later than what a file changed now would get."""
        if self._offset is None:
            self._offset = _offset(self._folder)
        return time.time_ns() + self._offset

    def is_racy(self, stat: Stat) -> bool:
        """Whether a file changed so recently that its next change may leave the same times.

        So is one whose status changed in the future: the clock was set, and will come by that time
        again. A modification time alone is anybody's to set, and may lie in the future.
        """
        now, tick = self.now(), _tick(stat)
        return now - stat.ctime_ns < tick or 0 <= now - stat.mtime_ns < tick

    def settle(self, stat: Stat) -> None:
        """Wait until a file that was just written is no longer racy: at most one tick."""
        now, tick = self.now(), _tick(stat)
        ages = (now - stat.ctime_ns, now - stat.mtime_ns)
        left = max((tick - age for age in ages if 0 <= age < tick), default=0)
        if left:
            time.sleep(left / 1e9)


def _tick(stat: Stat) -> int:
    """How long two changes can leave the same times, as far as these times tell."""
    is_whole = stat.mtime_ns % 1_000_000_000 == 0 and stat.ctime_ns % 1_000_000_000 == 0
    return COARSE_TICK_NS if is_whole else TICK_NS


def _offset(folder: str) -> int:
    """How far the clock of the file system is ahead of ours, in nanoseconds.

    Nothing within a tick behind, as it is where both are the same.
    """
    path = temporary_name(os.path.join(folder, "clock"))
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        offset = os.fstat(fd).st_ctime_ns - time.time_ns()
    finally:
        os.close(fd)
        with contextlib.suppress(OSError):
            os.unlink(path)
    return 0 if -TICK_NS < offset <= 0 else offset
