"""Noticing that code asks a clock or a random generator, whose answers can't be checked later.

`sys.monitoring` reports the calls made by code that it was asked to watch, and costs other code
nothing. https://docs.python.org/3/library/sys.monitoring.html
"""

import datetime as dt
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType

from pivot.definition.monitoring import free_tool

_CLOCKS = frozenset(
    {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
    | {"process_time", "process_time_ns", "thread_time", "thread_time_ns", "clock_gettime"}
    | {"localtime", "gmtime", "ctime", "asctime", "strftime"}
)
_FUNCTIONS = {
    "time": _CLOCKS,
    "posix": frozenset({"urandom", "getrandom", "getpid", "getppid", "times"}),
    "uuid": frozenset({"uuid1", "uuid4", "uuid6", "uuid7", "getnode"}),
    "secrets": frozenset(
        {"token_bytes", "token_hex", "token_urlsafe", "choice", "randbelow", "randbits"}
    ),
}
_NOW = frozenset({"now", "utcnow", "today"})
_SEEDED = frozenset({"seed", "setstate"})
_FUNCTION_TYPES = (BuiltinFunctionType, FunctionType, MethodType)
_CYTHON = "cython_function_or_method"  # each extension module has a type of this name


def chance_in(called: object, *, bare: bool) -> str | None:
    """What a call of `called` makes unpredictable, as `module.function`; None if nothing.

    `bare` says that the call has no argument, as `Random()` has none when nothing seeds it.
    """
    if isinstance(called, type):
        unseeded = called.__name__ == "Random" and bare
        return f"random.{called.__name__}" if unseeded or _is_system(called) else None
    if not isinstance(called, _FUNCTION_TYPES) and type(called).__name__ != _CYTHON:
        return None
    name = str(getattr(called, "__name__", ""))
    owner = getattr(called, "__self__", None)
    if isinstance(owner, type):
        clock = issubclass(owner, dt.date) and name in _NOW
        return f"{owner.__name__}.{name}" if clock else None
    module = str(getattr(called, "__module__", ""))
    if name in _FUNCTIONS.get(module, ()):
        return f"{'os' if module == 'posix' else module}.{name}"
    if name == "default_rng" and bare:
        return "numpy.random.default_rng"
    return _shared_generator(owner, name)


def _is_system(kind: type) -> bool:
    return kind.__name__ == "SystemRandom" and kind.__module__ == "random"


def _shared_generator(owner: object, name: str) -> str | None:
    """A method of the generator behind the functions of `random` or `numpy.random`."""
    if name in _SEEDED:
        return None
    random = sys.modules.get("random")
    if random is not None and owner is getattr(random.random, "__self__", None):
        return f"random.{name}"
    if type(owner).__name__ == "RandomState":
        return f"numpy.random.{name}"
    return None


def watch_calls(
    is_watched: Callable[[str], bool],
    report: Callable[[str, str, int], None],
    ran: Callable[[CodeType], None],
) -> None:
    """Report what code of watched files runs, and unpredictable calls that it makes, from now on.

    Args:
        is_watched: whether the code of a file, given by name, is watched.
        report: receives what was called, the caller's file and its line.
        ran: receives each code object when it starts for the first time.
    """
    monitoring = sys.monitoring
    events = monitoring.events
    tool = free_tool()
    if tool is None:
        return

    def started(code: CodeType, _offset: int) -> object:
        if is_watched(code.co_filename):
            ran(code)
            monitoring.set_local_events(tool, code, events.CALL)
        return monitoring.DISABLE

    def calling(code: CodeType, offset: int, called: object, first: object) -> None:
        what = chance_in(called, bare=first is monitoring.MISSING)
        if what is not None:
            report(what, code.co_filename, line_at(code, offset))

    monitoring.use_tool_id(tool, "pivot definitions")
    monitoring.register_callback(tool, events.PY_START, started)
    monitoring.register_callback(tool, events.CALL, calling)
    monitoring.set_events(tool, events.PY_START)


def line_at(code: CodeType, offset: int) -> int:
    """The line that the instruction at `offset` belongs to."""
    for start, end, line in code.co_lines():
        if start <= offset < end and line is not None:
            return line
    return code.co_firstlineno
