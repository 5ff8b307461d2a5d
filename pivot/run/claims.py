"""What a stage needs for itself while it runs: its name, and its mutex groups.

Claims are flocks in `.pivot/tmp`, so they hold between processes and end with them.
"""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from pivot.errors import LockedError
from pivot.files import lock_holder, locked
from pivot.paths import StageName

ALONE = "*"


@dataclass(frozen=True, slots=True)
class _Claim:
    path: str
    shared: bool


class Claims:
    """The claims of one run; `folder` is `.pivot/tmp`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._held: dict[StageName, contextlib.ExitStack] = {}

    def take(self, stage: StageName, mutex: Sequence[str]) -> str | None:
        """Claim a stage with its groups, or nothing of it and say who is in the way."""
        os.makedirs(self._folder, exist_ok=True)
        with contextlib.ExitStack() as stack:
            for claim in self._needed(stage, mutex):
                try:
                    stack.enter_context(
                        locked(claim.path, shared=claim.shared, wait=False, holder=f"stage {stage}")
                    )
                except LockedError:
                    return lock_holder(claim.path)
            self._held[stage] = stack.pop_all()
        return None

    def release(self, stage: StageName) -> None:
        """Let go of a stage's claims, if it has any."""
        stack = self._held.pop(stage, None)
        if stack is not None:
            stack.close()

    def _needed(self, stage: StageName, mutex: Sequence[str]) -> list[_Claim]:
        groups = sorted({group.strip().casefold() for group in mutex} - {ALONE})
        return [
            _Claim(self._path("alone", ""), shared=ALONE not in mutex),
            *(_Claim(self._path("mutex", group), shared=False) for group in groups),
            _Claim(self._path("stage", stage), shared=False),
        ]

    def _path(self, kind: str, name: str) -> str:
        digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
        return os.path.join(self._folder, f"{kind}-{digest}.flock")
