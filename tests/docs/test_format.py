"""The examples of docs/format.md are the golden files, whole and in order."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from pivot.store.chunking import FILES, TREES

CHECKOUT = Path(__file__).parents[2]
GOLDEN = CHECKOUT / "tests" / "golden"
PAGE = (CHECKOUT / "docs" / "format.md").read_text(encoding="utf-8")
DUMP = re.compile(r"^```hexdump title=\"([^\"]+)\"\n(.*?)^```$", re.MULTILINE | re.DOTALL)
JSON = re.compile(r"^```json title=\"([^\"]+)\"\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DUMPED = ("pivot-store.json", "file.recipe", "directory.tree", "small.pack", "small.idx")


def rows_of(name):
    """The rows of a file's dumps as (offset, bytes, text), in the order of the page."""
    for title, text in DUMP.findall(PAGE):
        if title == name:
            for line in text.splitlines():
                yield int(line[:6], 16), bytes.fromhex(line[8:55]), line[57:]


def printable(data):
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)


@pytest.mark.parametrize("name", DUMPED)
def test_the_dumps_of_a_file_are_all_its_bytes(name):
    at = 0
    found = b""
    for offset, data, text in rows_of(name):
        assert offset == at
        assert text.rstrip() == printable(data).rstrip()
        found += data
        at += len(data)
    assert found == (GOLDEN / name).read_bytes()


def test_no_file_is_dumped_that_is_not_compared():
    assert {title for title, _ in DUMP.findall(PAGE)} == set(DUMPED)


@pytest.mark.parametrize("name", ["train.lock", "raw.pvt"])
def test_locks_and_tracked_files_are_the_golden_ones(name):
    (block,) = [text for title, text in JSON.findall(PAGE) if title == name]
    assert block == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_keys_are_the_golden_ones():
    keys = json.loads((GOLDEN / "keys.json").read_text(encoding="utf-8"))
    assert f"| static key | `{keys['static key']}` |" in PAGE
    assert f"| key | `{keys['key']}` |" in PAGE


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pivot.store.codec", "MAX_RAW_SIZE"),
        ("pivot.store.pack", "MAX_ENTRIES"),
        ("pivot.paths", "MAX_BYTES"),
    ],
)
def test_limits_are_those_of_the_code(module, name):
    value = getattr(__import__(module, fromlist=[name]), name)
    assert f"{value:,}" in PAGE


@pytest.mark.parametrize("cutting", [FILES, TREES], ids=["files", "trees"])
def test_cuts_are_those_of_the_code(cutting):
    for value in dataclasses.astuple(cutting):
        assert f"{value:,}" in PAGE
