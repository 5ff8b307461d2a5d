"""Write the table of what makes a stage run, from the corpus in tests/fingerprint/corpus."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from pivot.code.fingerprint import ProjectCode
from pivot.paths import RepoPath

CHECKOUT = Path(__file__).parents[2]
PAGE = Path(__file__).with_name("fingerprint.md")
HEAD = """\
# What makes a stage run

<!-- Written by docs/reference/generate_fingerprint.py; change the corpus, not this page. -->

Each line below is a small project with one edit, from the folder `tests/fingerprint/corpus/cases` of Pivot's
source. A test calls each stage's function before and after the edit: where a stage *must run*, the outcomes
differ. What Pivot does is told from the source alone, before anything has run.

{must} of these edits must run a stage, and Pivot misses {missed}. {need_not} need not, and {needless} of them run
it all the same. Pivot rather runs a stage once too often where the source doesn't tell that nothing will differ:

- A function or class counts as a whole: all its branches and methods, names of local variables, and annotations,
  which can be read at run time.
- Renaming or moving what a stage uses counts, since names can be looked up.
- What importing a module does counts for all who import it, unless it only changes objects that they don't use.
- A look-up that can't be followed, such as `getattr(module, name)`, stands for the whole module.
  `pivot doctor` lists them.

What a stage's function itself reads is no code: declare it in `deps`. Of a program that it starts, the file counts
where it is named, but not what that imports.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    group: str
    title: str
    must_run: bool
    runs: bool
    why: str


@dataclass(frozen=True, slots=True)
class InMemory:
    """The sources of a case."""

    files: Mapping[str, bytes]

    def read(self, path: RepoPath) -> bytes | None:
        return self.files.get(path)

    def is_dir(self, path: RepoPath) -> bool:
        return path == RepoPath.ROOT or any(name.startswith(f"{path}/") for name in self.files)

    def names(self, path: RepoPath) -> Sequence[str]:
        start = "" if path == RepoPath.ROOT else f"{path}/"
        inner = (name.removeprefix(start) for name in self.files if name.startswith(start))
        return sorted({name.partition("/")[0] for name in inner})


def render() -> str:
    """The whole page, as Markdown."""
    rows = [_row(case) for case in _corpus()]
    must = [row for row in rows if row.must_run]
    need_not = [row for row in rows if not row.must_run]
    head = HEAD.format(
        must=len(must),
        missed=sum(not row.runs for row in must) or "none",
        need_not=len(need_not),
        needless=sum(row.runs for row in need_not),
    )
    sections = [head, *_summary(rows)]
    for group, lines in groupby(rows, key=attrgetter("group")):
        sections += [f"## {group}", "", "| edit | must run | Pivot |", "|---|---|---|"]
        sections += [*map(_line, lines), ""]
    return "\n".join(sections)


def _corpus() -> list[Any]:
    sys.path.insert(0, str(CHECKOUT))
    try:
        cases = import_module("tests.fingerprint.corpus.cases")
    finally:
        sys.path.remove(str(CHECKOUT))
    found: list[Any] = cases.read_corpus()
    return found


def _row(case: Any) -> Row:
    before, after = (_found(case, files) for files in (case.before, case.after))
    return Row(case.group, case.title, case.must_run, before != after, case.needless)


def _found(case: Any, files: Mapping[str, bytes]) -> tuple[object, object]:
    roots = [RepoPath(path) for path in case.roots]
    fingerprint = ProjectCode(InMemory(files), roots).fingerprint(case.stage)
    return fingerprint.code, fingerprint.modules


def _summary(rows: Sequence[Row]) -> list[str]:
    lines = ["| construct | must run | missed | need not | run needlessly |", "|---|--:|--:|--:|--:|"]
    groups = {row.group for row in rows}
    for group in [*dict.fromkeys(row.group for row in rows), "all"]:
        chosen = [row for row in rows if row.group == group or group not in groups]
        must = [row for row in chosen if row.must_run]
        need_not = [row for row in chosen if not row.must_run]
        counts = (
            len(must),
            sum(not row.runs for row in must),
            len(need_not),
            sum(row.runs for row in need_not),
        )
        lines.append(f"| {group} | {' | '.join(map(str, counts))} |")
    return [*lines, ""]


def _line(row: Row) -> str:
    title = row.title.replace("|", "\\|")
    pivot = "runs" if row.runs else "doesn't run"
    why = f": {row.why}" if row.why else ""
    return f"| {title} | {'yes' if row.must_run else 'no'} | {pivot}{why} |"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
