"""Following a name from where it is used to all that it may stand for, through imports.

Nothing is imported. A name may have several answers (both arms of a `try`, a submodule and an
attribute of the same name): all of them count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from sys import stdlib_module_names
from typing import Final, Protocol

from pivot.code.source.facts import Module
from pivot.code.source.scopes import STAR, Origin
from pivot.code.targets import SymbolId, Targets
from pivot.paths import RepoPath

# Attributes that every module has and that say nothing about its code.
_METADATA: Final = frozenset({"__name__", "__file__", "__path__", "__spec__", "__package__"}) | {
    "__doc__",
    "__loader__",
    "__cached__",
}
_MAX_HOPS: Final = 100


@dataclass(frozen=True, slots=True)
class Package:
    """A module's place on disk: where its submodules are, and its own source if it has one."""

    name: str
    folders: tuple[RepoPath, ...]
    file: RepoPath | None


class Places(Protocol):
    """The project's modules by their dotted names."""

    def find(self, name: str) -> Package | None:
        """Where a module is; None if it isn't the project's."""
        ...

    def get(self, name: str) -> Module | None:
        """What its source says; None if it has none."""
        ...


def find_imported(modules: Places, module: Module, name: str) -> Package | None:
    """Where the module is that an import in `module` means.

    It may stand in a folder that the module adds to `sys.path`; or beside it in a folder that is no
    package, since somebody must have added that in order to import from it.
    """
    found = modules.find(name)
    if found is not None or not (module.added or module.place.package):
        return found
    folders = list(module.added)
    package = module.place.package
    is_outer = name.partition(".")[0] not in stdlib_module_names and not name.startswith(package)
    if package and package != module.place.module and is_outer:
        around = modules.find(package)
        folders += [package] if around is not None and around.file is None else []
    beside = (modules.find(f"{folder}.{name}") for folder in folders)
    return next((each for each in beside if each is not None and each.file is not None), None)


@dataclass(slots=True)
class Search:
    """One walk along a chain of names, into `targets`; `hops` ends circles of re-exports."""

    modules: Places
    targets: Targets = field(default_factory=Targets)
    hops: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)

    def origin(
        self, module: Module, origin: Origin, chain: tuple[str, ...], *, whole: bool = True
    ) -> None:
        """Follow an import in `module`; `whole`: a module found at the end is used as a value."""
        if origin.name is not None and origin.name != "*":
            chain = (origin.name, *chain)
        package = find_imported(self.modules, module, origin.module)
        if package is None or (package.file is None and not self._leads_on(package, chain)):
            self.targets.externals.add(".".join([origin.module, *chain[: bool(origin.name)]]))
            return
        self.module(package, chain, whole=whole)

    def _leads_on(self, package: Package, chain: tuple[str, ...]) -> bool:
        """Whether a folder without `__init__.py` really holds what is asked of it.

        A folder of data named like an installed package must not hide it.
        """
        name = package.name
        for part in chain:
            name = f"{name}.{part}"
            found = self.modules.find(name)
            if found is None:
                return False
            if found.file is not None:
                return True
        return not chain

    def module(self, package: Package, chain: tuple[str, ...], *, whole: bool = True) -> None:
        """Follow `chain` from a project module."""
        name = package.name
        if package.file is not None:
            self.targets.traversed[name] = None
        if not chain:
            if whole:
                self.targets.modules[name] = "module used as a value"
            return
        if (name, chain) in self.hops or len(self.hops) > _MAX_HOPS:
            return
        self.hops.add((name, chain))
        module = self.modules.get(name)
        found = module is not None and self._member(module, chain, whole=whole)
        submodule = self.modules.find(f"{name}.{chain[0]}")
        if submodule is not None:
            self.module(submodule, chain[1:], whole=whole)
        elif not found and module is not None and chain[0] not in _METADATA:
            self._unknown(module, chain)

    def _unknown(self, module: Module, chain: tuple[str, ...]) -> None:
        """A name that the source doesn't define: made at run time, or a mistake."""
        name = module.place.module
        if chain[0] == "__dict__":
            self.targets.modules[name] = "names of a module are looked up at run time"
        elif not (self._is_external_star(module) and not chain[0].startswith("_")):
            self.targets.modules[name] = f"{name}.{chain[0]} is made at run time"

    def _is_external_star(self, module: Module) -> bool:
        return any(self.modules.find(star) is None for star in module.stars)

    def name(self, module: Module, chain: tuple[str, ...]) -> None:
        """Follow a chain that starts from a name of `module` itself."""
        self._member(module, chain, whole=True)

    def _member(self, module: Module, chain: tuple[str, ...], *, whole: bool) -> bool:
        name = chain[0]
        found = False
        if name in module.symbols:
            symbol = SymbolId(module.place.module, name)
            rest = len(chain) > 1
            self.targets.symbols[symbol] = self.targets.symbols.get(symbol, False) or rest
            found = True
        for origin in module.imports.get(name, ()):
            self.origin(module, origin, chain[1:], whole=whole)
            found = True
        giving = []
        for star in module.stars:
            known = found and not self._is_last(module, star, name)
            if self._from_star(module, star, chain, whole=whole, known=known):
                found = True
                giving.append(f"{star}:{STAR}")
        if module.contested:
            self._note_order(module, name, giving)
        return found

    def _is_last(self, module: Module, star: str, name: str) -> bool:
        """Whether `from star import *` comes after all else that binds a name."""
        sources = [s for n, s in module.contested if n == name or s == f"{star}:{STAR}"]
        return bool(sources) and sources[-1] == f"{star}:{STAR}"

    def _note_order(self, module: Module, name: str, stars: Sequence[str]) -> None:
        """Note the order of a name's bindings, where it has several."""
        sources = [s for n, s in module.contested if n == name or (n == STAR and s in stars)]
        if len(sources) > 1:
            self.targets.order.add(f"{module.place.module}.{name}<{','.join(sources)}")

    def _from_star(
        self, by: Module, star: str, chain: tuple[str, ...], *, whole: bool, known: bool
    ) -> bool:
        """Look for a name among those that `from star import *` brings to a module."""
        name = chain[0]
        package = find_imported(self.modules, by, star)
        if package is None:
            if not known and not name.startswith("_"):
                self.targets.externals.add(f"{star}.{name}")
                return True
            return False
        star = package.name
        module = self.modules.get(star)
        if module is None or (star, chain) in self.hops:
            return False
        has_list = "__all__" in module.symbols or "__all__" in module.imports
        if name.startswith("_") and not has_list:
            return False
        self.hops.add((star, chain))
        found = self._member(module, chain, whole=whole)
        submodule = self.modules.find(f"{star}.{name}") if name in module.exports else None
        if submodule is not None:
            self.module(submodule, chain[1:], whole=whole)
            found = True
        if found:
            self.targets.traversed[star] = None
            if name in module.exports:
                self.targets.order.add(f"{star}.{name}<listed")
            elif has_list:
                # The list may grow at run time, so it hides nothing, but what it holds counts.
                self._member(module, ("__all__",), whole=False)
        return found
