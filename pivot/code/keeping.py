"""Facts as bytes, for the accelerator: JSON in short rows, sealed so that damage is noticed.

Layout: 16 bytes of the BLAKE3 hash of the rest, then a JSON array. References are kept once for
each module; code refers to them by their place.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from pivot.code.findings import Kind
from pivot.code.source.declarations import Bindings
from pivot.code.source.facts import Effect, Module, Part, Symbol, Trigger
from pivot.code.source.reads import FilePath, Read
from pivot.code.source.scopes import Origin, Place
from pivot.code.source.uses import Lookup, Reference
from pivot.hashing import ObjectId, hash_bytes
from pivot.paths import RepoPath

_SEAL: Final = 16
_KINDS: Final = {kind.value: kind for kind in Kind}
_USES: Final = 6  # fields of a part's row that aren't mostly empty
# What the end of a part's row is where it was left out.
_NOTHING: Final = (0, "", (), (), (), (), (), (), (), (), (), (), (), 0, (), (), (), "")

type _Row = list[Any]


def encode(module: Module) -> bytes:
    """The bytes that `decode` makes the same facts of; the file's path is not among them."""
    place, bindings = module.place, module.bindings
    value = [
        [place.module, place.package, sorted(place.loaders), sorted(place.tables)],
        [_reference_row(reference) for reference in module.references],
        [_symbol_row(name, symbol) for name, symbol in module.symbols.items()],
        [[name, *map(_origin_row, origins)] for name, origins in module.imports.items()],
        module.stars,
        [_origin_row(origin) for origin in module.runs],
        module.added,
        [[_part_row(effect.part), effect.touches] for effect in module.effects],
        [_trigger_row(trigger) for trigger in module.triggers],
        module.acts,
        module.acts_before,
        module.docs,
        sorted(module.exports),
        module.contested,
        [[name, *map(_origin_row, origins)] for name, origins in bindings.imports.items()],
        bindings.made,
        sorted(module.declared),
    ]
    data = json.dumps(value, separators=(",", ":")).encode()
    return hash_bytes(data)[:_SEAL] + data


def decode(data: bytes, file: RepoPath) -> Module | None:
    """The facts of `file`; None for damaged bytes."""
    body = data[_SEAL:]
    if hash_bytes(body)[:_SEAL] != data[:_SEAL]:
        return None
    (place, references, symbols, imports, stars, runs, added, effects, triggers, acts,
     acts_before, docs, exports, contested, origins, made, declared) = json.loads(body)  # fmt: skip
    known = {row[0]: tuple(_origins(row[1:])) for row in imports}
    return Module(
        place=Place(place[0], place[1], frozenset(place[2]), frozenset(place[3])),
        file=file,
        references=tuple(map(_reference, references)),
        symbols={row[0]: _symbol(row) for row in symbols},
        imports=known,
        stars=tuple(stars),
        runs=tuple(_origins(runs)),
        added=tuple(added),
        effects=tuple(Effect(_part(part), _places(touches)) for part, touches in effects),
        triggers=tuple(Trigger(n, *map(tuple, places)) for n, *places in triggers),
        acts=tuple(acts),
        acts_before=tuple(acts_before),
        docs=docs,
        exports=frozenset(exports),
        contested=tuple((name, source) for name, source in contested),
        bindings=Bindings(
            known if origins == imports else {r[0]: tuple(_origins(r[1:])) for r in origins}, made
        ),
        declared=frozenset(declared),
    )


def _origin_row(origin: Origin) -> _Row:
    return [origin.module] if origin.name is None else [origin.module, origin.name]


def _origins(rows: Iterable[_Row]) -> Iterator[Origin]:
    return (Origin(*row) for row in rows)


def _reference_row(reference: Reference) -> _Row:
    """The chain; before it a row of the origin where there is one."""
    if reference.origin is None:
        return list(reference.chain)
    return [[*_origin_row(reference.origin), reference.runs_only], *reference.chain]


def _reference(row: _Row) -> Reference:
    if not row or isinstance(row[0], str):
        return Reference(tuple(row), 0)
    *origin, runs_only = row[0]
    return Reference(tuple(row[1:]), 0, Origin(*origin), runs_only)


def _symbol_row(name: str, symbol: Symbol) -> _Row:
    spans = [line for span in symbol.spans for line in span]
    traits = symbol.learns + 2 * symbol.starts_empty + 4 * symbol.ignored
    traits += 8 * symbol.fills + 16 * symbol.shares
    path = None if symbol.path is None else _path_row(symbol.path)
    acting = sorted(symbol.acting)
    return [name, symbol.kind, traits, spans, path, acting, *_part_row(symbol.part)]


def _symbol(row: _Row) -> Symbol:
    _, kind, traits, spans, path, acting, *part = row
    spans = tuple(_pairs(spans))
    if not traits and path is None and not acting:  # as most of them
        return Symbol(_KINDS[kind], _part(part), spans)
    return Symbol(
        kind=_KINDS[kind],
        part=_part(part),
        spans=spans,
        learns=bool(traits & 1),
        starts_empty=bool(traits & 2),
        ignored=bool(traits & 4),
        fills=bool(traits & 8),
        shares=bool(traits & 16),
        acting=frozenset(acting),
        path=None if path is None else _path(path),
    )


def _path_row(path: FilePath) -> _Row:
    start = None if path.start is None else _reference_row(path.start)
    return [path.steps, start, path.is_own]


def _path(row: _Row) -> FilePath:
    steps, start, is_own = row
    return FilePath(tuple(steps), None if start is None else _reference(start), is_own)


def _read_row(read: Read) -> _Row:
    return [*_path_row(read.path), read.line, read.names_only + 2 * read.is_program]


def _read(row: _Row) -> Read:
    *path, line, traits = row
    return Read(_path(path), line, bool(traits & 1), bool(traits & 2))


def _trigger_row(trigger: Trigger[int]) -> _Row:
    row = [trigger.name, trigger.decorators, trigger.bases, trigger.calls, trigger.arguments]
    return [*row, trigger.operands] if trigger.operands else row


def _part_row(part: Part) -> _Row:
    references = [number for pair in part.references for number in pair]
    lookups = [[lookup.what, lookup.line] for lookup in part.lookups]
    hashes = (part.digest + part.text).hex()
    row = [part.line, hashes, references, part.writes, part.calls, lookups]
    files = [list(map(_read_row, part.reads)), list(map(_read_row, part.later))]
    traits = part.opens + 2 * part.opens_later + 4 * part.lists + 8 * part.quotes
    row += [part.asked, part.loads, part.texts, part.called, *files, part.mentions, traits]
    row += [[value for pair in part.given for value in pair], part.words, part.named]
    row.append(part.docs)
    while not row[-1]:
        row.pop()
    return row


def _part(row: _Row) -> Part:
    is_short = len(row) <= _USES
    row += _NOTHING[len(row) :]
    line, hashes, references, writes, calls, lookups, *rest = row
    digest, text = ObjectId.many(bytes.fromhex(hashes))
    found = tuple(Lookup(what, at) for what, at in lookups) if lookups else ()
    uses = (tuple(_pairs(references)), tuple(writes), tuple(calls), found)
    if is_short:  # as most of them
        return Part(line, digest, text, *uses)
    asked, loads, texts, called, reads, later, mentions, traits, given, words, named, docs = rest
    return Part(
        line,
        digest,
        text,
        *uses,
        loads=tuple(loads),
        texts=tuple(texts),
        called=tuple(called),
        reads=tuple(map(_read, reads)),
        later=tuple(map(_read, later)),
        mentions=tuple(mentions),
        opens=bool(traits & 1),
        opens_later=bool(traits & 2),
        asked=tuple(asked),
        given=tuple(zip(given[::2], given[1::2], strict=True)) if given else (),
        words=tuple(words),
        named=tuple(named),
        lists=bool(traits & 4),
        quotes=bool(traits & 8),
        docs=docs,
    )


def _pairs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    every = iter(numbers)
    return zip(every, every, strict=True)


def _places(numbers: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if numbers is None else tuple(numbers)
