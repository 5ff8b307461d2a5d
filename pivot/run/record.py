"""Run records: what one invocation did, in `.pivot/runs/<run>/`.

record.json          when, which stages, how each ended
logs/<stage>.log     the stage's output
locks/<stage>.lock   the locks that it wrote: the actions that this clone believes
"""

import contextlib
import json
import os
import time
from dataclasses import dataclass
from typing import Self

from pivot.files import write_atomic
from pivot.hashing import Json
from pivot.history import mark_own
from pivot.lock.folder import lock_path
from pivot.paths import StageName
from pivot.run.events import StageFinished
from pivot.run.unchanged import fresh_run_id


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The record of one run; `folder` is made when there is something to write."""

    run_id: str
    folder: str
    started: float

    @classmethod
    def fresh(cls, runs: str) -> Self:
        """A record below the folder `runs`, named by the time (UTC) and chance."""
        run_id = fresh_run_id()
        return cls(run_id, os.path.join(runs, run_id), time.time())

    def log(self, stage: StageName) -> str:
        """Where a stage's output goes; its folder is made."""
        return self._place("logs", f"{stage}.log")

    def _place(self, kind: str, name: str) -> str:
        """A file of the record, its folder made."""
        if not os.path.isdir(self.folder):
            os.makedirs(self.folder)
            mark_own(self.folder)
        path = os.path.join(self.folder, kind, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def keep_lock(self, stage: StageName, data: bytes) -> None:
        """Keep a lock that this run wrote."""
        write_atomic(self._place("locks", lock_path(stage)), data, sync=False)

    def close(self, finished: list[StageFinished], exit_code: int) -> None:
        """Write the record, if anything of the run was kept; no room for it is no failure."""
        if not os.path.isdir(self.folder):
            return
        value: dict[str, Json] = {
            "run_id": self.run_id,
            "started": self.started,
            "ended": time.time(),
            "exit_code": exit_code,
            "stages": [event.to_json() for event in finished],
        }
        data = json.dumps(value, indent=2) + "\n"
        with contextlib.suppress(OSError):
            write_atomic(os.path.join(self.folder, "record.json"), data.encode(), sync=False)
