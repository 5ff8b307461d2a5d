"""What runs left in the workspace that were not to be recorded: `pivot repro --no-record`.

Their locks stand in the accelerator alone. So the next run may replace what such a run made, and
`pivot record` can say what was seen of it.
"""

import contextlib

from pivot.lock.lock import Lock, UnreadableLockError, decode
from pivot.paths import StageName
from pivot.state import State

_NONE = b""


def unrecorded_lock(state: State, stage: StageName) -> Lock | None:
    """The lock of a stage's last run, if that was not to be recorded."""
    data = state.document(_document(stage))
    if data:
        with contextlib.suppress(UnreadableLockError):
            return decode(data, f"the accelerator's lock of {stage}")
    return None


def keep_unrecorded(state: State, lock: Lock) -> None:
    """Note what a run made, and that it stands in the workspace alone."""
    state.record_document(_document(lock.stage), lock.encode())
    state.commit()


def forget_unrecorded(state: State, stage: StageName) -> None:
    """Note that a stage's results are recorded."""
    if state.document(_document(stage)):
        state.record_document(_document(stage), _NONE)


def _document(stage: StageName) -> str:
    return f"unrecorded:{stage}"
