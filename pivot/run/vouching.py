"""A stage's own lock: written when its result is vouched for, and left where it must not go."""

from pivot.lock.folder import write_encoded
from pivot.lock.lock import Lock, NewerLockError
from pivot.outputs import OutKind
from pivot.run.desk import Desk
from pivot.run.record import RunRecord
from pivot.run.unrecorded import forget_unrecorded, keep_unrecorded
from pivot.survey import StageSurvey


def vouch(desk: Desk, record: RunRecord, lock: Lock) -> None:
    """Remember a lock as an action, and write it where the stage's lock stands.

    In this order: without its lock a result is restored, without its action it is run again. A
    result that isn't to be recorded is only noted.
    """
    if not desk.records:
        keep_unrecorded(desk.state, lock)
        return
    data = lock.encode()
    record.keep_lock(lock.stage, data)
    desk.history.add(lock, data)
    forget_unrecorded(desk.state, lock.stage)
    desk.state.commit()
    write_encoded(desk.locks, lock.stage, data)


def refuse_unreadable(stage: StageSurvey) -> None:
    """Raise for a lock that can't be read, and that something would be lost with.

    A newer Pivot's is not overwritten, and what an incremental out begins with is not guessed. Any
    other counts as none.
    """
    fault = stage.lock_fault
    grows = any(out.kind is OutKind.INCREMENTAL for out in stage.stage.outs)
    if fault is not None and (grows or isinstance(fault, NewerLockError)):
        raise fault
