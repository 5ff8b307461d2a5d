"""What a run was seen to use beyond what it declares; not part of a key, but of whether it holds.

Each name comes with the hash that it had, or None for what wasn't there:

    code   `package.module:name` -> its hash; `<module>` as a name stands for all of a module
    env    a variable -> the hash of its value, which itself is kept nowhere
    files  a path in the project -> the id of its bytes
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from pivot.hashing import Json, ObjectId, derive
from pivot.lock.fields import Fields
from pivot.paths import RepoPath

VALUE_CONTEXT = "pivot lock variable 1"

ANY = "any"
"""What a variable is said to be now that may differ: it is as it was in every lock."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run was seen to use: each name with its hash at that time, None if it was absent."""

    code: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str | None] = field(default_factory=dict)
    files: Mapping[RepoPath, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Fields) -> Self:
        """The inverse of `as_text`; raises `TypeError`, `KeyError` or `PathError` for others."""
        files = fields.optional_texts("files")
        return cls(
            fields.texts("code"),
            fields.optional_texts("env"),
            {RepoPath(path): id_ for path, id_ in files.items()},
        )

    def as_text(self) -> str:
        """Its JSON in a lock: one entry a line; on a single line where there is none."""
        if not (self.code or self.env or self.files):
            return '{"code": {}, "env": {}, "files": {}}'
        groups = {
            "code": _lines(self.code), "env": _lines(self.env), "files": _lines(self.files)
        }  # fmt: skip
        lines = (f'    "{name}": {text}' for name, text in groups.items())
        return "{\n" + ",\n".join(lines) + "\n  }"

    def at(self, seen: Mapping[str, str | None]) -> Self:
        """The same names with the hashes of another time, as `present` gives them.

        Code that is gone is left out, and so are variables that may differ.
        """
        now = {symbol: seen.get(f"code:{symbol}") for symbol in self.code}
        return type(self)(
            {symbol: hash_ for symbol, hash_ in now.items() if hash_ is not None},
            {n: hash_ for n in self.env if (hash_ := seen.get(f"env:{n}")) != ANY},
            {path: seen.get(f"file:{path}") for path in self.files},
        )


def _lines[N: str, V: str | None](entries: Mapping[N, V]) -> str:
    if not entries:
        return "{}"
    rows = (f"      {_text(name)}: {_text(entries[name])}" for name in sorted(entries))
    return "{\n" + ",\n".join(rows) + "\n    }"


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def variable_hash(value: str | None) -> str | None:
    """What stands in a lock for a variable's value; None for a variable that isn't set."""
    if value is None:
        return None
    return str(derive(VALUE_CONTEXT, value.encode(errors="surrogateescape")))


def _none(_: str) -> bool:
    return False


def present(
    observed: Iterable[Observed],
    *,
    code: Callable[[Collection[str]], Mapping[str, str | None]],
    variable: Callable[[str], str | None],
    file: Callable[[RepoPath], ObjectId | None],
    may_differ: Callable[[str], bool] = _none,
) -> dict[str, str | None]:
    """What all that was observed hashes to now, by `code:`, `env:` or `file:` and the name.

    Args:
        code: hashes of symbols; asked once, for all of them.
        variable: the value of a variable.
        file: the id of a file of the project.
        may_differ: whether a variable may differ; it gets `ANY`.
    """
    symbols: set[str] = set()
    names: set[str] = set()
    paths: set[RepoPath] = set()
    for one in observed:
        symbols |= one.code.keys()
        names |= one.env.keys()
        paths |= one.files.keys()
    hashes = code(sorted(symbols)) if symbols else {}
    ids = {path: file(path) for path in paths}
    return (
        {f"code:{symbol}": hashes.get(symbol) for symbol in symbols}
        | {f"env:{n}": ANY if may_differ(n) else variable_hash(variable(n)) for n in names}
        | {f"file:{path}": None if id_ is None else str(id_) for path, id_ in ids.items()}
    )
