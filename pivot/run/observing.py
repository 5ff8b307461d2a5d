"""Watching a stage while it runs, in its own process: see `Observer`."""

import time
from collections.abc import Collection

from pivot.definition.ownership import Ownership
from pivot.run.audit import AuditHook
from pivot.run.bounds import Bounds
from pivot.run.code_watch import CodeWatch
from pivot.run.file_watch import FileWatch
from pivot.run.folder_watch import FolderWatch
from pivot.run.gaps import Gaps
from pivot.run.import_watch import ImportWatch
from pivot.run.observation import Observation
from pivot.run.places import Places
from pivot.run.variable_watch import VariableWatch


class Observer:
    """Notes what runs, is opened and is asked for, from `start` to `stop`; one a process.

    All of it holds for all threads. What native code and other processes do is not seen. Nothing
    in the watches may raise: it would do so inside the user's code.
    """

    def __init__(self, project: str, own: Ownership, declared: Collection[str]) -> None:
        """`project`: its absolute path; `declared`: deps and outs, of which nothing is noted."""
        self._began_ns = time.time_ns()
        bounds = Bounds(project, own)
        places = Places(bounds, declared)
        self._gaps = Gaps()
        self._imports = ImportWatch(bounds, self._gaps)
        self._code = CodeWatch(bounds, self._imports, self._gaps)
        self._files = FileWatch(bounds, places, self._gaps)
        self._folders = FolderWatch(bounds, places, self._gaps)
        self._variables = VariableWatch(bounds, self._gaps)
        self._hook = AuditHook(
            places.handlers, self._files.handlers, self._folders.handlers, self._imports.handlers
        )

    def start(self) -> None:
        """Begin; what is put in place stays for the rest of the process."""
        self._hook.start()
        self._variables.start()
        self._code.start()

    def stop(self) -> Observation:
        """End, and say what was seen."""
        for watch in (self._code, self._hook, self._variables):
            watch.stop()
        return Observation(
            began_ns=self._began_ns,
            code=self._code.code,
            imported=self._code.imported,
            modules=self._imports.modules,
            packages=self._imports.packages,
            env=self._variables.names,
            reads=self._files.reads,
            writes=self._files.writes,
            listings=self._folders.listings,
            changes=self._folders.changes,
            processes=self._code.processes or self._hook.processes,
            unseen=self._gaps.found,
        )
