"""Watching which environment variables the project's code asks for: see `VariableWatch`."""

import os
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Final

from pivot.definition.environment import watch_environment
from pivot.run.bounds import Bounds
from pivot.run.gaps import Gaps

_MAX_NAMES: Final = 500
# Where the standard library stands between `os.environ` and whoever asked.
_BETWEEN: Final = frozenset(f.__code__.co_filename for f in (os.getenv, Mapping.get))


class VariableWatch:
    """Notes variables that own code reads and had not set itself; `os.environ` is wrapped."""

    def __init__(self, bounds: Bounds, gaps: Gaps) -> None:
        self._bounds = bounds
        self._gaps = gaps
        self._active = False
        self._environment = dict(os.environ)
        self._names: set[str] = set()
        self._listing: tuple[int, CodeType, int] | None = None

    def start(self) -> None:
        """Begin; what is put in place stays for the rest of the process."""
        self._active = True
        watch_environment(self._variable_read, self._variables_listed)

    def stop(self) -> None:
        self._active = False

    @property
    def names(self) -> tuple[str, ...]:
        """See `Observation.env`."""
        return tuple(sorted(self._names))

    def _variable_read(self, name: str, value: str | None, frame: FrameType | None) -> None:
        """Note a variable that own code itself reads, unless it goes through all of them."""
        if not self._active or name in self._names:
            return
        asker = self._asker(frame)
        if asker is None or self._listing == _spot(asker):
            return
        if value != self._environment.get(name):
            return  # the stage's own setting
        if len(self._names) >= _MAX_NAMES:
            self._gaps.note(f"more than {_MAX_NAMES} variables were read")
            return
        self._names.add(name)

    def _variables_listed(self, frame: FrameType | None) -> None:
        """Remember where all variables are gone through, as in `dict(os.environ)`."""
        asker = self._asker(frame) if self._active else None
        if asker is not None:
            self._listing = _spot(asker)

    def _asker(self, frame: FrameType | None) -> FrameType | None:
        """The frame of own code that asks, not through a library; None if it isn't own code."""
        while frame is not None and frame.f_code.co_filename in _BETWEEN:
            frame = frame.f_back
        if frame is None or self._bounds.source(frame.f_code.co_filename) is None:
            return None
        return frame


def _spot(frame: FrameType) -> tuple[int, CodeType, int]:
    """Where a frame stands, without keeping it and all that its variables hold."""
    return id(frame), frame.f_code, frame.f_lasti
