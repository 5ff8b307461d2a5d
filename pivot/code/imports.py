"""Which of a project's modules run when one of them is imported."""

from collections.abc import Callable, Container, Iterable
from operator import itemgetter

from pivot.code.following import find_imported
from pivot.code.modules import Modules, parents
from pivot.code.source.facts import Module
from pivot.code.source.scopes import Origin


class Imports:
    """The imports of all modules, worked out once for each."""

    def __init__(self, modules: Modules, loaded: Callable[[Module], Iterable[str]]) -> None:
        """`loaded` tells the modules that functions import which a module calls meanwhile."""
        self._modules = modules
        self._loaded = loaded
        self._found: dict[str, tuple[str, ...]] = {}
        self._runs: dict[str, tuple[str, ...]] = {}

    def of(self, name: str) -> tuple[str, ...]:
        """The project modules that import statements of a module run."""
        found = self._found.get(name)
        if found is None:
            module = self._modules.get(name)
            every = [] if module is None else [self._imported(module, o) for o in module.runs]
            if module is not None:
                every += self._loaded(module)
            found = self._found[name] = tuple(n for n in every if n is not None)
        return found

    def among_acts(self, name: str) -> tuple[tuple[int, str], ...]:
        """The same modules, each with how many of the module's acts come before it."""
        module = self._modules.get(name)
        if module is None or not module.acts_before:
            return tuple((0, imported) for imported in self.of(name))
        every = zip(
            module.acts_before, (self._imported(module, o) for o in module.runs), strict=True
        )
        known = [(before, imported) for before, imported in every if imported is not None]
        loaded = [(0, imported) for imported in self.of(name)[len(known) :]]
        return tuple(sorted([*known, *loaded], key=itemgetter(0)))

    def _imported(self, module: Module, origin: Origin) -> str | None:
        """The project module that an import statement runs, if it is one."""
        package = find_imported(self._modules, module, origin.module)
        if package is None or origin.name is None:
            return None if package is None else package.name
        inner = self._modules.find(f"{package.name}.{origin.name}")
        return None if inner is None else inner.name

    def run_by(self, name: str) -> tuple[str, ...]:
        """All modules that run when one is imported: its parents, and what all of them import."""
        found = self._runs.get(name)
        if found is None:
            found = self._runs[name] = tuple(self.run_beside(name, frozenset()))
        return found

    def run_beside(self, name: str, running: Container[str]) -> dict[str, None]:
        """The modules that run when one is imported where some run already, in order."""
        found: dict[str, None] = {}
        stack = [name]
        while stack:
            for part in parents(stack.pop()):
                if part not in running and part not in found:
                    found[part] = None
                    stack += self.of(part)
        return found
