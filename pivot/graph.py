"""From stages to a graph: which stage makes what another one reads. Pure.

A dep leads to the stage whose out it is, lies in, or contains.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pivot.definition.extra import fixed_part, is_pattern, matcher, paths_of
from pivot.definition.stage import Stage
from pivot.errors import DefinitionError, UsageError, nearest
from pivot.paths import RepoPath, StageName


class Producer(NamedTuple):
    """An out that a dep overlaps, and the stage that writes it."""

    stage: StageName
    out: RepoPath


class Graph(NamedTuple):
    """Stages in an order in which each comes after all that it reads from.

    Attributes:
        stages: by name, in that order; ties are broken by name.
        producers: for each stage, for each of its deps, the outs of other stages it overlaps.
    """

    stages: Mapping[StageName, Stage]
    producers: Mapping[StageName, Mapping[RepoPath, tuple[Producer, ...]]]

    def upstream(self, name: StageName) -> tuple[StageName, ...]:
        """The stages whose outs a stage reads, sorted."""
        found = {p.stage for producers in self.producers[name].values() for p in producers}
        return tuple(sorted(found))

    def select(self, names: Sequence[str], *, upstream: bool = True) -> tuple[StageName, ...]:
        """The named stages (all without names), with what they need upstream, in order.

        Raises `UsageError` for a name that is no stage, with the nearest one.
        """
        if not names:
            return tuple(self.stages)
        wanted: set[StageName] = set()
        pending = [self._known(name) for name in names]
        while pending:
            name = pending.pop()
            if name not in wanted:
                wanted.add(name)
                pending.extend(self.upstream(name) if upstream else ())
        return tuple(name for name in self.stages if name in wanted)

    def _known(self, name: str) -> StageName:
        for stage in self.stages:
            if stage == name:
                return stage
        raise UsageError(
            f"there is no stage {name!r}",
            hint=f"Did you mean {str(near)!r}? `pivot list` shows all"
            if (near := nearest(name, self.stages))
            else "`pivot list` shows the stages",
        )


def build(stages: Iterable[Stage], tracked: Iterable[RepoPath] = ()) -> Graph:
    """The graph of these stages, in a project that tracks these paths.

    Raises `DefinitionError` when an out overlaps another one or what is tracked, or when stages
    depend on each other in a circle.
    """
    by_name = {stage.name: stage for stage in sorted(stages, key=lambda stage: stage.name)}
    outs = _Outs(by_name.values())
    for path in tracked:
        outs.refuse_tracked(path)
    for stage in by_name.values():
        outs.refuse_code(stage)
    producers = {
        name: {dep: tuple(outs.overlapping(dep)) for dep in stage.deps}
        for name, stage in by_name.items()
    }
    order = _order(
        {name: {p.stage for ps in deps.values() for p in ps} for name, deps in producers.items()}
    )
    return Graph({name: by_name[name] for name in order}, producers)


class _Outs:
    """All outs, found by themselves, by what lies in them, and by what contains them."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._owner: dict[RepoPath, Stage] = {}
        self._below: dict[RepoPath, list[RepoPath]] = {}
        self._above: dict[RepoPath, tuple[RepoPath, ...]] = {}
        for stage in stages:
            for out in stage.outs:
                self._add(out.path, stage)

    def _add(self, out: RepoPath, stage: Stage) -> None:
        parents = self._parents(out)
        other = next((p for p in (out, *parents) if p in self._owner), None)
        if other is None and out in self._below:
            other = self._below[out][0]
        if other is not None:
            raise _overlap(stage, out, self._owner[other], other)
        self._owner[out] = stage
        for parent in parents:
            self._below.setdefault(parent, []).append(out)

    def refuse_tracked(self, path: RepoPath) -> None:
        """Raise `DefinitionError` if an out overlaps this tracked path."""
        producer = next(self.overlapping(path), None)
        if producer is not None:
            raise _overlaps_tracked(self._owner[producer.out], producer.out, path)

    def refuse_code(self, stage: Stage) -> None:
        """Raise `DefinitionError` if `extra_code` names what a stage writes."""
        for path in paths_of(stage.extra):
            place = RepoPath(fixed_part(path))
            meant = matcher(path) if is_pattern(path) else place.contains
            written = (p.out for p in self.overlapping(place))
            out = next((o for o in written if o.contains(place) or meant(o)), None)
            if out is not None:
                raise _is_written(stage, path, self._owner[out], out)

    def overlapping(self, dep: RepoPath) -> Iterator[Producer]:
        above = (p for p in (dep, *self._parents(dep)) if p in self._owner)
        for out in (*above, *self._below.get(dep, ())):
            yield Producer(self._owner[out].name, out)

    def _parents(self, path: RepoPath) -> tuple[RepoPath, ...]:
        """The folders that a path lies in, the nearest first; most paths share theirs."""
        if path == RepoPath.ROOT:
            return ()
        found = self._above.get(path.parent)
        if found is None:
            above = [path.parent]
            while above[-1] != RepoPath.ROOT:
                above.append(above[-1].parent)
            found = self._above[above[0]] = tuple(above)
        return found


def _overlap(stage: Stage, out: RepoPath, other: Stage, other_out: RepoPath) -> DefinitionError:
    if out == other_out:
        what = f"{out} is an out of both {_place(other)} and {_place(stage)}"
    else:
        what = f"out {out} of {_place(stage)} overlaps out {other_out} of {_place(other)}"
    return DefinitionError(
        what,
        why="only one stage can say what a path holds",
        hint="Give each out a path of its own, then run `pivot list`",
    )


def _overlaps_tracked(stage: Stage, out: RepoPath, path: RepoPath) -> DefinitionError:
    return DefinitionError(
        f"{out} is an out of {_place(stage)}, and tracked as {path}.pvt says"
        if out == path
        else f"out {out} of {_place(stage)} overlaps {path}, which is tracked",
        why="only one record can say what a path holds",
        hint=f"Give the out another path, or run `pivot untrack {path}`",
    )


def _is_written(stage: Stage, path: str, owner: Stage, out: RepoPath) -> DefinitionError:
    return DefinitionError(
        f"extra_code of {_place(stage)} names {path}, and {out} is an out of {_place(owner)}",
        why="what a stage writes is data, and is there only once it ran",
        hint=f'Name it in `deps=["{out}"]` instead',
    )


def _place(stage: Stage) -> str:
    return f"{stage.name} ({stage.file}:{stage.line})"


def _order(upstream: Mapping[StageName, set[StageName]]) -> list[StageName]:
    """A topological order, depth first by name. Raises `DefinitionError` with a cycle, if any."""
    order: list[StageName] = []
    done: set[StageName] = set()
    for start in upstream:
        trail: list[StageName] = []
        stack = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                trail.pop()
                done.add(name)
                order.append(name)
            elif name in trail:
                raise _cycle([*trail[trail.index(name) :], name])
            elif name not in done:
                trail.append(name)
                stack.append((name, True))
                stack.extend((up, False) for up in sorted(upstream[name], reverse=True))
    return order


def _cycle(names: list[StageName]) -> DefinitionError:
    return DefinitionError(
        "stages depend on each other in a circle",
        why=" -> ".join(reversed(names)),
        hint="Take one of these deps away, then run `pivot list`",
    )
