"""What is known of one source by itself: all that analysis needs, without its syntax tree.

Facts are a pure function of a source's bytes, its module's name, and which of its names are
Pivot's own. They are kept, so that a source is parsed once (`kept` has their bytes).
There are very many parts and symbols, so these are made as tuples.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pivot.code.findings import Kind
from pivot.code.source.declarations import Bindings
from pivot.code.source.reads import FilePath, Read
from pivot.code.source.scopes import Origin, Place
from pivot.code.source.uses import Lookup, Reference
from pivot.hashing import ObjectId
from pivot.paths import RepoPath


class Part(NamedTuple):
    """The code of one symbol or one effect. References are places in `Module.references`.

    Attributes:
        line: of its first definition.
        digest: of its normal form, without what its names stand for.
        text: of the lines that it is written in, instead of their normal form.
        references: what it uses, each with the line where it does so first.
        writes: what it sets attributes or items of, and globals that it binds.
        calls: objects that it calls methods of, which may change them.
        asked: methods that it calls, and that change something only if they aren't what they seem.
        lookups: what can't be followed.
        loads: modules that imports by computed names may mean; `package.*` for all in a package.
        texts: literals that may name a module, or something in one.
        called: what it calls when the module is imported.
        reads: files that it reads when the module is imported.
        later: files that its functions read when they are called.
        mentions: texts that may name files and folders.
        given: what it calls, with each plain name that it gives to it as a text.
        named: those of `texts` that something is given, or that stand in tables.
        words: plain names among the texts that a constant lists.
        lists: it goes through the names of modules, in the order of their definitions.
        quotes: it reads docstrings.
        docs: hash of the docstrings in it, in hexadecimal digits; empty where it has none.
        opens: it opens files when the module is imported; `opens_later`: its functions do so.
    """

    line: int
    digest: ObjectId
    text: ObjectId
    references: tuple[tuple[int, int], ...]
    writes: tuple[int, ...]
    calls: tuple[int, ...]
    lookups: tuple[Lookup, ...]
    loads: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    called: tuple[int, ...] = ()
    reads: tuple[Read, ...] = ()
    later: tuple[Read, ...] = ()
    mentions: tuple[str, ...] = ()
    opens: bool = False
    opens_later: bool = False
    asked: tuple[int, ...] = ()
    given: tuple[tuple[int, str], ...] = ()
    words: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    lists: bool = False
    quotes: bool = False
    docs: str = ""


class Symbol(NamedTuple):
    """A top-level name with everything that defines it.

    Attributes:
        spans: first and last line of each definition, decorators included.
        learns: a class that has hooks for its subclasses, or looks for them.
        starts_empty: made as an empty container, so in order to be filled.
        fills: it may change what it is given when it is called.
        shares: a class that keeps something on itself, or what a cache decorates.
        acting: methods of a class that seem to read or compute, and may change something.
        path: what it is bound to, if that is a path.
        ignored: a comment says that it doesn't count.
    """

    kind: Kind
    part: Part
    spans: tuple[tuple[int, int], ...]
    learns: bool = False
    starts_empty: bool = False
    fills: bool = False
    shares: bool = False
    acting: frozenset[str] = frozenset()
    path: FilePath | None = None
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a module does when it is imported.

    Attributes:
        touches: the objects it changes, if that is all it does; None: it counts always.
    """

    part: Part
    touches: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Trigger[Callee]:
    """A definition that runs other code when it is made, which may register it somewhere.

    What is called is a reference while a source is read, and its place among them in the facts.

    Attributes:
        name: the symbol.
        decorators: what it is decorated with.
        bases: what a class derives from, and its keywords.
        calls: what else it calls: the functions that compute a constant, a default, ...
        arguments: what any of these are given.
        operands: methods that operators and loops call, with their objects.
    """

    name: str
    decorators: tuple[Callee, ...]
    bases: tuple[Callee, ...]
    calls: tuple[Callee, ...]
    arguments: tuple[Callee, ...]
    operands: tuple[Callee, ...] = ()


@dataclass(frozen=True, slots=True)
class Module:
    """The facts of a source file.

    Attributes:
        references: every name that its code uses, each once; their lines are in the parts.
        symbols: by name.
        imports: what each imported name may stand for; `TYPE_CHECKING` blocks included.
        stars: modules of `from m import *`.
        runs: modules that importing this one imports, in order.
        added: folders that it adds to `sys.path`, as dotted names.
        effects: in source order.
        acts: what may run other code when the module is imported, in source order: the names of
            triggers, and `<effects>` for each effect.
        acts_before: for each of `runs`, how many of `acts` come before it; nothing if none does.
        docs: its own docstring's hash, as in a part.
        exports: names in `__all__` as far as it is a plain list.
        contested: bindings whose order decides what a name stands for, see `order`.
        bindings: what its names come from, to tell which are Pivot's own.
        declared: the names that were taken for Pivot's own, whose calls are left out.
    """

    place: Place
    file: RepoPath
    references: tuple[Reference, ...]
    symbols: Mapping[str, Symbol]
    imports: Mapping[str, tuple[Origin, ...]]
    stars: tuple[str, ...]
    runs: tuple[Origin, ...]
    added: tuple[str, ...]
    effects: tuple[Effect, ...]
    triggers: tuple[Trigger[int], ...]
    acts: tuple[str, ...]
    acts_before: tuple[int, ...]
    docs: str
    exports: frozenset[str]
    contested: tuple[tuple[str, str], ...]
    bindings: Bindings
    declared: frozenset[str]

    def name_at(self, line: int) -> str | None:
        """The symbol whose definition, decorators included, a line (1-based) stands in."""
        for name, symbol in self.symbols.items():
            if any(first <= line <= last for first, last in symbol.spans):
                return name
        return None
