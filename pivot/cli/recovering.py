"""Putting back what a run that died had moved aside, before anything looks at outs."""

import os
import signal
from importlib import import_module
from types import FrameType

from pivot.cli.terminal import note
from pivot.project.project import Project


def recover_first(project: Project) -> None:
    """Put back the outs of runs that died, and say which."""
    if os.path.isdir(project.layout.aside) and os.listdir(project.layout.aside):
        # Imported only where something was left: a run with nothing to do doesn't pay for it.
        for path in import_module("pivot.run.aside").recover(project.root):
            note(f"{path} was put back: the run that was to write it did not end")


def end_like_ctrl_c() -> None:
    """Let SIGTERM, as batch systems and containers send it, end a run as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
