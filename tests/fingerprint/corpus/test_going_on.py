"""The corpus as an editor makes it: what is kept of the last analysis never hides an edit."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pivot.code.fingerprint import ProjectCode
from pivot.code.record import CodeRecord
from pivot.hashing import ObjectId, hash_bytes
from pivot.paths import RepoPath
from pivot.project.analysing import Analysis
from pivot.project.sources import DiskSources
from tests.fingerprint.corpus.cases import Case, Files, read_corpus

CASES = read_corpus()


@dataclass(slots=True)
class Kept:
    """Facts kept in memory, as `KnownSources` keeps them in the accelerator."""

    root: Path
    known: dict[ObjectId, bytes] = field(default_factory=dict)

    def file_id(self, path: RepoPath) -> ObjectId | None:
        data = DiskSources(str(self.root)).read(path)
        return None if data is None else hash_bytes(data)

    def facts(self, key: ObjectId) -> bytes | None:
        return self.known.get(key)

    def keep(self, key: ObjectId, facts: bytes) -> None:
        self.known[key] = facts

    def earlier(self, key: ObjectId) -> bytes | None:
        return self.known.get(key)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.group}: {case.title}" for case in CASES])
def test_going_on_from_the_last_analysis_finds_what_a_new_one_does(
    case: Case, written: Callable[[str, Files], Path]
) -> None:
    before, after = written("before", case.before), written("after", case.after)
    facts: dict[ObjectId, bytes] = {}
    record, consulted = analysed(case, before, facts)

    disk, kept = DiskSources(str(after)), Kept(after, facts)
    fresh = code_of(case, after, None).fingerprint(case.stage)
    holds = record.holds(kept.file_id, disk.is_dir, disk.names, str)
    assert not holds or fresh == record.fingerprints[case.stage]

    analysis: Any = Analysis(code_of(case, after, kept), kept)  # type: ignore[arg-type]
    if replace(record, files={}).holds(kept.file_id, disk.is_dir, disk.names, str):
        analysis.go_on_from(record, consulted)
    found = analysis.fingerprints([case.stage])[case.stage]
    assert found.code == fresh.code
    assert (found.modules, found.opaque, found.kinds) == (fresh.modules, fresh.opaque, fresh.kinds)


def code_of(case: Case, root: Path, kept: Kept | None) -> ProjectCode:
    return ProjectCode(DiskSources(str(root)), [RepoPath(path) for path in case.roots], kept)


def analysed(case: Case, root: Path, facts: dict[ObjectId, bytes]) -> tuple[CodeRecord, bytes]:
    """What a first analysis keeps."""
    code = code_of(case, root, Kept(root, facts))
    analysis: Any = Analysis(code, Kept(root, facts))  # type: ignore[arg-type]
    fingerprints = analysis.fingerprints([case.stage])
    files, folders, listings = analysis.evidence
    consulted = analysis.consulted
    record = CodeRecord(
        fingerprints=fingerprints,
        packages={},
        files=files,
        folders=folders,
        roots=tuple(map(RepoPath, case.roots)),
        installation="",
        outside={},
        listings=listings,
        consulted=hash_bytes(consulted).hex(),
    )
    return record, consulted
