"""What each of a module's references stands for, with all that nodes are made of it.

The symbols of a module mostly use the same names, so this is worked out once for each name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from pivot.code.modules import Modules
from pivot.code.source.facts import Module, Part
from pivot.code.source.uses import Reference
from pivot.code.targets import NOWHERE, SymbolId, Targets


@dataclass(frozen=True, slots=True)
class Wide:
    """What a reference may lead to beside symbols and packages.

    Attributes:
        modules: those of which any name may be used.
        watches: classes whose subclasses are looked for.
        opaque: what couldn't be followed.
    """

    modules: tuple[str, ...]
    watches: frozenset[SymbolId | str]
    opaque: tuple[str, ...]


class Link(NamedTuple):
    """One reference of a module.

    Attributes:
        targets: what it stands for.
        externals: top-level names of the modules outside the project among that.
        binding: what it stands for as a line, for hashes; empty if that is the module's own symbol
            of that name, or nothing.
        wide: what else it may lead to, if anything.
        is_own: it stands for the module's own symbol of that name, and there is no more to it.
    """

    targets: Targets
    externals: frozenset[str] = frozenset()
    binding: str = ""
    wide: Wide | None = None
    is_own: bool = False


_NOTHING: Final = Link(NOWHERE)


class Links:
    """The links of one module, each made when it is first asked for."""

    def __init__(self, modules: Modules, module: Module) -> None:
        self.modules = modules
        self.module = module
        self._links: list[Link | None] = [None] * len(module.references)

    def at(self, place: int) -> Link:
        """The link of the reference at a place in `Module.references`."""
        return self._links[place] or self._made(place)

    def used(self, part: Part) -> list[tuple[int, Link]]:
        """The links of what code uses, each with the line where it does so first.

        Those that stand for nothing are left out: there are very many names of Python's own.
        """
        made, make = self._links, self._made
        return [
            (line, link)
            for place, line in part.references
            if (link := made[place] or make(place)) is not _NOTHING
        ]

    def symbols(self, places: Iterable[int]) -> Iterator[SymbolId]:
        """What references at these places stand for."""
        return (symbol for place in places for symbol in self.at(place).targets.symbols)

    def _made(self, place: int) -> Link:
        reference = self.module.references[place]
        own = self.modules.own(self.module, reference)
        if own is NOWHERE:
            made = _NOTHING
        elif own is not None and len(reference.chain) == 1:
            made = Link(own, is_own=True)
        else:
            made = self._link(reference, own or self.modules.targets(self.module, reference))
        self._links[place] = made
        return made

    def _link(self, reference: Reference, targets: Targets) -> Link:
        externals = frozenset(name.partition(".")[0] for name in targets.externals)
        binding, wide = self._binding(reference, targets), self._wide(reference, targets)
        is_own = not (binding or wide or targets.traversed)
        return Link(targets, externals, binding, wide, is_own)

    def _wide(self, reference: Reference, targets: Targets) -> Wide | None:
        modules = tuple(self._widened(reference, targets))
        watches = "__subclasses__" in reference.chain
        if not modules and not watches:
            return None
        return Wide(
            modules,
            frozenset((*targets.symbols, *targets.externals) if watches else ()),
            tuple(f"{reason}: {name}" for name, reason in targets.modules.items()),
        )

    def _binding(self, reference: Reference, targets: Targets) -> str:
        """What a name stands for, as a line; empty if it is the module's own of that name."""
        origin = reference.origin
        own = None
        if origin is None and reference.chain:
            own = SymbolId(self.module.place.module, reference.chain[0])
        meant = {*targets.symbols, *targets.modules, *targets.externals, *targets.order}
        meant.discard(own or "")
        if not meant:
            return ""
        start = f"{origin.module} {origin.name or ''}" if origin else ""
        return f"\n{start}>{'.'.join(reference.chain)}={' '.join(sorted(meant))}"

    def _widened(self, reference: Reference, targets: Targets) -> Iterator[str]:
        """The modules of which any name may be used."""
        yield from targets.modules
        if "__globals__" in reference.chain:
            yield from (symbol.module for symbol in targets.symbols)
        if "__path__" in reference.chain:
            for package in targets.traversed:
                yield from self.modules.within(package)
