"""A known run's lock, made the own lock of a stage that computes the same."""

from dataclasses import replace

from pivot.definition.stage import Stage
from pivot.lock.lock import Lock
from pivot.run.desk import Desk


def adopted(desk: Desk, lock: Lock, stage: Stage) -> Lock:
    """The lock under the stage's own names.

    What ran may have been written in another way. Where it is the same code, the way that it is
    written here is what others will find beside the lock.
    """
    is_same = desk.code_now(stage) == lock.declared.code
    return replace(
        lock,
        stage=stage.name,
        root=stage.symbol,
        secrets=stage.secrets,
        extra=stage.extra,
        sources=desk.written_now(stage, lock.observed) if is_same else lock.sources,
    )
