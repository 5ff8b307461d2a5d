"""A known run's lock, made the own lock of a stage that computes the same."""

from dataclasses import replace

from pivot.code.findings import Fingerprint
from pivot.definition.stage import Stage
from pivot.lock.lock import Lock


def adopted(lock: Lock, stage: Stage, now: Fingerprint) -> Lock:
    """The lock under the stage's own names; `now` is its code at this moment.

    What ran may have been written in another way. Where it is the same code, the way that it is
    written here is what others will find beside the lock.
    """
    sources = now.text if now.code == lock.declared.code else lock.sources
    return replace(
        lock, stage=stage.name, root=stage.symbol, secrets=stage.secrets, sources=sources
    )
