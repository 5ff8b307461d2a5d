"""Which code is the project's own, as opposed to the standard library's and installed packages'."""

import os
import sys
import sysconfig
from dataclasses import dataclass, field
from typing import Final

import pivot

# Not told by prefixes: a project may lie below `sys.prefix` (as /usr/src/app does in containers),
# and a virtual environment may lie in the project.
SHARED_MEMORY: Final = "/dev/shm/"  # noqa: S108 - a tmpfs that people do keep projects on
_INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class Ownership:
    """Tells own files from foreign ones; answers are remembered, since stacks ask often.

    Own are all files but those of the standard library, of installed distributions, and of Pivot
    itself. Local code outside of the project (an editable install, `PYTHONPATH`) is own, too.
    """

    foreign: tuple[str, ...]
    known: dict[str, bool] = field(default_factory=dict)

    def is_own(self, file: str) -> bool:
        """Whether `file`, an absolute path or a code object's file name, is the project's."""
        answer = self.known.get(file)
        if answer is None:
            answer = self.known[file] = self._decide(file)
        return answer

    def _decide(self, file: str) -> bool:
        if not file.startswith("/"):
            return False  # <frozen importlib._bootstrap>, <string>
        if is_installed(file):
            return False
        if file.startswith("/dev/") and not file.startswith(SHARED_MEMORY):
            return False
        return not file.startswith(self.foreign)


def is_installed(file: str) -> bool:
    """Whether `file` belongs to an installed distribution."""
    return any(f"/{folder}/" in file for folder in _INSTALLED)


def ownership() -> Ownership:
    """For this interpreter."""
    library = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    library += [os.path.realpath(path) for path in library]
    if sys.prefix != sys.base_prefix:
        library.append(sys.prefix)  # a virtual environment holds no sources of the project
    home = os.path.dirname(os.path.abspath(pivot.__file__))
    folders = [*library, home, "/proc", "/sys"]
    return Ownership(tuple(sorted({folder.rstrip("/") + "/" for folder in folders})))
