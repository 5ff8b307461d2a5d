"""Definitions after edits that can't matter to them: they stay what they are.

Imported only where a source changed.
"""

import os
import sys
import warnings
from collections.abc import Collection
from dataclasses import replace
from types import CodeType

from pivot.definition.bytecode.outline import Outline, outline
from pivot.definition.definitions import Definitions
from pivot.definition.evidence import Evidence, Lookups, module_candidates
from pivot.definition.executed import Executed
from pivot.definition.mattering import executed_at
from pivot.definition.standard import has, is_standard
from pivot.hashing import ObjectId, hash_bytes


def revised(
    known: Definitions, project: str, edited: Collection[tuple[str, ObjectId | None]]
) -> Definitions | None:
    """What loading would give now; None where that can't be told without running user code.

    Args:
        known: definitions whose evidence holds but for the edited files.
        project: absolute path of the project root.
        edited: files that changed, as the evidence names them, with their ids.
    """
    now: Definitions | None = known
    for path, id_ in edited:
        now = None if now is None or id_ is None else _with(now, project, path, id_)
    return now


def _with(known: Definitions, project: str, path: str, id_: ObjectId) -> Definitions | None:
    """The same after the edit of one file."""
    before = known.evidence.executed.get(path)
    code = None if before is None else _compiled(os.path.join(project, path), id_)
    if before is None or code is None:
        return None
    found = outline(code, _Known(known.evidence))
    evidence = _with_libraries(known.evidence, project, found)
    if evidence is None:
        return None
    now = executed_at(found, evidence.influence, before.parts)
    if not before.holds_as(now):
        return None
    if now.lines != before.lines and not _is_plain(project, path):
        return None  # the stages in it may be known by another name of the file
    files = {**evidence.files, path: str(id_)}
    evidence = replace(evidence, files=files, executed={**evidence.executed, path: now})
    return _moved(replace(known, evidence=evidence), path, before, now)


def _compiled(file: str, id_: ObjectId) -> CodeType | None:
    """The code of a source; None where it can't be read or compiled, or is another one."""
    try:
        with open(file, "rb") as f:
            data = f.read()
        if hash_bytes(data) != id_:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # who loads it may have asked for that
            return compile(data, file, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError, Warning):
        return None


class _Known:
    """Modules, as the evidence has them."""

    def __init__(self, evidence: Evidence) -> None:
        self._libraries = evidence.influence.proven

    def is_own(self, name: str) -> bool:
        return not (name in self._libraries or is_standard(name))

    def is_named(self, name: str) -> bool:  # noqa: ARG002
        return False  # it decides what definitions depend on, which is known


def _with_libraries(evidence: Evidence, project: str, found: Outline) -> Evidence | None:
    """The evidence with what a source needs now of the standard library.

    A file of the project that is called like one of its modules would be imported instead. None
    where there is one, since then it can't be told what would be.
    """
    influence = evidence.influence
    needs = {need for statement in found.statements for need in statement.needs}
    new = frozenset(filter(has, needs - influence.proven))
    if not new:
        return evidence
    lookups = dict(evidence.lookups)
    top = lookups.get(".")
    for folder, known in evidence.lookups.items():
        if top is None or not set(top.names) - {"__init__"} <= set(known.names):
            continue  # a package's folder
        path = os.path.join(project, folder)
        if any(map(_is_module, module_candidates(path, tuple(sys.stdlib_module_names)))):
            return None
        names = tuple(sorted(sys.stdlib_module_names.union(known.names)))
        lookups[folder] = Lookups(names, module_candidates(path, names))
    influence = replace(influence, proven=influence.proven | new)
    return replace(evidence, influence=influence, lookups=lookups)


def _is_module(entry: str) -> bool:
    """Whether an entry of `module_candidates` comes before modules of later folders.

    A folder that is no regular package doesn't.
    """
    return entry.endswith("/") or "." in entry


def _moved(known: Definitions, path: str, before: Executed, now: Executed) -> Definitions | None:
    """The stages of a file with the lines that they have now."""
    moves = set(zip(before.lines, now.lines, strict=True))
    lines = dict(moves)
    if len(lines) != len(moves):
        return None  # what stood on one line doesn't any more
    here = [stage for stage in known.stages if stage.file == path]
    if not all(stage.line in lines for stage in here):
        return None
    moved = {stage.name: replace(stage, line=lines[stage.line]) for stage in here}
    return replace(known, stages=tuple(moved.get(s.name, s) for s in known.stages))


def _is_plain(project: str, path: str) -> bool:
    """Whether no link leads to a file, but for those to the project."""
    return os.path.realpath(os.path.join(project, path)) == os.path.join(
        os.path.realpath(project), path
    )
