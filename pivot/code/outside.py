"""Own code that lies outside of the project: on `PYTHONPATH`, or installed in place (editable).

Its symbols aren't followed, since a lock can't name its files; instead all sources of an imported
module or package count, and those of whatever else outside they import.
"""

import ast
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec

from pivot.code.findings import SOURCE
from pivot.definition.ownership import Ownership, ownership
from pivot.hashing import Json, ObjectId, derive_json

_CONTEXT = "pivot outside sources 1"
# What weird finders and modules have been seen to raise.
_UNFINDABLE = (ImportError, ValueError, AttributeError)


def find_outside(modules: Iterable[str], project: str) -> Mapping[str, frozenset[str]]:
    """For each top-level module, the files and folders of own code outside that it stands for.

    `modules` are those that analysis doesn't find in the project; so if one lies there after all,
    by an import hook that is unknown, it counts as well. Installed ones and Python's own have none
    and are left out. Nothing is imported. `project` and the places are absolute.
    """
    own = ownership()
    direct: dict[str, frozenset[str]] = {}
    imported: dict[str, frozenset[str]] = {}
    asked = frozenset(modules)
    queue = list(asked)
    while queue:
        module = queue.pop()
        if module not in direct:
            direct[module] = frozenset(_places(module, project, own, is_asked=module in asked))
            imported[module] = frozenset(_imported(direct[module]))
            queue.extend(imported[module])
    reached = {module: _reached(module, imported) for module in asked if direct[module]}
    return {m: frozenset(p for n in names for p in direct[n]) for m, names in reached.items()}


def source_digest(place: str, file_id: Callable[[str], ObjectId | None]) -> str:
    """A digest of a file, or of all sources in a folder: the same wherever it lies."""
    rows: list[Json] = [
        [os.path.relpath(file, os.path.dirname(place)), id_.hex() if id_ else None]
        for file in _sources(place)
        for id_ in (file_id(file),)
    ]
    return derive_json(_CONTEXT, rows).hex()


def joined(digests: Iterable[str]) -> str:
    """What stands for some places in a lock, beside the versions of packages."""
    return f"{SOURCE}{derive_json(_CONTEXT, sorted(digests)).hex()}"


def is_joined(version: str) -> bool:
    """Whether what stands in a lock for a package was made by `joined`."""
    return version.startswith(SOURCE)


def _places(module: str, project: str, own: Ownership, *, is_asked: bool) -> Iterator[str]:
    spec = None
    with contextlib.suppress(*_UNFINDABLE):
        spec = find_spec(module)
    if spec is None:
        return
    folders = spec.submodule_search_locations
    # A mere folder of that name may be data of the project.
    may_be_inside = is_asked and spec.origin is not None
    for place in [spec.origin or ""] if folders is None else folders:
        path = os.path.realpath(place)
        if not (place.startswith("/") and os.path.exists(path)):
            continue
        if own.is_own(os.path.join(path, "")) and (may_be_inside or not _contains(project, path)):
            yield path


def _contains(project: str, path: str) -> bool:
    return (path + "/").startswith(project.rstrip("/") + "/")


def _sources(place: str) -> Iterator[str]:
    if not os.path.isdir(place):
        yield place
    for base, folders, files in os.walk(place):
        folders[:] = sorted(f for f in folders if f.isidentifier() and f != "__pycache__")
        yield from (os.path.join(base, file) for file in sorted(files) if file.endswith(".py"))


def _imported(places: Iterable[str]) -> Iterator[str]:
    """The top-level modules that sources import anywhere; unparsable ones fail when they run."""
    for file in (file for place in places for file in _sources(place) if file.endswith(".py")):
        with contextlib.suppress(OSError, SyntaxError, ValueError), open(file, "rb") as f:
            for node in ast.walk(ast.parse(f.read())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    yield node.module.partition(".")[0]


def _reached(module: str, imported: Mapping[str, frozenset[str]]) -> frozenset[str]:
    seen: set[str] = set()
    queue = [module]
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue.extend(imported[name])
    return frozenset(seen)
