"""Stages that end in every way; imported only in the processes under test."""

import atexit
import ctypes
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


def returns():
    return {"a value": "that nobody reads"}


def raises():
    raise_deeper()


def raise_deeper():
    raise ValueError("no such column")


def raises_in_chain():
    try:
        raise_deeper()
    except ValueError as error:
        raise RuntimeError("cleaning failed") from error


def raises_group():
    raise ExceptionGroup("two", [ValueError("first"), TypeError("second")])


class UnspeakableError(Exception):
    def __str__(self):
        raise KeyError("broken")

    def __reduce__(self):
        raise TypeError("can't be pickled")


class OutsideException(BaseException):
    pass


def raises_unspeakable():
    raise UnspeakableError


def raises_base_exception():
    raise OutsideException("outside")


def raises_huge():
    raise ValueError("x" * 50_000_000)


def raises_surrogate():
    raise ValueError("\udcff")


def recurses():
    recurses()


def interrupts():
    raise KeyboardInterrupt


def exits(code):
    sys.exit(code)


def exits_hard(code):
    print("last words")
    os._exit(code)


def kills_itself(number):
    print("last words")
    os.kill(os.getpid(), number)


def reads_null_pointer():
    ctypes.string_at(0)


def forks_and_returns_twice():
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)


def forks_and_raises_in_child():
    if os.fork() == 0:
        raise ValueError("only in the child")
    os.wait()


def sleeps(seconds):
    time.sleep(seconds)


def sleeps_deaf(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(ready).touch()
    time.sleep(60)


def leaves_things_running(pids):
    """A thread that isn't a daemon, an exit handler, a deaf child process, a grandchild."""
    atexit.register(time.sleep, 60)
    threading.Thread(target=time.sleep, args=(60,)).start()
    deaf = "trap '' TERM; echo ready; while :; do sleep 1; done"
    child = subprocess.Popen(["sh", "-c", deaf], stdout=subprocess.PIPE)
    child.stdout.readline()
    shell = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE)
    Path(pids).write_text(json.dumps([child.pid, shell.pid, int(shell.stdout.readline())]))


def meets(mine, other):
    """Returns only if another stage runs at the same time."""
    Path(mine).touch()
    deadline = time.monotonic() + 20
    while not Path(other).exists():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)


def prints_every_way():
    print("from print")
    print("from stderr", file=sys.stderr)
    os.system("echo from os.system")  # noqa: S605
    subprocess.run(["echo", "from subprocess"], check=True)
    os.write(1, b"from descriptor 1\n")
    ctypes.CDLL(None).puts(b"from C")
    ctypes.CDLL(None).fflush(None)
    print("\N{SNOWMAN} \x1b[31mred\x1b[0m \udcff")
    print("without an end", end="")


def prints_much():
    for _ in range(10):
        sys.stdout.write("0123456789abcde\n" * (1 << 16))


def reads_input():
    assert sys.stdin.read() == ""


def double(x):
    return 2 * x


def uses_pool(method):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(double, range(4))) == [0, 2, 4, 6]


kept_open = []


def forgets_to_close(plain, cyclic):
    kept_open.append(open(plain, "w"))  # noqa: SIM115
    kept_open[0].write("all of it")
    cycle = [open(cyclic, "wb")]  # noqa: SIM115
    cycle.append(cycle)
    cycle[0].write(b"all of it")


def describes_itself(to):
    facts = {
        "cwd": os.getcwd(),
        "pid": os.getpid(),
        "parent": os.getppid(),
        "session": os.getsid(0),
        "path": sys.path,
        "argv": sys.argv,
        "main": vars(sys.modules["__main__"]).get("__file__"),
        "modules": sorted(sys.modules),
        "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "int": signal.getsignal(signal.SIGINT) == signal.default_int_handler,
        "open": sorted(int(fd) for fd in os.listdir("/dev/fd")),
    }
    Path(to).write_text(json.dumps(facts))


def draws(to):
    import numpy as np

    Path(to).write_text(f"{random.random()} {np.random.rand()}")


def imports_shadow(to):
    import numpy as np

    Path(to).write_text(np.__file__)
