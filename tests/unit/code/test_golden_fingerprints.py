"""Whole fingerprints of a small project that has one of each, pinned.

A change of what is reached or of how it is hashed is a new scheme: it re-keys every lock there is.
"""

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden"
PROJECT = (GOLDEN / "project.txt").read_text()
PINNED = json.loads((GOLDEN / "fingerprints.json").read_text())


@pytest.mark.parametrize("symbol", PINNED)
def test_the_fingerprint_is_what_it_was(project, symbol):
    found = project(PROJECT).fingerprint(symbol)
    assert dict(found.code) == PINNED[symbol]["code"]
    assert sorted(found.modules) == PINNED[symbol]["modules"]
    assert [[o.what, o.file, o.line] for o in found.opaque] == PINNED[symbol]["opaque"]


@pytest.mark.parametrize("symbol", PINNED)
def test_how_it_is_written_is_what_it_was(project, symbol):
    assert project(PROJECT).text(PINNED[symbol]["code"]) == PINNED[symbol]["sources"]


def test_the_project_has_what_is_reached_only_in_roundabout_ways():
    code = PINNED["pipeline:train"]["code"]
    for entry in (
        "lib.handlers:<effects>", "lib.handlers:first", "lib.lazy:SIZE", "lib.models:Meta",
        "lib.scaling:scaled", "lib.shapes:area", "pipeline:LIMITS", "pipeline:cached",
    ):  # fmt: skip
        assert entry in code
    for entry in ("lib.scaling:unused", "pipeline:report"):
        assert entry not in code
