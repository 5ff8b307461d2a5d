"""Watching what definition code looks at while it loads, in the process that loads it.

No single instrument sees everything: an audit hook tells of files, listings, processes and
sockets; wrappers tell of `os.stat` and its like and of `os.environ`; see `chance` for clocks and
random generators. Reads by native code (pyarrow, polars) are not seen. Nothing is ever taken off
again, since the process ends after loading.

What was asked is answered for the record before the asking code gets its own answer: a change in
between makes the evidence too old, so definitions are loaded once more, and never too young.
"""

import os
import sys
import time
from collections.abc import Callable
from importlib.util import source_from_cache
from inspect import currentframe
from types import CodeType, FrameType

from pivot.definition import evidence as now
from pivot.definition.caller import own_caller
from pivot.definition.chance import watch_calls
from pivot.definition.environment import watch_environment
from pivot.definition.evidence import Evidence, Impurity
from pivot.definition.loaded import loaded_code
from pivot.definition.lookups import LookupFinder, own_sources
from pivot.definition.ownership import SHARED_MEMORY, Ownership, is_installed
from pivot.definition.processes import PROCESSES
from pivot.hashing import hash_fd

_MAX_IMPURITIES = 20
# A source that changed this shortly before loading began, or since, may not be what was loaded.
_RACY_NS = 10_000_000

_NETWORK = ("socket.", "urllib.", "http.client.", "ftplib.", "smtplib.", "imaplib.", "poplib.")
_UNCHECKABLE = PROCESSES + _NETWORK
_KERNEL = ("/dev/", "/proc/", "/sys/")
_LIMITS = "/sys/fs/cgroup/"

_IMPORTER = "<frozen importlib._bootstrap_external>"

# Modules whose functions ask `os.stat` for the kind of what is there, but for the named ones.
_KIND_ASKERS = ("genericpath", "posixpath")
_DETAIL_ASKERS = ("getsize", "getmtime", "getatime", "getctime")


class Recorder:
    """Collects evidence from `start` to `stop`; one a process.

    `project` is absolute and without links.
    """

    def __init__(self, project: str, own: Ownership) -> None:
        self._top = project.rstrip("/") + "/"
        self._own = own
        self._active = False
        self._started_ns = 0
        self._environment = dict(os.environ)
        self._variables: set[str] = set()
        self._enumerated = False
        self._files: dict[str, str | None] = {}
        self._listings: dict[str, str | None] = {}
        self._states: dict[str, str] = {}
        self._details: dict[str, str] = {}
        self._impurities: dict[tuple[str, int], Impurity] = {}
        self._ran: dict[str, list[CodeType]] = {}
        self._texts: set[str] = set()  # sources that were read as texts
        self._finder = LookupFinder()

    def start(self) -> None:
        self._started_ns = time.time_ns()
        sys.meta_path.insert(0, self._finder)
        sys.addaudithook(self._audit)
        for name in ("stat", "lstat", "readlink", "access"):
            self._wrap_question(name)
        watch_environment(self._variable_read, self._variables_listed)
        watch_calls(self._own.is_own, self._impure, self._begun)
        self._active = True

    def stop(self) -> None:
        self._active = False

    def read(self, path: str) -> None:
        """Count the file at an absolute path as read."""
        self._note(self._files, path, _file_id)

    def evidence(self) -> Evidence:
        """What was recorded; call it after `stop`."""
        for path in own_sources(self._own):
            self.read(path)
            if now.modified(path) >= self._started_ns - _RACY_NS:
                self._add_impurity("changed while it was loaded", path, 1)
        lookups = self._finder.in_folders(self._own)
        loaded = loaded_code(self._ran, self._texts, self._own)
        return Evidence(
            python=now.interpreter(),
            installed={p: now.modified(p) for p in sys.path if _holds_distributions(p)},
            files=self._files,
            listings=self._listings,
            states=self._states,
            details=self._details,
            environment={name: self._value_digest(name) for name in sorted(self._variables)},
            names=now.names_digest(self._environment) if self._enumerated else None,
            lookups={self._relative(folder): found for folder, found in lookups.items()},
            executed={self._relative(file): found for file, found in loaded.executed.items()},
            influence=loaded.influence,
            impurities=tuple(self._impurities.values())[:_MAX_IMPURITIES],
        )

    def _value_digest(self, name: str) -> str | None:
        value = self._environment.get(name)
        return None if value is None else now.value_digest(value)

    def _relative(self, path: str) -> str:
        if path + "/" == self._top:
            return "."
        return path.removeprefix(self._top)

    def _note[T](self, record: dict[str, T], path: str, answer: Callable[[str], T]) -> None:
        """Keep the first answer for a path, without counting the question as the project's."""
        key = self._relative(path)
        if key not in record:
            active, self._active = self._active, False
            record[key] = answer(path)
            self._active = active

    def _asker(self, frame: FrameType | None) -> FrameType | None:
        return own_caller(frame, self._own) if self._active else None

    def _impure(self, what: str, file: str, line: int) -> None:
        if self._active:
            self._add_impurity(what, file, line)

    def _begun(self, code: CodeType) -> None:
        self._ran.setdefault(code.co_filename, []).append(code)

    def _add_impurity(self, what: str, file: str, line: int) -> None:
        self._impurities.setdefault((file, line), Impurity(what, self._relative(file), line))

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if not self._active:
            return
        if event == "open":
            self._opened(currentframe(), *args)
        elif event in ("os.listdir", "os.scandir"):
            self._listed(args[0])
        elif event == "sqlite3.connect":
            self._opened(currentframe(), args[0], None, os.O_RDWR)
        elif event.startswith(_UNCHECKABLE):
            asker = self._asker(currentframe())
            if asker is not None:
                self._impure(event, asker.f_code.co_filename, asker.f_lineno)

    def _opened(self, hook: FrameType | None, path: object, _mode: object, flags: object) -> None:
        if not isinstance(path, (str, bytes)) or not isinstance(flags, int):
            return
        if flags & os.O_ACCMODE == os.O_WRONLY or flags & os.O_TRUNC:
            return
        file = _source_of(os.path.abspath(os.fsdecode(path)))
        if file.endswith(".py") and self._own.is_own(file):
            self.read(file)  # by an import, whoever's: it is the project's source
            if not _is_import(hook):
                self._texts.add(file)
            return
        asker = self._asker(currentframe())
        if asker is None or file == os.devnull:
            return
        if file.startswith(_LIMITS) and _is_installed(hook):
            return  # how many threads a library may start, as `os.cpu_count` would tell it
        if file.startswith(_KERNEL) and not file.startswith(SHARED_MEMORY):
            self._impure(f"open {file}", asker.f_code.co_filename, asker.f_lineno)
        else:
            self.read(file)

    def _listed(self, path: object) -> None:
        asker = self._asker(currentframe())
        if asker is None:
            return
        if isinstance(path, int):
            self._impure("list by descriptor", asker.f_code.co_filename, asker.f_lineno)
        else:
            folder = os.path.abspath(os.fsdecode(path) if isinstance(path, (str, bytes)) else ".")
            self._note(self._listings, folder, now.listing_digest)

    def _wrap_question(self, name: str) -> None:
        """Let a function of `os` that asks about a path say so."""
        original = getattr(os, name)

        def ask(path: object, *args: object, **kwargs: object) -> object:
            if self._active and kwargs.get("dir_fd") is None:
                self._asked(path, currentframe())
            return original(path, *args, **kwargs)

        setattr(os, name, ask)

    def _asked(self, path: object, wrapper: FrameType | None) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)) or self._asker(wrapper) is None:
            return
        place = os.path.abspath(os.fsdecode(path))
        self._note(self._states, place, now.path_state)
        if not _asks_kind_only(wrapper):
            self._note(self._details, place, now.path_detail)

    def _variable_read(self, name: str, _: str | None, frame: FrameType | None) -> None:
        if self._asker(frame) is not None:
            self._variables.add(name)

    def _variables_listed(self, frame: FrameType | None) -> None:
        if self._asker(frame) is not None:
            self._enumerated = True


def _asks_kind_only(wrapper: FrameType | None) -> bool:
    """Whether `os.stat` was called by `os.path.exists` or its like."""
    caller = None if wrapper is None else wrapper.f_back
    if caller is None or caller.f_globals.get("__name__") not in _KIND_ASKERS:
        return False
    return caller.f_code.co_name not in _DETAIL_ASKERS


def _is_import(hook: FrameType | None) -> bool:
    """Whether a file is opened by the import system, which called the hook with this frame."""
    frame = None if hook is None else hook.f_back
    is_importer = frame is not None and frame.f_code.co_filename == _IMPORTER
    while frame is not None and frame.f_code.co_name == "get_data":
        frame = frame.f_back
    # Loaders can be asked for sources as texts, too: `get_source`, `pkgutil.get_data`.
    return is_importer and frame is not None and frame.f_code.co_name == "get_code"


def _is_installed(hook: FrameType | None) -> bool:
    """Whether a file is opened by an installed library itself."""
    opener = None if hook is None else hook.f_back
    return opener is not None and is_installed(opener.f_code.co_filename)


def _source_of(path: str) -> str:
    """The source behind a file of cached bytecode; any other path as it is."""
    if path.endswith(".pyc"):
        try:
            return source_from_cache(path)
        except ValueError:
            pass
    return path


def _file_id(path: str) -> str | None:
    """The id of a file as hex; None where no regular file can be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return hash_fd(fd).hex()
    except OSError:
        return None
    finally:
        os.close(fd)


def _holds_distributions(entry: str) -> bool:
    return entry.rstrip("/").endswith(("site-packages", "dist-packages"))
