"""Writing a lock that was re-keyed: it holds, and its file is of an older scheme."""

from pivot.lock.folder import read_lock, write_lock
from pivot.lock.lock import Lock, UnreadableLockError
from pivot.run.desk import Desk
from pivot.run.record import RunRecord
from pivot.survey import StageSurvey


def write_rekeyed(desk: Desk, record: RunRecord, stage: StageSurvey) -> bool:
    """Write a stage's lock under our scheme; false if its file isn't what was surveyed any more.

    Believed for ever is only what was before: a lock that this clone's own run wrote.
    """
    lock, written = stage.lock, stage.written
    if lock is None or written is None or _read(desk, stage) != written:
        return False
    if desk.history.has(written):
        data = lock.encode()
        record.keep_lock(lock.stage, data)
        desk.history.add(lock, data)
        desk.state.commit()
    write_lock(desk.locks, lock)
    return True


def _read(desk: Desk, stage: StageSurvey) -> Lock | None:
    try:
        return read_lock(desk.locks, stage.stage.name)
    except UnreadableLockError:
        return None
