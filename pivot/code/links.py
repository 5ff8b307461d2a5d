"""What each of a module's references stands for, with all that nodes are made of it.

The symbols of a module mostly use the same names, so this is worked out once for each name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pivot.code.facts import Module
from pivot.code.references import Reference
from pivot.code.resolve import Modules
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


@dataclass(frozen=True, slots=True)
class Link:
    """One reference of a module.

    Attributes:
        targets: what it stands for.
        externals: top-level names of the modules outside the project among that.
        binding: what it stands for as text, for hashes; None if that is the module's own symbol of
            that name, or nothing.
        wide: what else it may lead to, if anything.
    """

    targets: Targets
    externals: frozenset[str] = frozenset()
    binding: str | None = None
    wide: Wide | None = None


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

    def _made(self, place: int) -> Link:
        targets = self.modules.targets(self.module, place)
        made = _NOTHING if targets is NOWHERE else self._link(place, targets)
        self._links[place] = made
        return made

    def _link(self, place: int, targets: Targets) -> Link:
        reference = self.module.references[place]
        return Link(
            targets,
            frozenset(name.partition(".")[0] for name in targets.externals),
            self._binding(reference, targets),
            self._wide(reference, targets),
        )

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

    def _binding(self, reference: Reference, targets: Targets) -> str | None:
        """What a name stands for, as a line; None if it is the module's own symbol of that name."""
        origin = reference.origin
        own = None
        if origin is None and reference.chain:
            own = SymbolId(self.module.place.module, reference.chain[0])
        meant = {*targets.symbols, *targets.modules, *targets.externals, *targets.order}
        meant.discard(own or "")
        if not meant:
            return None
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
