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


@dataclass(frozen=True, slots=True)
class Busy:
    """Who has what a stage needs; `own`: another stage of the same run."""

    holder: str
    own: bool


class Claims:
    """The claims of one run; `folder` is `.pivot/tmp`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._held: dict[StageName, contextlib.ExitStack] = {}
        self._paths: dict[StageName, frozenset[str]] = {}

    def take(self, stage: StageName, mutex: Sequence[str]) -> Busy | None:
        """Claim a stage with its groups, or nothing of it and say who is in the way."""
        os.makedirs(self._folder, exist_ok=True)
        needed = self._needed(stage, mutex)
        with contextlib.ExitStack() as stack:
            for claim in needed:
                try:
                    stack.enter_context(
                        locked(claim.path, shared=claim.shared, wait=False, holder=f"stage {stage}")
                    )
                except LockedError:
                    return self._busy(claim.path)
            self._held[stage] = stack.pop_all()
        self._paths[stage] = frozenset(claim.path for claim in needed)
        return None

    def release(self, stage: StageName) -> None:
        """Let go of a stage's claims, if it has any."""
        stack = self._held.pop(stage, None)
        self._paths.pop(stage, None)
        if stack is not None:
            stack.close()

    def _busy(self, path: str) -> Busy:
        own = next((stage for stage, paths in self._paths.items() if path in paths), None)
        return Busy(lock_holder(path) if own is None else f"stage {own}", own is not None)

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
