"""Parsing ahead: sources that will be asked for, made into facts by several processes at once.

Which sources those are is guessed from the import statements in their text. A guess costs little
where it is wrong: nothing that was guessed is evidence, and what was missed is parsed when it is
asked for.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

from pivot.code.keeping import encode
from pivot.code.reading import Sources, facts_key
from pivot.code.source.extraction import extract
from pivot.code.source.scopes import Place
from pivot.errors import DefinitionError
from pivot.forking import Forked, useful
from pivot.hashing import ID_SIZE, ObjectId, hash_bytes
from pivot.paths import PathError, RepoPath

_FROM: Final = re.compile(
    rb"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n#;]*)", re.MULTILINE
)
_IMPORT: Final = re.compile(rb"^[ \t]*import[ \t]+([^\n#;]+)", re.MULTILINE)
_NAME: Final = re.compile(r"[\w.]+")
_WORTH: Final = 48  # sources: for fewer, making processes costs more than it saves
_LENGTH: Final = 4  # bytes


@dataclass(frozen=True, slots=True)
class Guess:
    """A source that will probably be asked for."""

    name: str
    file: RepoPath
    is_package: bool
    text: bytes

    @property
    def key(self) -> ObjectId:
        return facts_key(hash_bytes(self.text), self.name, is_package=self.is_package)


def guess(sources: Sources, roots: Sequence[RepoPath], names: Iterable[str]) -> list[Guess]:
    """The sources of these modules, of their parents, and of all that they seem to import."""
    search = _Search(sources, roots)
    stack = list(names)
    seen: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            parent = name.rpartition(".")[0]
            found = search.find(name)
            stack += ([parent] if parent else []) + ([] if found is None else _imports(found))
    return [found for found in search.found.values() if found is not None]


class Parsing:
    """Facts in the making, by processes beside this one. Ask for `facts`, or `stop` it."""

    def __init__(self, begun: Sequence[Forked | None]) -> None:
        self._begun = begun

    @classmethod
    def start(cls, guesses: Iterable[Guess], is_known: Callable[[ObjectId], bool]) -> Self:
        """Begin with those sources that aren't known; with none if they are few."""
        missing = [one for one in guesses if not is_known(one.key)]
        helpers = useful() if len(missing) >= _WORTH else 0
        parts = [missing[number::helpers] for number in range(helpers)]
        return cls([Forked.start(partial(_facts_of, part)) for part in parts])

    def facts(self) -> Mapping[ObjectId, bytes]:
        """Wait for the facts, as bytes by their key.

        Sources that can't be parsed are left out: whoever asks for them is told.
        """
        found: dict[ObjectId, bytes] = {}
        try:
            for one in self._begun:
                data = None if one is None else one.result()
                found.update(_rows(data or b""))
        finally:
            self.stop()
        return found

    def stop(self) -> None:
        """End what didn't end yet."""
        for one in self._begun:
            if one is not None:
                one.kill()


def parse_ahead(
    guesses: Iterable[Guess], is_known: Callable[[ObjectId], bool]
) -> Mapping[ObjectId, bytes]:
    """The facts of those sources that aren't known, by their key; none if they are few."""
    return Parsing.start(guesses, is_known).facts()


def _facts_of(part: Sequence[Guess]) -> bytes:
    """The facts of some sources: for each the key, a length, and as many bytes."""
    out: list[bytes] = []
    for one in part:
        try:
            module = extract(one.text, one.file, one.name, is_package=one.is_package, declared=None)
        except DefinitionError:
            continue
        facts = encode(module)
        out += (one.key, len(facts).to_bytes(_LENGTH), facts)
    return b"".join(out)


def _rows(data: bytes) -> Iterator[tuple[ObjectId, bytes]]:
    at = 0
    while at < len(data):
        start = at + ID_SIZE + _LENGTH
        end = start + int.from_bytes(data[at + ID_SIZE : start])
        yield ObjectId(data[at : at + ID_SIZE]), data[start:end]
        at = end


def _imports(source: Guess) -> list[str]:
    """Dotted names that the lines of a source which look like imports may mean."""
    place = Place(source.name, source.name if source.is_package else source.name.rpartition(".")[0])
    found: list[str] = []
    for dots, module, names in _FROM.findall(source.text):
        base = place.absolute(module.decode("utf-8", "replace") or None, len(dots))
        if base:
            words = _NAME.findall(names.decode("utf-8", "replace"))
            found += (base, *(f"{base}.{word}" for word in words if word != "as"))
    for names in _IMPORT.findall(source.text):
        found += _NAME.findall(names.decode("utf-8", "replace"))
    return found


class _Search:
    """Finds sources by the rules of `sys.path`; every place is looked at once."""

    def __init__(self, sources: Sources, roots: Sequence[RepoPath]) -> None:
        self._sources = sources
        self._folders: dict[str, tuple[RepoPath, ...]] = {"": tuple(roots)}
        self.found: dict[str, Guess | None] = {}

    def find(self, name: str) -> Guess | None:
        if name not in self.found:
            parent, _, last = name.rpartition(".")
            self.found[name] = None
            if parent:
                self.find(parent)
            for folder in self._folders.get(parent, ()):
                if self._look(name, folder, last):
                    break
        return self.found[name]

    def _look(self, name: str, folder: RepoPath, last: str) -> bool:
        try:
            inner, plain = folder / last, folder / f"{last}.py"
            initial = inner / "__init__.py"
        except PathError:
            return False
        for file, is_package in ((initial, True), (plain, False)):
            text = self._sources.read(file)
            if text is not None:
                self.found[name] = Guess(name, file, is_package, text)
                self._folders[name] = (inner,) if is_package else ()
                return True
        if self._sources.is_dir(inner):
            self._folders[name] = (*self._folders.get(name, ()), inner)
        return False
