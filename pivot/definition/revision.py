"""Definitions after edits of code that didn't run while they were loaded: they stay what they are.

Imported only where a source changed.
"""

import os
import warnings
from collections.abc import Collection
from dataclasses import replace

from pivot.definition.definitions import Definitions
from pivot.definition.executed import Executed
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
    files, executed = dict(known.evidence.files), dict(known.evidence.executed)
    stages = known.stages
    for path, id_ in edited:
        before = executed.get(path)
        now = None if before is None or id_ is None else _executed(project, path, id_, before)
        if before is None or now is None or now.digest != before.digest:
            return None
        if now.lines != before.lines and not _is_plain(project, path):
            return None  # the stages in it may be known by another name of the file
        lines = dict(zip(before.lines, now.lines, strict=True))
        here = [stage for stage in stages if stage.file == path]
        if not all(stage.line in lines for stage in here):
            return None
        moved = {stage.name: replace(stage, line=lines[stage.line]) for stage in here}
        stages = tuple(moved.get(stage.name, stage) for stage in stages)
        files[path], executed[path] = str(id_), now
    evidence = replace(known.evidence, files=files, executed=executed)
    return replace(known, stages=stages, evidence=evidence)


def _executed(project: str, path: str, id_: ObjectId, before: Executed) -> Executed | None:
    """What a source has now where there was what ran; None where it can't be read or compiled."""
    try:
        with open(os.path.join(project, path), "rb") as f:
            data = f.read()
        if hash_bytes(data) != id_:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python says it when the code is run
            code = compile(data, path, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    return Executed.of(code, before.parts)


def _is_plain(project: str, path: str) -> bool:
    """Whether no link leads to a file, but for those to the project."""
    return os.path.realpath(os.path.join(project, path)) == os.path.join(
        os.path.realpath(project), path
    )
