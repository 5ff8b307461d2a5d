"""In which order importing a stage's modules changes one and the same object.

Two modules that put something into one table leave another table behind when they are imported the
other way round. Where only one does, or none, order says nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pivot.code.findings import EFFECTS
from pivot.code.modules import parents
from pivot.code.reach import Reach
from pivot.code.targets import SymbolId
from pivot.code.touches import Touch

type _By = tuple[str, int, str]
"""What changes something: its module, its place in it, and its entry in the fingerprint."""


def find_orders(reach: Reach, root: SymbolId) -> Mapping[str, str]:
    """What is changed by several, and in which order; by the effects that it counts among.

    Those are the effects of the module that has the changed object; and where that can't be told,
    of the root's module.
    """
    changes: dict[SymbolId | None, set[_By]] = {}
    for changed, by in _changes(reach):
        changes.setdefault(changed, set()).add(by)
    contested = {changed: all_ for changed, all_ in changes.items() if len(_entries(all_)) > 1}
    orders = _hidden(reach)
    if not contested:
        return orders
    times = _times(reach, root.module)
    for target, all_ in sorted(contested.items(), key=lambda item: str(item[0] or "")):
        ordered = sorted(all_, key=lambda by: (times.at(by[0], by[1]), *by))
        text = " ".join(_without_repeats(entry for _, _, entry in ordered))
        entry = f"{root.module if target is None else target.module}:{EFFECTS}"
        orders[entry] = f"{orders.get(entry, '')}\n{target.name if target else ''} {text}"
    return orders


def _hidden(reach: Reach) -> dict[str, str]:
    """Names of packages that a submodule takes, if anybody imports that; by the package's effects.

    Where a package's own source imports it, the order of its statements says which of both stays.
    """
    taken: dict[str, str] = {}
    for submodule in sorted(reach.modules):
        package, _, name = submodule.rpartition(".")
        if f"{package}:{name}" in reach.symbols and _is_imported(reach, submodule):
            entry = f"{package}:{EFFECTS}"
            taken[entry] = f"{taken.get(entry, '')}\n{name} {submodule}"
    return taken


def _is_imported(reach: Reach, name: str) -> bool:
    """Whether an import statement that runs means this module, or one in it."""
    modules = (reach.graph.modules.get(module) for module in reach.modules if module != name)
    runs = {origin.module for module in modules if module is not None for origin in module.runs}
    return any(part == name for run in runs for part in parents(run))


def _entries(changes: Iterable[_By]) -> set[str]:
    return {entry for _, _, entry in changes}


def _changes(reach: Reach) -> Iterator[tuple[SymbolId | None, _By]]:
    """What the reached effects, and definitions that run code, change; None: that isn't known."""
    for name in reach.modules:
        acts = reach.graph.acts(name)
        for module, index, touch in acts.effects:
            if index in reach.effects.get(name, {}):
                places = [i for i, act in enumerate(module.acts) if act == EFFECTS]
                by = (name, places[index], f"{name}:{EFFECTS}")
                yield from ((changed, by) for changed in _touched(reach, touch))
        for symbol, touch in acts.triggers:
            if symbol in reach.symbols:
                by = (name, reach.graph.module(name).acts.index(symbol.name), str(symbol))
                yield from ((changed, by) for changed in _touched(reach, touch))


def _touched(reach: Reach, touch: Touch) -> list[SymbolId | None]:
    reached: list[SymbolId | None] = [s for s in touch.symbols if s in reach.symbols]
    return [*reached, None] if touch.always else reached


def _without_repeats(entries: Iterable[str]) -> Iterator[str]:
    last = ""
    for entry in entries:
        if entry != last:
            yield entry
        last = entry


@dataclass(slots=True)
class _Times:
    """When modules run, and each of what they do: counted up whenever another module goes on.

    Attributes:
        marks: for each module the times at which it goes on, and before which of its acts.
    """

    marks: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _now: int = 0

    def go_on(self, name: str, act: int) -> None:
        self._now += 1
        self.marks.setdefault(name, []).append((act, self._now))

    def at(self, name: str, act: int) -> int:
        """When an act of a module runs; those of modules that nothing imports come last."""
        marks = self.marks.get(name, ())
        return max((time for first, time in marks if first <= act), default=self._now + 1)


def _times(reach: Reach, start: str) -> _Times:
    """When the reached modules run: as `start` is imported, then those that it doesn't import."""
    times = _Times()
    begun: set[str] = set()
    goes_on: dict[str, int] = {}
    stack: list[tuple[str, Iterator[tuple[int, str]]]] = []

    def begin(name: str) -> None:
        for part in reversed([p for p in parents(name) if p in reach.modules and p not in begun]):
            begun.add(part)
            goes_on[part] = 0
            stack.append((part, iter(reach.graph.imports.among_acts(part))))

    for name in (start, *reach.modules):
        begin(name)
        while stack:
            part, imported = stack[-1]
            if part in goes_on:
                times.go_on(part, goes_on.pop(part))
            following = next(imported, None)
            if following is None:
                stack.pop()
                continue
            goes_on[part], inner = following
            begin(inner)
    return times


def import_order(
    starts: Iterable[str], counts: Callable[[str], bool], imports: Callable[[str], Iterable[str]]
) -> list[str]:
    """Modules as importing `starts` one after the other runs them, with their parents.

    `counts` says of which modules that is of interest, `imports` what one imports.
    """
    done: dict[str, None] = {}
    begun: set[str] = set()
    stack: list[tuple[str, Iterator[str]]] = []

    def begin(name: str) -> None:
        for part in reversed([p for p in parents(name) if counts(p) and p not in begun]):
            begun.add(part)
            stack.append((part, iter(imports(part))))

    for name in starts:
        begin(name)
        while stack:
            part, imported = stack[-1]
            following = next(imported, None)
            if following is None:
                done[part] = None
                stack.pop()
            else:
                begin(following)
    return list(done)
