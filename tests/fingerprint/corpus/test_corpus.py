"""Edits in small projects: a stage that could notice must run, one that couldn't must not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.code.fingerprint import Fingerprint, ProjectCode
from pivot.paths import RepoPath
from pivot.project.sources import DiskSources
from tests.fingerprint.corpus.cases import Case, Files, read_corpus

CASES = read_corpus()
EACH = pytest.mark.parametrize("case", CASES, ids=[f"{case.group}: {case.title}" for case in CASES])


def fingerprint(root: Path, case: Case) -> Fingerprint:
    roots = [RepoPath(path) for path in case.roots]
    return ProjectCode(DiskSources(str(root)), roots).fingerprint(case.stage)


@EACH
def test_what_an_edit_means_for_a_stage(
    case: Case,
    written: Callable[[str, Files], Path],
    outcome: Callable[[Path, tuple[str, ...], str], str],
) -> None:
    """The fingerprint changes where the corpus says so, and it says so where outcomes differ."""
    roots = written("before", case.before), written("elsewhere/after", case.after)
    before, after = (fingerprint(root, case) for root in roots)
    gave = [outcome(root, case.roots, case.stage) for root in roots]

    differs = (before.code, before.modules) != (after.code, after.modules)
    assert differs == case.runs, (case.place, gave)
    assert (gave[0] != gave[1]) == (case.must_run and not case.unseen), (case.place, gave)
    if case.changes is not None:
        assert changed(before, after) == case.changes
    for text in case.opaque:
        assert any(text in found.what for found in before.opaque), before.opaque
    if case.packages is not None:
        assert before.modules == case.packages


def changed(before: Fingerprint, after: Fingerprint) -> set[str]:
    """The symbols of which either side lacks the other's hash."""
    return {name for name, _ in before.code.items() ^ after.code.items()}


def test_the_corpus_is_large_enough() -> None:
    assert len(CASES) >= 800
    assert sum(case.must_run for case in CASES) >= 650
    assert len({case.group for case in CASES}) >= 14
