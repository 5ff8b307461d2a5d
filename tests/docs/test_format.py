"""The examples of docs/format.md are the golden files, whole and in order."""

import json
import re
from pathlib import Path

import pytest
from blake3 import blake3

from pivot.code.fingerprint import ProjectCode
from pivot.code.source import normal
from pivot.paths import RepoPath
from pivot.project.sources import DiskSources
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
    assert f"| digest of `code` | `{keys['code']}` |" in PAGE
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
    for value in cutting:
        assert f"{value:,}" in PAGE


BLOCK = re.compile(r"^```(?:text|python) title=\"([^\"]+)\"\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = dict(BLOCK.findall(PAGE))
ENTRIES = ("lib:<effects>", "lib:TABLE", "lib:scale", "pipeline:RATE", "pipeline:train")


def derived(context, data):
    return blake3(data, derive_key_context=context).hexdigest()


def table(title):
    """The rows of a table of the example, by the heading of its second column."""
    rows = PAGE.partition(f"| entry | {title} |\n")[2].partition("\n\n")[0]
    return dict(re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", rows))


def test_the_hashes_of_the_example_are_made_as_the_page_says():
    own = {
        name: derived("pivot code 1", BLOCKS[name].rstrip("\n").encode()) for name in ENTRIES[1:]
    }
    lines = "\n" + BLOCKS["lines of pipeline:train"].rstrip("\n")
    train = derived("pivot symbol 1", bytes.fromhex(own["pipeline:train"]) + lines.encode())
    effect = derived("pivot code 1", BLOCKS["the effect of lib"].rstrip("\n").encode())
    effects = derived("pivot effects 1", bytes.fromhex(effect))
    assert f"`{own['pipeline:train']}`" in PAGE
    assert f"`{effect}`" in PAGE
    assert own | {"pipeline:train": train, "lib:<effects>": effects} == table("hash")


def test_how_the_example_is_written_is_told_as_the_page_says():
    own = derived("pivot source text 1", BLOCKS["source of pipeline:train"].encode())
    assert f"Their hash is `{own}`" in PAGE
    lines = "\n" + BLOCKS["lines of pipeline:train"].rstrip("\n")
    texts = table("hash of how it is written")
    text = derived("pivot symbol text 1", bytes.fromhex(own) + lines.encode())
    assert texts["pipeline:train"] == text
    assert texts.keys() == set(ENTRIES)
    rows = json.dumps([*texts.items()], separators=(",", ":"))
    assert f"`sources` is `{derived('pivot source texts 1', rows.encode())}`" in PAGE


def test_the_example_is_what_pivot_makes_of_it(tmp_path):
    for name in ("pipeline.py", "lib.py"):
        (tmp_path / name).write_text(BLOCKS[name])
    code = ProjectCode(DiskSources(str(tmp_path)), [RepoPath.ROOT])
    found = code.fingerprint("pipeline:train")
    assert found.code == table("hash")
    assert f"`sources` is `{code.text('pipeline:train', found.code)}`" in PAGE


def test_the_table_of_the_normal_form_is_that_of_the_code():
    rows = dict(line.partition(":")[::2] for line in BLOCKS["kinds"].splitlines())
    assert {kind: fields.strip() for kind, fields in rows.items()} == normal._FIELDS
    assert BLOCKS["operators"].split() == normal._OPERATORS.split()
