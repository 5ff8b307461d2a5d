"""Code that ran in a stage although nothing in its sources leads there, as by computed names."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from pivot.code.findings import MODULE, Fingerprint
from pivot.paths import PathError, RepoPath
from pivot.run.observation import Observation
from pivot.run.sifting import Beyond

type _Place = tuple[RepoPath, int]


class Sources(Protocol):
    """The project's code, as it is now; see `pivot.project.code`."""

    def symbols_at(self, places: Collection[_Place]) -> Mapping[_Place, str]: ...

    def reached(self, names: Collection[str]) -> Mapping[str, RepoPath]: ...

    def hashes(self, names: Collection[str]) -> Mapping[str, str | None]: ...


def find_beyond(sources: Sources, fingerprint: Fingerprint, seen: Observation) -> Beyond:
    """What ran beyond `fingerprint`, the code that is known without running.

    What is found leads on as everything does: a function that was called by a computed name counts
    with all that it uses, and a module that was imported by one counts as a whole.
    """
    ran = set(_places(seen.code))
    at_import = {_module_itself(by): set(_places(code)) for by, code in seen.imported.items()}
    every = {place for place in ran.union(at_import, *at_import.values()) if place is not None}
    static = {(at.file, at.line) for at in fingerprint.locations.values()}
    names = dict(sources.symbols_at(every - static)) if every - static else {}
    roots = {names[place] for place in ran if place in names}
    for importer, places in at_import.items():
        # What runs when a module is imported is known if the import is.
        if importer is None or _is_known(names.get(importer), fingerprint):
            continue
        roots |= {names[place] for place in places if place in names}
    roots = {name for name in roots if not _is_known(name, fingerprint)}
    roots |= {f"{name}:{MODULE}" for name in seen.modules}
    files = {file for file, _ in every}
    foreign = files - {file for file, _ in names} - {file for file, _ in static}
    reached = _condensed(sources.reached(sorted(roots)), fingerprint) if roots else {}
    hashes = sources.hashes(sorted(reached)) if reached else {}
    code = {
        name: hash_
        for name, hash_ in hashes.items()
        if hash_ is not None and fingerprint.code.get(name) != hash_
    }
    return Beyond(code, {name: reached[name] for name in code}, files - foreign, foreign)


def _is_known(name: str | None, fingerprint: Fingerprint) -> bool:
    if name is None:
        return False
    module, _, symbol = name.partition(":")
    return module in fingerprint.runs if symbol == MODULE else name in fingerprint.code


def _condensed(reached: Mapping[str, RepoPath], fingerprint: Fingerprint) -> dict[str, RepoPath]:
    """Modules as a whole instead of their symbols, unless they are known symbol by symbol."""
    parts: dict[str, set[str]] = {}
    for name in reached:
        parts.setdefault(name.partition(":")[0], set()).add(name)
    kept: dict[str, RepoPath] = {}
    for module, names in parts.items():
        whole = f"{module}:{MODULE}"
        is_known = module in fingerprint.runs and names - {whole} <= fingerprint.code.keys()
        has_whole = whole in names
        chosen = {whole} if has_whole and not is_known else names - {whole}
        kept |= {name: reached[name] for name in chosen}
    return kept


def _places(code: Mapping[str, Collection[int]]) -> Iterator[_Place]:
    for file, lines in code.items():
        try:
            path = RepoPath(file)
        except PathError:
            continue  # a name that no lock can hold
        yield from ((path, line) for line in lines)


def _module_itself(file: str) -> _Place | None:
    return next(_places({file: (0,)}), None)
