"""What a run was seen to use beyond what it declares; not part of a key, but of whether it holds.

Each name comes with the hash that it had, or None for what wasn't there:

    code      `package.module:name` -> its hash; `<module>` as a name stands for all of a module
    env       a variable -> the hash of its value, which itself is kept nowhere
    files     a path in the project -> the id of its bytes
    folders   a path in the project, among `files` with a slash at its end -> the hash of its names
    packages  a distribution -> its public version; own code elsewhere -> `source` and a digest
"""

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from pivot.hashing import Json, ObjectId, derive
from pivot.lock.fields import Fields
from pivot.paths import RepoPath

VALUE_CONTEXT = "pivot lock variable 1"
NAMES_CONTEXT = "pivot lock names 1"

ANY = "any"
"""What a variable or package is said to be now that may differ: it is as it was in every lock."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run was seen to use: each name with its hash at that time, None if it was absent."""

    code: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str | None] = field(default_factory=dict)
    files: Mapping[RepoPath, str | None] = field(default_factory=dict)
    folders: Mapping[RepoPath, str | None] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Fields) -> Self:
        """The inverse of `as_text`; raises `TypeError`, `KeyError` or `PathError` for others."""
        files: dict[RepoPath, str | None] = {}
        folders: dict[RepoPath, str | None] = {}
        for path, id_ in fields.optional_texts("files").items():
            if path.endswith("/"):
                folders[RepoPath(path[:-1])] = id_
            else:
                files[RepoPath(path)] = id_
        return cls(
            fields.texts("code"),
            fields.optional_texts("env"),
            files,
            folders,
            fields.texts("packages") if "packages" in fields else {},
        )

    def as_text(self) -> str:
        """Its JSON in a lock: one entry a line; on a single line where there is none."""
        files = self.paths
        packages = {"packages": _lines(self.packages)} if self.packages else {}
        if not (self.code or self.env or files or packages):
            return '{"code": {}, "env": {}, "files": {}}'
        groups = {"code": _lines(self.code), "env": _lines(self.env), "files": _lines(files)}
        lines = (f'    "{name}": {text}' for name, text in {**groups, **packages}.items())
        return "{\n" + ",\n".join(lines) + "\n  }"

    @property
    def paths(self) -> dict[str, str | None]:
        """Files, and folders with a slash at their end."""
        folders = {f"{path}/": names for path, names in self.folders.items()}
        return {**dict(self.files.items()), **folders}

    def entries(self) -> Iterator[tuple[str, str | None]]:
        """All of it by the names that `present` gives: `code:`, `env:`, `file:` or `package:`."""
        for symbol, hash_ in self.code.items():
            yield f"code:{symbol}", hash_
        for name, value in self.env.items():
            yield f"env:{name}", value
        for path, id_ in self.paths.items():
            yield f"file:{path}", id_
        for package, version in self.packages.items():
            yield f"package:{package}", version

    def at(self, seen: Mapping[str, str | None]) -> Self:
        """The same names with the hashes of another time, as `present` gives them.

        Code and packages that are gone are left out, and so is what may differ.
        """
        code = {symbol: seen.get(f"code:{symbol}") for symbol in self.code}
        packages = {name: seen.get(f"package:{name}") for name in self.packages}
        return type(self)(
            {symbol: hash_ for symbol, hash_ in code.items() if hash_ is not None},
            {n: hash_ for n in self.env if (hash_ := seen.get(f"env:{n}")) != ANY},
            {path: seen.get(f"file:{path}") for path in self.files},
            {path: seen.get(f"file:{path}/") for path in self.folders},
            {n: version for n, version in packages.items() if version not in (None, ANY)},
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


def names_hash(names: Collection[str] | None) -> str | None:
    """What stands in a lock for the names in a folder; None for a folder that isn't there."""
    if names is None:
        return None
    return str(derive(NAMES_CONTEXT, b"\0".join(sorted(map(os.fsencode, names)))))


def _none(_: str) -> bool:
    return False


def _no_packages(_: Collection[str]) -> Mapping[str, str | None]:
    """For those who know of no packages."""
    return {}


def present(
    observed: Iterable[Observed],
    *,
    code: Callable[[Collection[str]], Mapping[str, str | None]],
    variable: Callable[[str], str | None],
    files: Callable[[Collection[RepoPath]], Mapping[str, ObjectId | None]],
    folder: Callable[[RepoPath], str | None],
    packages: Callable[[Collection[str]], Mapping[str, str | None]] = _no_packages,
    may_differ: Callable[[str], bool] = _none,
) -> dict[str, str | None]:
    """What all that was observed hashes to now, by the names of `Observed.entries`.

    Args:
        code: hashes of symbols; asked once, for all of them.
        variable: the value of a variable.
        files: ids of files of the project; asked once.
        folder: the hash of the names in a folder of the project.
        packages: versions of distributions, `ANY` for one that may differ; asked once.
        may_differ: whether a variable may differ; it gets `ANY`.
    """
    symbols: set[str] = set()
    names: set[str] = set()
    paths: set[RepoPath] = set()
    folders: set[RepoPath] = set()
    imported: set[str] = set()
    for one in observed:
        symbols |= one.code.keys()
        names |= one.env.keys()
        paths |= one.files.keys()
        folders |= one.folders.keys()
        imported |= one.packages.keys()
    hashes = code(sorted(symbols)) if symbols else {}
    versions = packages(sorted(imported)) if imported else {}
    ids = files(paths) if paths else {}
    return (
        {f"code:{symbol}": hashes.get(symbol) for symbol in symbols}
        | {f"env:{n}": ANY if may_differ(n) else variable_hash(variable(n)) for n in names}
        | {f"file:{path}": None if id_ is None else str(id_) for path, id_ in ids.items()}
        | {f"file:{path}/": folder(path) for path in folders}
        | {f"package:{name}": versions.get(name) for name in imported}
    )
