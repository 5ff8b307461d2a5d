"""Whether a process forked now would work: tried, instead of assumed."""

import os
import select
import signal
import sys
import warnings

PATIENCE_S = 5.0


def forking_works() -> bool:
    """Fork a child that uses what is loaded; False unless it ends well within five seconds.

    Threads that a library started when it was imported don't exist in a forked child, so its first
    parallel operation may wait for them for ever.
    """
    alive, held = os.pipe()
    try:
        pid = fork()
    except OSError:
        os.close(held)
        os.close(alive)
        return False
    if pid == 0:
        try:
            _exercise()
            os._exit(0)
        finally:
            os._exit(1)
    os.close(held)
    # The pipe's other end closes when the child exits, however it does.
    ended, _, _ = select.select([alive], [], [], PATIENCE_S)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    os.close(alive)
    _, status = os.waitpid(pid, 0)
    return status == 0


def fork() -> int:
    """`os.fork`, without the warning about threads: the canary answers for them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _exercise() -> None:
    """A parallel operation of each loaded library that has some."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        square = numpy.ones((256, 256))
        (square @ square).sum()
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        pandas.DataFrame({"a": [1, 1, 2], "b": [1.0, 2.0, 3.0]}).groupby("a").sum()
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.table({"a": [1, 2, 3], "b": [1.0, 2.0, 3.0]}).to_pydict()
