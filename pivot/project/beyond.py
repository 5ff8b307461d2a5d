"""Code that ran in a stage although nothing in its sources leads there, as by computed names."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

from pivot.code.findings import IGNORED, MODULE, Fingerprint, Reached
from pivot.paths import PathError, RepoPath
from pivot.run.observation import Observation
from pivot.run.sifting import Beyond

type _Place = tuple[RepoPath, int]


class Sources(Protocol):
    """The project's code, as it is now; see `pivot.project.code`."""

    def symbols_at(self, places: Collection[_Place]) -> Mapping[_Place, str]: ...

    def reached(self, names: Collection[str], *, heed: bool = True) -> Reached: ...

    def hashes(self, names: Collection[str]) -> Mapping[str, str | None]: ...

    def outside(self, names: Collection[str]) -> AbstractSet[str]: ...


def find_beyond(sources: Sources, fingerprint: Fingerprint, seen: Observation) -> Beyond:
    """What ran beyond `fingerprint`, the code that is known without running.


    What is found leads on as everything does: a function that was called by a computed name counts
    with all that it uses, and a module that was imported by one counts as a whole. What only
    symbols lead to that a comment says to ignore is ignored with them.
    """
    places = list(_places(seen.code))
    at_import = {file: list(_places(code)) for file, code in seen.imported.items()}
    every = {*places, *(place for found in at_import.values() for place in found)}
    static = {(at.file, at.line) for at in fingerprint.locations.values()}
    names = sources.symbols_at(every - static) if every - static else {}
    files = {file for file, _ in every}
    foreign = files - {file for file, _ in names} - {file for file, _ in static}

    ignored = _ignored(sources, fingerprint)
    ran = list(dict.fromkeys(names[place] for place in places if place in names))
    ran = [name for name in ran if name not in ignored]
    whole = [f"{name}:{MODULE}" for name in seen.modules]
    whole = [name for name in whole if name not in ignored]
    roots = [name for name in ran if not _is_module(name) and name not in fingerprint.code]
    found = _follow(sources, fingerprint, [*whole, *roots], filter(_is_module, ran))
    # What runs while a module is imported is known if the import is.
    modules: dict[str, str] = {file: name for (file, _), name in names.items() if _is_module(name)}
    late = {
        names[place]
        for file, inner in at_import.items()
        for place in inner
        if place in names and modules.get(file) in found.files
    } - ignored
    more = sources.reached(sorted(late - found.files.keys())) if late else Reached()
    reached = _condensed({**found.files, **more.files}, fingerprint)
    hashes = sources.hashes(sorted(reached)) if reached else {}
    code = {
        name: hash_
        for name, hash_ in hashes.items()
        if hash_ is not None and fingerprint.code.get(name) != hash_
    }
    outside = (found.modules | more.modules | sources.outside(seen.packages)) - fingerprint.modules
    return Beyond(
        code,
        {name: reached[name] for name in code},
        files - foreign,
        foreign,
        outside,
    )


def _ignored(sources: Sources, fingerprint: Fingerprint) -> AbstractSet[str]:
    """What the symbols that are ignored lead to, and modules that only they import."""
    roots = [name for name, hash_ in fingerprint.code.items() if hash_ == IGNORED]
    reached = sources.reached(roots, heed=False) if roots else Reached()
    modules = reached.runs - fingerprint.runs
    return {*reached.files, *(f"{name}:{MODULE}" for name in modules)} - fingerprint.code.keys()


def _follow(
    sources: Sources, fingerprint: Fingerprint, roots: Iterable[str], bodies: Iterable[str]
) -> Reached:
    """All that `roots` lead to, and modules that ran although nothing leads to their import.

    `bodies` are modules in the order in which they ran: what runs later imported none before it.
    """
    by_module: dict[str, list[str]] = {}
    for name in roots:
        by_module.setdefault(name.partition(":")[0], []).append(name)
    found = {module: sources.reached(names) for module, names in by_module.items()}
    files = {entry: file for reached in found.values() for entry, file in reached.files.items()}
    modules = frozenset[str]().union(*(reached.modules for reached in found.values()))
    order = [name.partition(":")[0] for name in bodies]
    runs = fingerprint.runs
    for number, module in enumerate(order):
        earlier = found.keys() - order[number:]
        if module not in runs.union(*(found[name].runs for name in earlier)):
            more = sources.reached([f"{module}:{MODULE}"])
            files |= more.files
            modules |= more.modules
            runs |= more.runs
    return Reached(files, runs, modules)


def _is_module(name: str) -> bool:
    return name.endswith(f":{MODULE}")


def _condensed(files: Mapping[str, RepoPath], fingerprint: Fingerprint) -> dict[str, RepoPath]:
    """Modules as a whole instead of their symbols, unless they are known symbol by symbol."""
    parts: dict[str, set[str]] = {}
    for name in files:
        parts.setdefault(name.partition(":")[0], set()).add(name)
    kept: dict[str, RepoPath] = {}
    for module, names in parts.items():
        whole = f"{module}:{MODULE}"
        has_whole = whole in names
        is_known = module in fingerprint.runs and names - {whole} <= fingerprint.code.keys()
        chosen = {whole} if has_whole and not is_known else names - {whole}
        kept |= {name: files[name] for name in chosen}
    return kept


def _places(code: Mapping[str, Collection[int]]) -> Iterator[_Place]:
    for file, lines in code.items():
        try:
            path = RepoPath(file)
        except PathError:
            continue  # a name that no lock can hold
        yield from ((path, line) for line in lines)
