"""Putting a known run's outs in place instead of running the stage."""

from pivot.errors import MissingDataError
from pivot.lock.folder import write_lock
from pivot.lock.lock import Lock
from pivot.placing import place
from pivot.run.adopted import adopted
from pivot.run.edits import refuse_edited
from pivot.run.record import RunRecord
from pivot.run.vouching import vouch
from pivot.run.workbench import Workbench
from pivot.survey import StageSurvey


def restore(bench: Workbench, record: RunRecord, stage: StageSurvey, lock: Lock) -> bool:
    """Put the outs of `lock` in place, and write it as the stage's own, if locks are written.

    False if they can't be had after all, so that the stage has to run.
    """
    desk = bench.desk
    absent = {path: c for path, c in lock.outs.items() if not desk.store.holds(c)}
    if absent:
        try:
            bench.fetch(absent)
        except MissingDataError:
            return False
    looks = {path: desk.workspace.look(path) for path in lock.outs}
    refuse_edited(desk, stage, {path: look.content for path, look in looks.items()})
    for path, content in lock.outs.items():
        if not looks[path].shows(content):
            place(desk.workspace, desk.state, desk.store, path, content, look=looks[path])
    if not desk.records:
        return True
    own = adopted(desk, lock, stage.stage)
    if lock is stage.lock:
        # Believed because it is checked out: not for ever, as what our own runs wrote is.
        write_lock(desk.locks, own)
    else:
        vouch(desk, record, own)
    return True
