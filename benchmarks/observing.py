"""What it costs a stage to be watched: pure Python with the watcher beside the same without it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.row import Row, Unit, within
from benchmarks.workbench import Workbench

CALLS: Final = "a stage of many small functions, watched"
FILES: Final = "a stage that opens many files, watched"
_WITHOUT: Final = "not watched"

# Methods, generators, closures, comprehensions, recursion, and little else between the calls.
_CALLS: Final = """
import os
from dataclasses import dataclass


@dataclass
class Row:
    key: int
    value: float

    def scaled(self, factor):
        return Row(self.key, scale(self.value, factor))


def scale(value, factor):
    return value * factor


def rows(count):
    for number in range(count):
        yield Row(number * 7919 % 1009, number / 3)


def grouped(found):
    groups = {}
    for row in found:
        groups.setdefault(row.key, []).append(row)
    return groups


def depth(number):
    return 0 if number == 0 else 1 + depth(number // 2)


def run(count):
    mode = os.environ.get("MODE", "plain")
    total = 0.0
    for factor in range(4):
        found = (row.scaled(factor) for row in rows(count))
        for key, members in sorted(grouped(found).items()):
            total += sum(map(lambda row: row.value, members)) + depth(key)
    return mode, total
"""
# Half of them for the first time, and no declared deps, which would cost less.
_FILES: Final = """
def run(count):
    for number in range(count // 100):
        with open(f"{number % 500}.txt", "a+") as file:
            file.seek(0)
            file.read()
"""
_PROGRAM: Final = """
import sys, time
from pivot.definition.ownership import ownership
from pivot.run.observing import Observer
project, result, count, is_watched = sys.argv[1:]
sys.path.insert(0, project)
import work
observer = Observer(project, ownership(), ())
begun = time.process_time()
if is_watched == "yes":
    observer.start()
work.run(int(count))
if is_watched == "yes":
    seen = observer.stop()
    assert seen.code, "nothing was seen"
taken = time.process_time() - begun
with open(result, "w") as file:
    file.write(str(taken))
"""


def run(bench: Workbench) -> list[Row]:
    """Processor seconds of the stage's function alone; with and without take turns."""
    calls, files = _measured(bench, _CALLS), _measured(bench, _FILES)
    return [
        Row(CALLS, Unit.SECONDS, calls["yes"], _WITHOUT, calls["no"], within(1.03)),
        Row(FILES, Unit.SECONDS, files["yes"], _WITHOUT, files["no"]),
    ]


def _measured(bench: Workbench, source: str) -> Mapping[str, tuple[float, ...]]:
    with bench.scratch() as project:
        (project / "work.py").write_text(source)
        _seconds(bench, project, "yes")  # so that bytecode is there
        rounds = [
            {watched: _seconds(bench, project, watched) for watched in ("yes", "no")}
            for _ in range(bench.scale.starts)
        ]
        return {watched: tuple(taken[watched] for taken in rounds) for watched in ("yes", "no")}


def _seconds(bench: Workbench, project: Path, watched: str) -> float:
    result = project.with_suffix(".seconds")
    count = str(bench.scale.calls)
    bench.measure(
        [bench.python, "-c", _PROGRAM, str(project), str(result), count, watched], project
    )
    return float(result.read_text())
