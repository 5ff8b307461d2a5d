"""Each benchmark runs to its end at a tiny size: what it measures still exists and works."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
BENCHMARKS = (sys.executable, "-m", "benchmarks", "--tiny", "--no-peer")
ROWS = {
    "startup": {"pivot --help", "pivot repro with nothing to do (examples/wine)"},
    "observing": {
        "a stage of many small functions, watched",
        "a stage that opens many files, watched",
    },
    "no_op": {
        "repro with nothing to do, 3 stages, 9 artifacts",
        "status with nothing to do, 6 stages, 18 artifacts",
    },
    "running": {
        "repro that runs all of 3 stages",
        "repro that runs all of 10 stages, in a project of 50 modules",
    },
    "analysis": {
        "status, nothing known yet, 5,000 lines in 50 modules",
        "status after the body of a function was edited",
    },
    "small_files": {
        "store the files",
        "store the files (pivot, by a stage)",
        "store the files, on a disk",
        "check them out, beside `cp -r`",
        "push to a folder",
        "memory: pull into a fresh clone",
    },
    "text_files": {"store the texts", "their size in the store"},
    "many_files": {"status, nothing changed", "memory: store the files"},
    "large_file": {
        "store a large incompressible file, beside `cut, hash and write`",
        "store a large table",
        "new bytes for the inserted row",
    },
    "large_transfers": {"push a large file", "requests: pull it into a fresh clone, file in place"},
    "known_objects": {"push 1,000 objects", "requests: push with nothing to do, of 1,000 objects"},
    "many_pushes": {"requests: fetch --dry-run in a clone, after 40 pushes"},
}


def measured(name: str, folder: Path) -> list[dict[str, Any]]:
    """The rows of one benchmark, without a peer."""
    output = folder / "results.json"
    words = [*BENCHMARKS, name, "--output", output]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(output.read_text())["benchmarks"][name]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_benchmark_measures_all_that_it_reports(name, tmp_path):
    rows = measured(name, tmp_path)
    assert ROWS[name] <= {row["name"] for row in rows}
    assert all(row["ours"] for row in rows)
    assert all(sample > 0 for row in rows if row["unit"] in ("s", "MB") for sample in row["ours"])


def test_transfers_are_counted_where_they_arrive(tmp_path):
    rows = {row["name"]: row["ours"] for row in measured("small_transfers", tmp_path)}
    assert rows["push the files"][0] > 0
    assert rows["pull into a fresh clone, files in place"][0] > 0
    (first,) = rows["requests: push the files"]
    (again,) = rows["requests: push with nothing to do"]
    assert 0 < again < first < 20  # of 150 files
    (edit,) = rows["sent after one of the files changed"]
    assert 0 < edit < 50


def test_latency_is_that_of_each_answer(tmp_path):
    """A push has to wait for several answers, each of which comes after 100 ms."""
    rows = measured("latency", tmp_path)
    assert all(row["ours"][0] > 0.2 for row in rows)


def test_an_inserted_row_is_stored_as_a_fraction_of_its_table(tmp_path):
    rows = {row["name"]: row["ours"] for row in measured("large_file", tmp_path)}
    (new,) = rows["new bytes for the inserted row"]
    (whole,) = rows["size of the table in the store"]
    assert 0 < new < whole / 4


def test_larger_chunks_are_fewer_and_cost_more_an_edit(tmp_path):
    rows = measured("chunk_sizes", tmp_path)
    assert [row["average"] for row in rows] == [f"{32 << n} KiB" for n in range(6)]
    entries = [int(row["entries a GB"].replace(",", "")) for row in rows]
    assert entries == sorted(entries, reverse=True)
    new = [float(row["one row inserted"].removesuffix(" %")) for row in rows]
    assert 0 < new[0] < new[-1] < 50
    anew = [float(row["sorted anew"].removesuffix(" %")) for row in rows]
    assert min(anew) > 90


def test_a_failing_command_fails_the_benchmark(tmp_path):
    done = subprocess.run(
        [*BENCHMARKS, "startup", "--output", tmp_path / "out"],
        cwd=CHECKOUT,
        env={"PATH": str(tmp_path)},  # without Git, no project can be made
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "out").exists()
