"""What a stage could notice, found from its living objects: an oracle that shares no code with
the analysis it judges.

A run is traced, so that it is known which functions ran. From there on names are followed as a
running program holds them: a global of the module as what it is bound to, an attribute of a module
as what that module holds now, and containers, instances, partials and wrappers by what they hold.
"""

import ast
import gc
import importlib
import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType

_TOOL = 4
_PLAIN = (int, float, complex, str, bytes, type(None), type(...))
Symbol = tuple[str, str]


class Trace:
    """Which functions of the project ran: at import, and when the stage was called."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.imported: set[Symbol] = set()
        self.called: set[Symbol] = set()
        self._now = self.imported
        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "mutation")
        monitoring.register_callback(_TOOL, monitoring.events.PY_START, self._start)
        monitoring.set_events(_TOOL, monitoring.events.PY_START)

    def calling(self) -> None:
        """From now on the stage runs."""
        self._now = self.called

    def stop(self) -> None:
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)

    def _start(self, code: CodeType, offset: int) -> None:
        if code.co_filename not in self.files:
            return
        top = code.co_qualname.partition(".")[0]
        # A class body is no function of the class, nor a module's body of the module.
        is_function = code.co_flags & 0x2
        if is_function and not top.startswith("<"):
            module = code.co_filename.removesuffix(".py").replace("/", ".")
            self._now.add((module.removesuffix(".__init__"), top))


def reach(trace: Trace, finder) -> dict[str, object]:
    """What ran, and all that what ran leads to, as `[module, name]`; loaded modules."""
    modules = {
        name: module for name, module in sys.modules.items() if finder.path(name) is not None
    }
    walk = Walk(modules, finder)
    for module, name in trace.imported | trace.called:
        walk.mark(module, name)
    for module in list(modules):
        walk.statements(module)
    walk.finish()
    return {
        "called": sorted(trace.called),
        "reach": sorted(walk.reached),
        "modules": sorted(modules),
    }


class Walk:
    """From symbols to the objects that they name, and from objects to symbols."""

    def __init__(self, modules: dict[str, ModuleType], finder) -> None:
        self.modules = modules
        self.finder = finder
        self.reached: set[Symbol] = set()
        self._queue: list[Symbol] = []
        self._objects: list[object] = []
        self._seen: dict[int, object] = {}
        self._trees: dict[str, dict[str, list[ast.stmt]]] = {}

    def mark(self, module: str, name: str) -> None:
        if (module, name) not in self.reached:
            self.reached.add((module, name))
            self._queue.append((module, name))

    def finish(self) -> None:
        while self._queue or self._objects:
            if self._objects:
                self._object(self._objects.pop())
            else:
                self._symbol(*self._queue.pop())

    def statements(self, module: str) -> None:
        """Follow what a module does besides defining names: it ran when it was imported."""
        for statement in self._tree(module).get("", ()):
            self._names(module, statement)

    def _tree(self, module: str) -> dict[str, list[ast.stmt]]:
        """The statements that bind each top-level name; those that bind none, under ''."""
        if module not in self._trees:
            found: dict[str, list[ast.stmt]] = {}
            for statement in ast.parse(self.finder.files[self.finder.path(module)]).body:
                for name in bound(statement) or [""]:
                    found.setdefault(name, []).append(statement)
            self._trees[module] = found
        return self._trees[module]

    def _symbol(self, module: str, name: str) -> None:
        if module not in self.modules:
            return
        if name in vars(self.modules[module]):
            self._value(module, name)
        for statement in self._tree(module).get(name, ()):
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                self._names(module, statement)

    def _names(self, module: str, statement: ast.stmt) -> None:
        """Mark each global that code mentions, and each attribute of modules among them."""
        space = vars(self.modules[module])
        nodes = list(ast.walk(statement))
        ids = {n.id for n in nodes if isinstance(n, ast.Name)}
        ids |= {n.value for n in nodes if isinstance(n, ast.Constant) and type(n.value) is str}
        attributes = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                attributes |= {alias.name for alias in node.names}
                self._lazy(module, node)
        for name in ids & space.keys():
            self.mark(module, name)
        used = [space[n] for n in ids & space.keys() if isinstance(space[n], ModuleType)]
        seen: set[str] = set()
        while used:
            name = used.pop().__name__
            if name in self.modules and name not in seen:
                seen.add(name)
                held = vars(self.modules[name])
                for attribute in attributes & held.keys():
                    self.mark(name, attribute)
                    if isinstance(held[attribute], ModuleType):
                        used.append(held[attribute])

    def _lazy(self, module: str, node: ast.Import | ast.ImportFrom) -> None:
        """An import inside a function: loaded now if it wasn't, and its names marked."""
        package = self.modules[module].__package__ or ""
        if isinstance(node, ast.Import):
            return
        dots = "." * node.level
        name = importlib.util.resolve_name(dots + (node.module or ""), package)
        for part in (name, *(f"{name}.{alias.name}" for alias in node.names)):
            if self.finder.path(part) is not None and part not in self.modules:
                importlib.import_module(part)
                self.modules[part] = sys.modules[part]
        for alias in node.names if name in self.modules else ():
            self.mark(name, alias.name)

    def _value(self, module: str, name: str) -> None:
        """Follow the object that a global holds, to where it was made too."""
        value = vars(self.modules[module])[name]
        if isinstance(value, ModuleType):
            return
        for other, held in self.modules.items():
            if vars(held).get(name) is value:
                self.mark(other, name)
        self._objects.append(value)

    def _object(self, value: object) -> None:
        if isinstance(value, _PLAIN) or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, ModuleType):
            return
        if isinstance(value, type | FunctionType):
            home, name = value.__module__, value.__qualname__.partition(".")[0]
            if home not in self.modules:
                return
            self.mark(home, name)
            parts: list[object] = list(vars(value).values())
            if isinstance(value, type):
                parts += [*value.__mro__, type(value)]
            else:
                parts += [value.__closure__, value.__defaults__, value.__kwdefaults__]
            self._objects += parts
            return
        if type(value).__module__ in self.modules:
            self._objects.append(type(value))
        self._objects += (o for o in gc.get_referents(value) if _is_followed(o))


def _is_followed(value: object) -> bool:
    """Not dictionaries of modules, which hold everything, nor what the interpreter made."""
    if isinstance(value, dict):
        return "__builtins__" not in value
    return not isinstance(value, CodeType)


def bound(statement: ast.stmt) -> list[str]:
    """The names that a top-level statement binds."""
    return list(dict.fromkeys(_bound(statement)))


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
            return
        case ast.Name() if not isinstance(node.ctx, ast.Load):
            yield node.id
        case ast.alias():
            yield node.asname or node.name.partition(".")[0]
        case ast.Lambda() | ast.comprehension():
            return
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)
