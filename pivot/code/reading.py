"""Sources as they are read: each file once, its id taken from the very bytes that are parsed."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from pivot.code.keeping import decode, encode
from pivot.code.source.extraction import extract
from pivot.code.source.facts import Module
from pivot.errors import DefinitionError
from pivot.hashing import ObjectId, derive, hash_bytes
from pivot.paths import RepoPath

_CONTEXT: Final = "pivot facts 1"


class Sources(Protocol):
    """Where source files come from: the disk, or a commit."""

    def read(self, path: RepoPath) -> bytes | None:
        """The bytes of a file; None where no file is."""
        ...

    def is_dir(self, path: RepoPath) -> bool:
        """Whether a directory is there, for packages without `__init__.py`."""
        ...

    def names(self, path: RepoPath) -> Sequence[str]:
        """The names in a directory, sorted, without hidden ones and `__pycache__`.

        None where no directory is.
        """
        ...


class Kept(Protocol):
    """What is known of sources without reading and parsing them."""

    def file_id(self, path: RepoPath) -> ObjectId | None:
        """The id of a file as it is now; None where no file is."""
        ...

    def facts(self, key: ObjectId) -> bytes | None:
        """What was kept under a key; it may be damaged."""
        ...

    def keep(self, key: ObjectId, facts: bytes) -> None: ...


class Reading:
    """Reads sources, and makes facts of those of which nothing is known."""

    def __init__(self, sources: Sources, kept: Kept | None) -> None:
        self._sources = sources
        self._kept = kept
        self._ids: dict[RepoPath, ObjectId | None] = {}
        self._texts: dict[RepoPath, bytes] = {}
        self._modules: dict[str, Module] = {}
        self._ahead: Mapping[ObjectId, bytes] = {}
        self.parsed = 0

    @property
    def ids(self) -> Mapping[RepoPath, ObjectId | None]:
        """Every file asked for: the id of what was read, None where nothing was."""
        return self._ids

    def exists(self, path: RepoPath) -> bool:
        if path not in self._ids:
            if self._kept is None:
                self._read(path)
            else:
                self._ids[path] = self._kept.file_id(path)
        return self._ids[path] is not None

    def _read(self, path: RepoPath) -> bytes | None:
        data = self._sources.read(path)
        self._ids[path] = None if data is None else hash_bytes(data)
        if data is not None:
            self._texts[path] = data
        return data

    def text(self, path: RepoPath) -> bytes:
        """The bytes of a file that exists."""
        data = self._texts.get(path)
        if data is None:
            data = self._read(path)
        if data is None:
            raise DefinitionError(f"{path} went away while it was read", hint="Run it again")
        return data

    def module(self, name: str, file: RepoPath, *, is_package: bool) -> Module:
        """The facts of a source that exists; which of its names are Pivot's own is a guess.

        Raises `DefinitionError` where it isn't Python.
        """
        module = self._modules.get(name)
        if module is None:
            module = self._known(name, file, is_package=is_package)
            if module is None:
                module = self._extract(name, file, is_package=is_package, declared=None)
            self._modules[name] = module
        return module

    def again(self, module: Module, declared: frozenset[str]) -> Module:
        """The facts once more, with these names taken for Pivot's own."""
        place = module.place
        is_package = place.package == place.module
        fresh = self._extract(place.module, module.file, is_package=is_package, declared=declared)
        self._modules[place.module] = fresh
        return fresh

    def _known(self, name: str, file: RepoPath, *, is_package: bool) -> Module | None:
        id_ = self._ids[file]
        return None if id_ is None else self.kept(name, file, id_, is_package=is_package)

    def kept(self, name: str, file: RepoPath, id_: ObjectId, *, is_package: bool) -> Module | None:
        """The facts that were kept of a source with this id, or made ahead."""
        key = facts_key(id_, name, is_package=is_package)
        data = self._ahead.get(key)
        if data is not None:
            self._keep(key, data)
        elif self._kept is not None:
            data = self._kept.facts(key)
        return None if data is None else decode(data, file)

    def is_known(self, key: ObjectId) -> bool:
        """Whether the facts under this key need no parsing."""
        return self._kept is not None and self._kept.facts(key) is not None

    def take(self, ahead: Mapping[ObjectId, bytes]) -> None:
        """Take facts that were made ahead, by their keys."""
        self._ahead = ahead

    def _keep(self, key: ObjectId, facts: bytes) -> None:
        if self._kept is not None:
            self._kept.keep(key, facts)

    def _extract(
        self, name: str, file: RepoPath, *, is_package: bool, declared: frozenset[str] | None
    ) -> Module:
        text = self.text(file)
        self.parsed += 1
        module = extract(text, file, name, is_package=is_package, declared=declared)
        id_ = self._ids[file]
        if self._kept is not None and id_ is not None:
            self._keep(facts_key(id_, name, is_package=is_package), encode(module))
        return module


def facts_key(id_: ObjectId, name: str, *, is_package: bool) -> ObjectId:
    """What the facts of a source depend on, beside which names are Pivot's own."""
    about = f"{name}\n{is_package}".encode("utf-8", "surrogatepass")
    return derive(_CONTEXT, id_ + about)
