"""Facts as bytes, for the accelerator: JSON in short rows, sealed so that damage is noticed.

Layout: 16 bytes of the BLAKE3 hash of the rest, then a JSON array. References are kept once for
each module; code refers to them by their place.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from pivot.code.declarations import Bindings
from pivot.code.facts import Effect, Module, Part, Symbol, Trigger
from pivot.code.findings import Kind
from pivot.code.references import Lookup, Reference
from pivot.code.scopes import Origin, Place
from pivot.hashing import ObjectId, hash_bytes
from pivot.paths import RepoPath

_SEAL: Final = 16

type _Row = list[Any]


def encode(module: Module) -> bytes:
    """The bytes that `decode` makes the same facts of; the file's path is not among them."""
    place, bindings = module.place, module.bindings
    value = [
        [place.module, place.package, sorted(place.loaders)],
        [_reference_row(reference) for reference in module.references],
        [_symbol_row(name, symbol) for name, symbol in module.symbols.items()],
        [[name, *map(_origin_row, origins)] for name, origins in module.imports.items()],
        module.stars,
        [_origin_row(origin) for origin in module.runs],
        [[_part_row(effect.part), effect.touches] for effect in module.effects],
        [[t.name, t.decorators, t.calls] for t in module.triggers],
        sorted(module.exports),
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
    (place, references, symbols, imports, stars, runs, effects, triggers, exports,
     origins, made, declared) = json.loads(body)  # fmt: skip
    return Module(
        place=Place(place[0], place[1], frozenset(place[2])),
        file=file,
        references=tuple(map(_reference, references)),
        symbols={row[0]: _symbol(row) for row in symbols},
        imports={row[0]: tuple(_origins(row[1:])) for row in imports},
        stars=tuple(stars),
        runs=tuple(_origins(runs)),
        effects=tuple(Effect(_part(part), _places(touches)) for part, touches in effects),
        triggers=tuple(Trigger(n, tuple(ds), tuple(cs)) for n, ds, cs in triggers),
        exports=frozenset(exports),
        bindings=Bindings({row[0]: tuple(_origins(row[1:])) for row in origins}, made),
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
    return [name, symbol.kind, traits, spans, *_part_row(symbol.part)]


def _symbol(row: _Row) -> Symbol:
    _, kind, traits, spans, *part = row
    learns, starts_empty, ignored = (bool(traits & bit) for bit in (1, 2, 4))
    return Symbol(Kind(kind), _part(part), tuple(_pairs(spans)), learns, starts_empty, ignored)


def _part_row(part: Part) -> _Row:
    references = [number for pair in part.references for number in pair]
    lookups = [[lookup.what, lookup.line] for lookup in part.lookups]
    hashes = (part.digest + part.text).hex()
    return [part.line, hashes, references, part.writes, part.calls, lookups]


def _part(row: _Row) -> Part:
    line, hashes, references, writes, calls, lookups = row
    digest, text = ObjectId.many(bytes.fromhex(hashes))
    return Part(
        line=line,
        digest=digest,
        text=text,
        references=tuple(_pairs(references)),
        writes=tuple(writes),
        calls=tuple(calls),
        lookups=tuple(Lookup(what, at) for what, at in lookups),
    )


def _pairs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    every = iter(numbers)
    return zip(every, every, strict=True)


def _places(numbers: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if numbers is None else tuple(numbers)
