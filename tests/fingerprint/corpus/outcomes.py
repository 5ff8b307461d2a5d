"""What a stage's function gives, called in a process of its own: run as a program.

Each line of standard input asks for one call (JSON: `root`, the working directory; `roots`,
absolute folders to import from; `module`; `function`), each line of standard output answers with
what it gave or raised. A call runs in a fork of this process, so none sees what another has
imported or changed, and what all of them need is imported only once.
"""

import dataclasses  # noqa: F401 - for what is forked
import decimal  # noqa: F401
import enum  # noqa: F401
import importlib
import importlib.resources
import json
import logging  # noqa: F401
import os
import signal
import sys
import typing  # noqa: F401
from collections.abc import Mapping, Sequence

import pydantic  # noqa: F401

import pivot

LIMIT_S = 20
_ = pivot.stage  # it loads what stages are declared with


def outcome(root: str, roots: Sequence[str], module: str, function: str) -> str:
    """What calling it gives, as text."""
    os.chdir(root)
    sys.path[:0] = roots
    sys.dont_write_bytecode = True
    try:
        value = getattr(importlib.import_module(module), function)()
    except BaseException as error:
        return f"raised {type(error).__name__}: {error}"
    return f"gave {value!r}"


def answer(request: Mapping[str, object]) -> str:
    """The outcome of one call, made in a fork; raises `RuntimeError` if it gave none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(LIMIT_S)
        os.dup2(2, 1)  # what the stage prints is none of the answer
        text = outcome(**request)  # type: ignore[arg-type]
        with open(writing, "w", encoding="utf-8", errors="backslashreplace") as f:
            f.write(text)
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as f:
        text = f.read()
    status = os.waitpid(child, 0)[1]
    if status != 0 or not text:
        raise RuntimeError(f"the call ended with status {status}")
    return text


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
