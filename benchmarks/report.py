"""The rows as a table for people, and as JSON to keep."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.grid import Grid
from benchmarks.row import Measure, Row, Unit
from benchmarks.workbench import MEMORY, Workbench

HEADINGS = ("what", "Pivot: median (min to max)", "peer", "peer's", "Pivot is", "target", "reached")
_VERDICTS = {True: "yes", False: "**no**", None: ""}


type Result = Sequence[Row] | Grid


def table(name: str, result: Result) -> str:
    """A benchmark's Markdown table, below its name."""
    if isinstance(result, Grid):
        return _section(name, [result.headings, *result.rows])
    return _section(name, [HEADINGS, *(_cells(row) for row in result)])


def machine(bench: Workbench) -> dict[str, str]:
    """What the numbers depend on; nothing that names a host or a person."""
    facts = {
        "cpus": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "pivot": version("pivot"),
        "file system": "tmpfs" if bench.folder.is_relative_to(MEMORY) else "disk",
    }
    if bench.dvc is not None:
        asked = subprocess.run([bench.dvc, "--version"], stdout=subprocess.PIPE, check=True)
        facts["dvc"] = asked.stdout.decode().strip()
    return facts


def write(path: Path, facts: Mapping[str, str], results: Mapping[str, Result]) -> None:
    """Keep every sample, in the order it was taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {name: list(_records(result)) for name, result in results.items()}
    path.write_text(json.dumps({"machine": dict(facts), "benchmarks": rows}, indent=2) + "\n")


def _records(result: Result) -> Iterator[dict[str, object]]:
    if isinstance(result, Grid):
        yield from (dict(zip(result.headings, row, strict=True)) for row in result.rows)
    else:
        yield from (asdict(row) | {"reached": row.reached} for row in result)


def _section(name: str, lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = tuple("-" * width for width in widths)
    body = (
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in (lines[0], rule, *lines[1:])
    )
    return f"### {name}\n\n" + "\n".join(body) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        _samples(row.ours, row.unit),
        f"`{row.peer}`" if row.peer else "",
        _samples(row.theirs, row.unit),
        _comparison(row),
        _target(row),
        _VERDICTS[row.reached],
    )


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    return f"{row.target} {row.unit}" if row.target.measure is Measure.VALUE else str(row.target)


def _comparison(row: Row) -> str:
    if not row.multiple:
        return ""
    if row.unit is Unit.SECONDS and row.multiple < 1:
        return f"{1 / row.multiple:.1f} times faster"
    return f"{row.multiple:.2f} times as much"


def _samples(samples: Sequence[float], unit: Unit) -> str:
    if not samples:
        return ""
    low, middle, high = (
        _number(value, unit) for value in (min(samples), median(samples), max(samples))
    )
    return f"{middle} {unit}" if low == high else f"{middle} {unit} ({low} to {high})"


def _number(value: float, unit: Unit) -> str:
    digits = {Unit.SECONDS: 3, Unit.PERCENT: 2}.get(unit, 0)
    return f"{value:,.{digits}f}"
