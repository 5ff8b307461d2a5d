"""From a source to its facts: the one place where sources are parsed."""

import ast
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Final

from pivot.code.findings import EFFECTS, SCHEME
from pivot.code.source import declarations, facts
from pivot.code.source.ignoring import read_marks
from pivot.code.source.mentions import find_mentions, names_files
from pivot.code.source.normal import encode
from pivot.code.source.operations import flows
from pivot.code.source.order import Versions, contested
from pivot.code.source.reads import (
    PROGRAM,
    FilePath,
    Read,
    bound_path,
    find_reads,
    may_open,
    may_read,
    names_programs,
    reads_by_name,
)
from pivot.code.source.references import find_uses
from pivot.code.source.reflection import dotted_texts
from pivot.code.source.scopes import Origin, Place
from pivot.code.source.search_path import find_added
from pivot.code.source.sharing import Sharing, find_sharing
from pivot.code.source.statements import (
    callee,
    calls,
    function_bodies,
    learns_of_subclasses,
    makes_empty_container,
    own_nodes,
)
from pivot.code.source.symbols import Definition, Outline, Symbol, locate, parse_file, read_outline
from pivot.code.source.syntax import walk
from pivot.code.source.texts import words
from pivot.code.source.uses import COMPUTED_IMPORT, COMPUTED_MODULE, Lookup, Reference, Uses
from pivot.hashing import derive
from pivot.paths import RepoPath

_COMPUTED: Final = frozenset({COMPUTED_IMPORT, COMPUTED_MODULE})
_CONTEXT: Final = f"pivot code {SCHEME}"
_DOCS_CONTEXT: Final = "pivot docstrings 1"
_DOCUMENTED: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
_TEXT_CONTEXT: Final = "pivot source text 1"


def extract(
    source: bytes, file: RepoPath, name: str, *, is_package: bool, declared: frozenset[str] | None
) -> facts.Module:
    """The facts of a module's source.

    `declared` are its names for Pivot's own things; None for those that it imports itself. Raises
    `DefinitionError` where the source isn't Python.
    """
    tree = parse_file(source, file)
    place = locate(tree, name, is_package=is_package)
    place = replace(place, binds_inline=b":=" in source)
    bindings = declarations.read_bindings(tree, place)
    ignored = read_marks(source, tree).ignored  # before the tree loses what is declared
    if declared is None:
        declared = declarations.own_declared(bindings)
    outline = read_outline(tree, place=place, declared=declared)
    parts = _Parts(
        outline,
        tree,
        source.splitlines(),
        names_programs=names_programs(source),
        names_files=names_files(source),
        adds_folders=b"sys.path" in source or b"addsitedir" in source,
    )
    symbols = {
        name: _symbol(symbol, parts, is_ignored=name in ignored)
        for name, symbol in outline.symbols.items()
    }
    return _module(outline, file, symbols, parts, bindings, declared)


def _symbol(symbol: Symbol, parts: "_Parts", *, is_ignored: bool) -> facts.Symbol:
    part = parts.part(symbol.definitions)
    sharing = [parts.sharing(definition) for definition in symbol.definitions]
    return facts.Symbol(
        kind=symbol.kind,
        part=part,
        spans=tuple([definition.span for definition in symbol.definitions]),
        learns=any(learns_of_subclasses(d.node, d.every) for d in symbol.definitions),
        starts_empty=any(makes_empty_container(d.node) for d in symbol.definitions),
        fills=any(each.fills for each in sharing),
        shares=any(each.shares for each in sharing),
        acting=frozenset().union(*map(parts.acting, symbol.definitions)),
        path=_path(symbol, parts.outline.place),
        ignored=is_ignored,
    )


def _path(symbol: Symbol, place: Place) -> FilePath | None:
    """The path that a name stands for, where one statement binds it for good."""
    if len(symbol.definitions) > 1:
        return None
    return bound_path(symbol.definitions[0].node, symbol.name, place)


def _module(
    outline: Outline,
    file: RepoPath,
    symbols: dict[str, facts.Symbol],
    parts: "_Parts",
    bindings: declarations.Bindings,
    declared: frozenset[str],
) -> facts.Module:
    effects = tuple(
        facts.Effect(
            parts.part((effect.definition,)),
            None if effect.touches is None else parts.places(effect.touches),
        )
        for effect in outline.effects
    )
    triggers = tuple(
        facts.Trigger(
            t.name,
            *map(parts.places, (t.decorators, t.bases, t.calls, t.arguments, t.operands)),
        )
        for t in outline.triggers
    )
    acts = _acts(outline)
    return facts.Module(
        place=outline.place,
        file=file,
        references=tuple(parts.references),
        symbols=symbols,
        imports=_imports(outline, parts),
        stars=tuple(outline.stars),
        runs=tuple(outline.runs),
        added=parts.added({name: symbol.path for name, symbol in symbols.items()}),
        effects=effects,
        triggers=triggers,
        acts=tuple(name for _, name in acts),
        acts_before=_acts_before(outline, [line for line, _ in acts]),
        docs=_docs([parts.tree], deep=False),
        exports=outline.exports,
        contested=contested(outline),
        bindings=bindings,
        declared=declared,
    )


def _acts(outline: Outline) -> list[tuple[int, str]]:
    """What may run other code, by its line."""
    found = [(effect.definition.node.lineno, EFFECTS) for effect in outline.effects]
    for trigger in outline.triggers:
        definitions = outline.symbols[trigger.name].definitions
        found.append((definitions[0].node.lineno, trigger.name))
    return sorted(found, key=itemgetter(0))


def _acts_before(outline: Outline, lines: Sequence[int]) -> tuple[int, ...]:
    found = tuple(bisect_left(lines, line) for line in outline.run_lines) if lines else ()
    return found if any(found) else ()


def _imports(outline: Outline, parts: "_Parts") -> dict[str, tuple[Origin, ...]]:
    """What imports bind: those of the module itself, and of functions that declare a global."""
    found = {name: list(origins) for name, origins in outline.imports.items()}
    for name, origin in parts.imports:
        found.setdefault(name, []).append(origin)
    return {name: tuple(origins) for name, origins in found.items()}


@dataclass(slots=True)
class _Parts:
    """The parts of a module, which share one list of references.

    Attributes:
        lines: its source.
        names_programs: it may name the file of a program, and so on: quick looks at the source, so
            that most of it isn't gone through in vain.
    """

    outline: Outline
    tree: ast.Module
    lines: Sequence[bytes]
    names_programs: bool
    names_files: bool
    adds_folders: bool
    references: list[Reference] = field(default_factory=list)
    imports: list[tuple[str, Origin]] = field(default_factory=list)
    _versions: Versions = field(init=False)
    _found: dict[tuple[tuple[str, ...], Origin | None, bool], int] = field(default_factory=dict)
    _made: dict[tuple[int, ...], facts.Part] = field(default_factory=dict)
    _shared: dict[int, Sharing] = field(default_factory=dict)
    _postponed: bool = field(init=False)

    def __post_init__(self) -> None:
        self._versions = Versions(self.outline)
        self._postponed = _postpones(self.tree)

    def places(self, references: Iterable[Reference]) -> tuple[int, ...]:
        return tuple(map(self._place, references))

    def _place(self, reference: Reference) -> int:
        key = (reference.chain, reference.origin, reference.runs_only)
        place = self._found.get(key)
        if place is None:
            place = self._found[key] = len(self.references)
            self.references.append(Reference(key[0], 0, key[1], key[2]))
        return place

    def part(self, definitions: Sequence[Definition]) -> facts.Part:
        """The part that these definitions are; names defined by one statement share it."""
        key = tuple(id(definition.node) for definition in definitions)
        part = self._made.get(key)
        if part is None:
            part = self._made[key] = self._part(definitions)
        return part

    def _part(self, definitions: Sequence[Definition]) -> facts.Part:
        tests = [guard.test for definition in definitions for guard in definition.guards]
        statements = [definition.node for definition in definitions]
        nodes = [part for d in definitions for part in (*(g.test for g in d.guards), d.node)]
        uses = find_uses(nodes, self.outline.place)
        self.imports += uses.imports
        now, later = self._reads([*tests, *statements], uses.called)
        opens = reads_by_name(uses.called)
        written = self._text(definitions)
        programs = [read for read in later if read.is_program]
        is_hook = any(getattr(s, "name", "") == "__getattr__" for s in statements)
        if is_hook:  # importing a name from the module calls it
            now = (*now, *later)
        return facts.Part(
            line=definitions[0].node.lineno,
            digest=derive(_CONTEXT, self._form(definitions)),
            text=derive(_TEXT_CONTEXT, written),
            references=tuple([(self._place(r), r.line) for r in uses.references]),
            writes=self.places((*uses.writes, *self._renamed(definitions))),
            calls=self.places(uses.calls),
            asked=self.places(uses.asked),
            given=tuple((self._place(of), word) for of, word in uses.given),
            words=_words(statements),
            named=uses.named,
            lists=uses.lists,
            quotes=uses.quotes,
            docs=_docs(statements),
            lookups=(*uses.lookups, *(Lookup(PROGRAM, read.line) for read in programs)),
            loads=self._loads(uses),
            texts=uses.texts,
            called=self._called(definitions),
            reads=(*now, *programs),
            later=later,
            mentions=self._mentions(nodes, written),
            opens=opens and (is_hook or may_open(own_nodes([*tests, *statements]))),
            opens_later=opens and may_open(_in_bodies(statements)),
        )

    def sharing(self, definition: Definition) -> Sharing:
        """What a definition does to objects that others have, too."""
        key = id(definition.node)
        if key not in self._shared:
            self._shared[key] = find_sharing(definition.node, definition.every)
        return self._shared[key]

    def added(self, bound: Mapping[str, FilePath | None]) -> tuple[str, ...]:
        """The folders that the module adds to `sys.path`."""
        if not self.adds_folders:
            return ()
        return find_added(self.tree, self.outline.place, bound)

    def acting(self, definition: Definition) -> frozenset[str]:
        """The methods of what a definition makes that change it though they seem only to read."""
        if isinstance(definition.node, ast.ClassDef):
            return self.sharing(definition).acting
        return frozenset({"__iter__"}) if flows(definition.node, definition.every) else frozenset()

    def _mentions(self, nodes: Sequence[ast.AST], written: bytes) -> tuple[str, ...]:
        """Texts that may name files; `written` are the lines of the code."""
        return find_mentions(nodes) if self.names_files and names_files(written) else ()

    def _renamed(self, definitions: Sequence[Definition]) -> tuple[Reference, ...]:
        """What functions change under other names."""
        found: list[ast.AST] = [of for d in definitions for of in self.sharing(d).renamed]
        return find_uses(found, self.outline.place).references if found else ()

    def _reads(
        self, nodes: Sequence[ast.AST], called: Collection[str]
    ) -> tuple[tuple[Read, ...], tuple[Read, ...]]:
        """The files that code reads at import, and those that its functions read when called."""
        if not self.names_programs and not may_read(called):
            return (), ()
        parts = (nodes, function_bodies(nodes))
        programs = self.names_programs
        found = [find_reads(part, self.outline.place, names_programs=programs) for part in parts]
        now, later = (tuple(read for read in part if self._is_known(read.path)) for part in found)
        return now, later

    def _is_known(self, path: FilePath) -> bool:
        """Whether a path starts from what the module knows, and not from a local name."""
        start = path.start
        if start is None or start.origin is not None:
            return True
        outline = self.outline
        return start.chain[0] in outline.symbols or start.chain[0] in outline.imports

    def _called(self, definitions: Sequence[Definition]) -> tuple[int, ...]:
        """What runs when the module is imported, by name."""
        called = [callee(call) for d in definitions for call in calls(d.own)]
        return self.places(find_uses(called, self.outline.place).references) if called else ()

    def _loads(self, uses: Uses) -> tuple[str, ...]:
        """Modules that may be imported by computed names: all that the source mentions as texts."""
        if not any(lookup.what in _COMPUTED for lookup in uses.lookups):
            return ()
        return tuple(dict.fromkeys([*uses.loads, *dotted_texts(self.tree)]))

    def _form(self, definitions: Sequence[Definition]) -> bytes:
        """The normal form, with those of the `if`s around it and which arm it stands in."""
        out: list[bytes] = []
        for definition in definitions:
            for guard in definition.guards:
                out += (b"+" if guard.holds else b"-", encode(guard.test))
            out += (b"=", encode(definition.node, named=False))
        return b"".join((*out, self._around(definitions)))

    def _around(self, definitions: Sequence[Definition]) -> bytes:
        """What else of the module it depends on how it is to be read; mostly nothing."""
        is_text = self._postponed and any(_is_annotated(d.node) for d in definitions)
        return (b"\npostponed" if is_text else b"") + self._versions.text(definitions)

    def _text(self, definitions: Sequence[Definition]) -> bytes:
        """Its lines, with those of the `if`s around it."""
        out: list[bytes] = []
        for definition in definitions:
            for guard in definition.guards:
                out.append(b"+" if guard.holds else b"-")
                out += self._rows(guard.test.lineno, guard.test.end_lineno or guard.test.lineno)
            out.append(b"=")
            out += self._rows(*definition.span)
        return b"".join(row + b"\n" for row in out) + self._around(definitions)

    def _rows(self, first: int, last: int) -> Sequence[bytes]:
        return self.lines[first - 1 : last]


def _docs(nodes: Iterable[ast.AST], *, deep: bool = True) -> str:
    """The hash of docstrings, short since it only tells whether they changed; empty for none."""
    found: list[str] = []
    for node in nodes:
        if isinstance(node, _DOCUMENTED):
            # White space around lines is formatting, which formatters change.
            lines = (ast.get_docstring(node, clean=False) or "").strip().splitlines()
            found += ["\n".join(line.strip() for line in lines)] if lines else []
            if deep and isinstance(node, ast.ClassDef):
                found += [_docs(node.body)]
    text = "\0".join(found)
    return derive(_DOCS_CONTEXT, text.encode("utf-8", "surrogatepass")).hex()[:16] if text else ""


def _words(statements: Iterable[ast.stmt]) -> tuple[str, ...]:
    """Plain names among the texts of constants and class attributes, to import by."""
    bodies = (s.body if isinstance(s, ast.ClassDef) else [s] for s in statements)
    bound = (s for body in bodies for s in body if isinstance(s, ast.Assign | ast.AnnAssign))
    return tuple(dict.fromkeys(words(s.value for s in bound if s.value is not None)))


def _in_bodies(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    return (part for body in function_bodies(nodes) for part in walk(body))


def _postpones(tree: ast.Module) -> bool:
    """Whether annotations stay text, by `from __future__ import annotations`."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )


def _is_annotated(node: ast.AST) -> bool:
    """Whether code has annotations that somebody may look at."""
    return any(
        isinstance(part, ast.AnnAssign)
        or (isinstance(part, ast.arg) and part.annotation is not None)
        or getattr(part, "returns", None) is not None
        for part in walk(node)
    )
