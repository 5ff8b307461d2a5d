"""Which stage may start next: a state machine without I/O."""

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pivot.graph import Graph
from pivot.paths import StageName
from pivot.run.events import Status

_GOOD = frozenset({Status.RAN, Status.UNCHANGED, Status.RESTORED})


@dataclass(frozen=True, slots=True)
class Ended:
    """A stage that will not start any more, and why."""

    stage: StageName
    status: Status
    because: StageName | None = None


class Schedule:
    """Hands out stages whose upstream is done, and knows what a failure costs.

    After a failure nothing new starts, or, with `keep_going`, nothing that depends on it.
    """

    def __init__(self, graph: Graph, selected: Iterable[StageName], *, keep_going: bool) -> None:
        self._order = {name: number for number, name in enumerate(selected)}
        self._upstream: Mapping[StageName, tuple[StageName, ...]] = {
            name: tuple(up for up in graph.upstream(name) if up in self._order)
            for name in self._order
        }
        self._downstream: dict[StageName, list[StageName]] = {name: [] for name in self._order}
        for name, ups in self._upstream.items():
            for up in ups:
                self._downstream[up].append(name)
        self._unmet = {name: len(ups) for name, ups in self._upstream.items()}
        # In the graph's order: it is asked for at each step of a run, and may hold all stages.
        self._startable = [name for name, number in self._unmet.items() if number == 0]
        self._keep_going = keep_going
        self._status: dict[StageName, Status] = {}
        self._running: set[StageName] = set()
        self._stopped = False

    @property
    def running(self) -> frozenset[StageName]:
        return frozenset(self._running)

    @property
    def is_done(self) -> bool:
        """Whether nothing runs and nothing can start."""
        return not self._running and (self._stopped or not self._startable)

    @property
    def statuses(self) -> Mapping[StageName, Status]:
        return self._status

    def ready(self) -> tuple[StageName, ...]:
        """The stages that may start now, in the graph's order."""
        if self._stopped:
            return ()
        return tuple(self._startable)

    def start(self, name: StageName) -> None:
        self._take(name)
        self._running.add(name)

    def stop(self) -> None:
        """Start nothing any more."""
        self._stopped = True

    def finish(self, name: StageName, status: Status) -> tuple[Ended, ...]:
        """Note a stage's end; returns the stages that are blocked by it."""
        self._take(name)
        self._running.discard(name)
        self._status[name] = status
        if status in _GOOD:
            self._release(name)
            return ()
        if not self._keep_going:
            self._stopped = True
        blocked = []
        for other in self._order:
            bad = next((u for u in self._upstream[other] if self._is_bad(u)), None)
            if bad is not None and other not in self._status:
                self._status[other] = Status.BLOCKED
                blocked.append(Ended(other, Status.BLOCKED, bad))
        return tuple(blocked)

    def _release(self, name: StageName) -> None:
        for down in self._downstream[name]:
            self._unmet[down] -= 1
            if self._unmet[down] == 0:
                bisect.insort(self._startable, down, key=self._order.__getitem__)

    def _take(self, name: StageName) -> None:
        """Startable no more, if it was."""
        place = bisect.bisect_left(self._startable, self._order[name], key=self._order.__getitem__)
        if place < len(self._startable) and self._startable[place] == name:
            del self._startable[place]

    def leave(self) -> tuple[Ended, ...]:
        """The stages without an end, once nothing runs any more: never started, or cut off."""
        left = {
            name: Status.CANCELLED if name in self._running else Status.NOT_STARTED
            for name in self._order
            if name not in self._status
        }
        self._status.update(left)
        return tuple(Ended(name, status) for name, status in left.items())

    def _is_bad(self, name: StageName) -> bool:
        status = self._status.get(name)
        return status is not None and status not in _GOOD
