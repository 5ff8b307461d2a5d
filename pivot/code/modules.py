"""The project's modules, found as `import` finds them, and what the names in them stand for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pivot.code.ahead import guess, parse_ahead
from pivot.code.following import Package, Search
from pivot.code.reading import Kept, Reading, Sources
from pivot.code.source import declarations
from pivot.code.source.facts import Module
from pivot.code.source.scopes import Origin
from pivot.code.source.uses import Reference
from pivot.code.targets import NOWHERE, SymbolId, Targets
from pivot.hashing import ObjectId
from pivot.paths import PathError, RepoPath

_FEW: Final = 12  # parsed sources, after which it is taken that there are many


class Modules:
    """The project's modules; the facts of each are made once, when it is first asked for."""

    def __init__(
        self, sources: Sources, roots: Sequence[RepoPath], kept: Kept | None = None
    ) -> None:
        self._sources = sources
        self._reading = Reading(sources, kept)
        self._expected: tuple[str, ...] = ()
        self._roots = tuple(roots)
        self._found: dict[str, Package | None] = {}
        self._modules: dict[str, Module | None] = {}
        self._declared: dict[tuple[str, str], bool] = {}
        self.noted: set[str] = set()
        self.asked: dict[str, set[str]] = {}
        self.read_as_data: set[RepoPath] = set()
        self.folders: dict[RepoPath, bool] = {}
        self.listings: dict[RepoPath, tuple[str, ...]] = {}

    @property
    def files(self) -> Mapping[RepoPath, ObjectId | None]:
        """Every file asked for: the id of what was read, None where nothing was."""
        return self._reading.ids

    def asking(self, seen: set[str]) -> "_Asking":
        """Note in `seen` the modules that are asked for meanwhile."""
        return _Asking(self, seen)

    def consult(self, names: Iterable[str]) -> None:
        """Note modules as asked for, of which it was known already what is asked."""
        self.noted.update(names)

    def asking_for(self, name: str) -> "_Asking":
        """Note the modules that are asked for meanwhile as asked for on behalf of one."""
        return _Asking(self, self._asked_by(name))

    def _asked_by(self, name: str) -> set[str]:
        """The modules that were asked for on behalf of one, to say what its names stand for."""
        return self.asked.setdefault(name, set())

    def expect(self, names: Iterable[str]) -> None:
        """Say which modules will be asked for, and all that they import: it saves time."""
        self._expected = tuple(names)

    def get(self, name: str) -> Module | None:
        """The module of that dotted name; None if it has no source in the project.

        Raises `DefinitionError` where its source isn't Python.
        """
        self.noted.add(name)
        if name not in self._modules:
            module = self._facts(name)
            if module is not None:
                module = self._with_declared(name, module)
            self._modules[name] = module
        return self._modules[name]

    def _facts(self, name: str) -> Module | None:
        """What a source says by itself; which names are Pivot's own may be told wrong."""
        package = self.find(name)
        if package is None or package.file is None:
            return None
        if self._expected and self._reading.parsed >= _FEW:
            guesses = guess(self._sources, self._roots, self._expected)
            self._expected = ()
            self._reading.take(parse_ahead(guesses, self._reading.is_known))
        return self._reading.module(name, package.file, is_package=bool(package.folders))

    def _with_declared(self, name: str, module: Module) -> Module:
        """The facts with those names taken for Pivot's own that are, wherever they were made."""
        bindings = module.bindings
        asked = self._asked_by(name)
        asked.update(o.module for origins in bindings.imports.values() for o in origins)
        imported = (n for n, origins in bindings.imports.items() if any(map(self._may_be, origins)))
        declared = frozenset(
            own for own in (*imported, *bindings.made) if self._is_declared(name, own)
        )
        if declared == module.declared:
            return module
        return self._reading.again(module, declared)

    def _may_be(self, origin: Origin) -> bool:
        """Whether an import may give something of Pivot's: most give no such thing."""
        if origin.name is None or declarations.is_pivot(origin):
            return declarations.is_pivot(origin)
        package = self.find(origin.module)
        return package is not None and package.file is not None

    def _is_declared(self, module: str, name: str) -> bool:
        """Whether a name stands for something of Pivot's: `stage`, or a pipeline made elsewhere."""
        known = self._declared.get((module, name))
        if known is None:
            seen: set[tuple[str, str]] = set()
            known = self._leads_to_pivot(module, name, seen)
            # Nothing that was met on the way to no answer has another one.
            self._declared.update(dict.fromkeys([(module, name)] if known else seen, known))
        return known

    def _leads_to_pivot(self, module: str, name: str, seen: set[tuple[str, str]]) -> bool:
        known = self._declared.get((module, name))
        if known is not None or (module, name) in seen:
            return bool(known)
        seen.add((module, name))
        facts = self._facts(module)
        if facts is None:
            return False
        made_by = facts.bindings.made.get(name)
        if made_by is not None and self._leads_to_pivot(module, made_by, seen):
            return True
        origins = facts.bindings.imports.get(name, ())
        self._asked_by(module).update(origin.module for origin in origins)
        return any(
            declarations.is_pivot(origin)
            or (origin.name is not None and self._leads_to_pivot(origin.module, origin.name, seen))
            for origin in origins
        )

    def find(self, name: str) -> Package | None:
        """Where a module is, by the rules of `sys.path`: package, module, then bare folders."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def earlier(self, name: str, id_: ObjectId) -> Module | None:
        """The facts that a module had when its source had this id, if they are still known."""
        package = self.find(name)
        if package is None or package.file is None:
            return None
        return self._reading.kept(name, package.file, id_, is_package=bool(package.folders))

    def at(self, file: RepoPath) -> Module | None:
        """The module that is imported from a source file, if there is one.

        Where roots lie in one another it may have several names: `packages.ours.src.ours.core`, and
        `ours.core`. The one with the fewest mere folders in it is what people import.
        """
        found: dict[str, Module] = {}
        for root in self._roots:
            inner = file if root == RepoPath.ROOT else file.removeprefix(f"{root}/")
            if inner == file and root != RepoPath.ROOT:
                continue
            name = inner.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            module = self.get(name)
            if module is not None and module.file == file:
                found[name] = module
        return found[min(found, key=self._mere_folders)] if found else None

    def _mere_folders(self, name: str) -> int:
        """How many packages on the way to a module have no source of their own."""
        packages = map(self.find, parents(name))
        return sum(package is None or package.file is None for package in packages)

    @property
    def names(self) -> frozenset[str]:
        """Every dotted name that was looked for."""
        return frozenset(self._found)

    def _search(self, name: str) -> Package | None:
        parent, _, last = name.rpartition(".")
        if not last.isidentifier():
            return None
        if not parent:
            folders: tuple[RepoPath, ...] = self._roots
        else:
            package = self.find(parent)
            folders = package.folders if package else ()
        bare: list[RepoPath] = []
        for folder in folders:
            try:
                inner = folder / last
                initial, plain = inner / "__init__.py", folder / f"{last}.py"
            except PathError:
                continue
            if self._reading.exists(initial):
                return Package(name, (inner,), initial)
            if self._reading.exists(plain):
                return Package(name, (), plain)
            if self.is_dir(inner):
                bare.append(inner)
        return Package(name, tuple(bare), None) if bare else None

    def is_dir(self, path: RepoPath) -> bool:
        """Whether a directory is there."""
        if path not in self.folders:
            self.folders[path] = self._sources.is_dir(path)
        return self.folders[path]

    def listed(self, path: RepoPath) -> Sequence[str]:
        """The names in a directory, as `Sources.names` gives them."""
        if path not in self.listings:
            self.listings[path] = tuple(self._sources.names(path))
        return self.listings[path]

    def file_id(self, path: RepoPath) -> ObjectId | None:
        """The id of a file that need not be a source; None where no file is."""
        self.read_as_data.add(path)
        return self._reading.ids[path] if self._reading.exists(path) else None

    def data(self, path: RepoPath) -> bytes:
        """What a file holds that is there, and need not be a source."""
        self.read_as_data.add(path)
        return self._reading.text(path)

    def within(self, package: str) -> Iterator[str]:
        """The modules with a source in a package, however deep."""
        found = self.find(package)
        for folder in found.folders if found is not None else ():
            for name in self.listed(folder):
                inner = self.find(f"{package}.{name.removesuffix('.py')}")
                if inner is not None:
                    if inner.file is not None:
                        yield inner.name
                    yield from self.within(inner.name)

    def targets(self, module: Module, reference: Reference) -> Targets:
        """The same as `resolve`, asked for on behalf of the module."""
        with self.asking_for(module.place.module):
            return self.resolve(module, reference)

    def resolve(self, module: Module, reference: Reference) -> Targets:
        """Everything that `reference`, standing in `module`, may stand for."""
        return self.own(module, reference) or self._sought(module, reference)

    def _sought(self, module: Module, reference: Reference) -> Targets:
        search = Search(self)
        if reference.origin is not None:
            chain, whole = reference.chain, not reference.runs_only
            search.origin(module, reference.origin, chain, whole=whole)
        else:
            search.name(module, reference.chain)
        return search.targets

    def own(self, module: Module, reference: Reference) -> Targets | None:
        """What a name stands for where the module itself tells all of it, as it mostly does."""
        if reference.origin is not None or module.stars or module.contested:
            return None
        if not reference.chain:
            return NOWHERE
        name, *rest = reference.chain
        if name in module.imports:
            return None
        if name not in module.symbols:
            return NOWHERE
        return Targets({SymbolId(module.place.module, name): bool(rest)})


class _Asking:
    """What `Modules.asking` gives; a plain class, for it is entered very often."""

    __slots__ = ("_before", "_modules", "_seen")

    def __init__(self, modules: Modules, seen: set[str]) -> None:
        self._modules = modules
        self._seen = seen
        self._before = modules.noted

    def __enter__(self) -> None:
        self._modules.noted = self._seen

    def __exit__(self, *_: object) -> None:
        self._modules.noted = self._before


def parents(name: str) -> Iterator[str]:
    """`a`, `a.b`, `a.b.c`: the modules that run when `a.b.c` is imported."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])
