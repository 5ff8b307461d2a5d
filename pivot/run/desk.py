"""What a stage's result is vouched for with: the project's parts that take it and remember it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pivot.definition.stage import Stage
from pivot.history import History
from pivot.lock.observed import Observed
from pivot.state import State
from pivot.store.store import Store
from pivot.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Desk:
    """What whoever writes locks works with.

    Attributes:
        locks: absolute path of the folder of locks; `temporary` that of claims.
        code_now: the hashes of all of a stage's code as the sources are now.
        written_now: how that, with what was observed, is written (see `Lock.sources`).
        records: whether outs are stored and locks written.
    """

    workspace: Workspace
    state: State
    store: Store
    history: History
    locks: str
    temporary: str
    code_now: Callable[[Stage], Mapping[str, str]]
    written_now: Callable[[Stage, Observed], str]
    records: bool = True
