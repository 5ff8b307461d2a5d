"""Noticing which environment variables are asked for."""

import os
from collections.abc import Callable, Iterator
from inspect import currentframe
from types import FrameType


def watch_environment(
    read: Callable[[str, str | None, FrameType | None], None],
    listed: Callable[[FrameType | None], None],
) -> None:
    """Report what is asked of `os.environ`, for the rest of this process.

    Every other way to ask, such as `os.getenv`, goes through it.

    Args:
        read: receives a variable's name, its value if it is set, and the frame that reads it.
        listed: receives the frame in which all names are gone through.
    """
    kind = type(os.environ)
    item, names = kind.__getitem__, kind.__iter__

    def get_item(environ: "os._Environ[str]", key: str) -> str:
        try:
            value = item(environ, key)
        except KeyError:
            read(os.fsdecode(key), None, _caller(currentframe()))
            raise
        read(os.fsdecode(key), os.fsdecode(value), _caller(currentframe()))
        return value

    def iterate(environ: "os._Environ[str]") -> Iterator[str]:
        listed(_caller(currentframe()))
        return names(environ)

    for name, wrapper in (("__getitem__", get_item), ("__iter__", iterate)):
        setattr(kind, name, wrapper)


def _caller(wrapper: FrameType | None) -> FrameType | None:
    return None if wrapper is None else wrapper.f_back
