"""Writing a lock that was re-keyed: it holds, and its file is of an older scheme."""

from pivot.lock.folder import read_lock, write_lock
from pivot.lock.lock import Lock, UnreadableLockError
from pivot.run.record import RunRecord
from pivot.run.workbench import Workbench
from pivot.survey import StageSurvey


def write_rekeyed(bench: Workbench, record: RunRecord, stage: StageSurvey) -> bool:
    """Write a stage's lock under our scheme; false if its file isn't what was surveyed any more.

    Believed for ever is only what was before: a lock that this clone's own run wrote.
    """
    lock, written = stage.lock, stage.written
    if lock is None or written is None or _read(bench, stage) != written:
        return False
    if bench.history.has(written):
        data = lock.encode()
        record.keep_lock(lock.stage, data)
        bench.history.add(lock, data)
        bench.state.commit()
    write_lock(bench.locks, lock)
    return True


def _read(bench: Workbench, stage: StageSurvey) -> Lock | None:
    try:
        return read_lock(bench.locks, stage.stage.name)
    except UnreadableLockError:
        return None
