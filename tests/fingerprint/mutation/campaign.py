"""Mutants against fingerprints: runs each one, and says who noticed."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pivot.code.fingerprint import Fingerprint
from tests.fingerprint.mutation.mutators import Mutant, bound_by_top, mutants, mutate
from tests.fingerprint.mutation.subject import Subject

ZYGOTE = Path(__file__).with_name("zygote.py")


class Runner:
    """The process that forks runs off; see `zygote.py`."""

    def __init__(self, process: subprocess.Popen[str], subject: Subject) -> None:
        self._process = process
        self._subject = subject

    def run(
        self, stage: str, changed: Mapping[str, str], *, keep: bool = False, trace: bool = False
    ) -> dict[str, Any]:
        """Run a stage once; `keep` leaves what it writes for other stages to read."""
        call = self._subject.calls[stage]
        request = {"call": call, "changed": dict(changed), "keep": keep, "trace": trace}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def running(subject: Subject, folder: Path) -> Iterator[Runner]:
    """A runner of this project, with the data that its stages read in `folder`."""
    inputs = folder / "inputs"
    for path, data in subject.data.items():
        (inputs / path).parent.mkdir(parents=True, exist_ok=True)
        (inputs / path).write_bytes(data)
    inputs.mkdir(exist_ok=True)
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with subprocess.Popen(
        [sys.executable, str(ZYGOTE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | single | {"MPLCONFIGDIR": str(folder)},
    ) as process:
        start = {
            "files": dict(subject.files),
            "libraries": subject.libraries,
            "inputs": str(inputs),
        }
        assert process.stdin is not None
        process.stdin.write(json.dumps(start) + "\n")
        process.stdin.flush()
        try:
            yield Runner(process, subject)
        finally:
            process.stdin.close()
            process.wait(30)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is known of the project before anything is changed.

    Attributes:
        results: what each stage gives.
        called: the definitions of which code runs when a stage is called, `module:name`.
        reach: what a stage may come to by its living objects; see `living.py`.
        modules: the project's modules that a stage loads.
        prints: the stages' fingerprints.
    """

    results: Mapping[str, str]
    called: Mapping[str, frozenset[str]]
    reach: Mapping[str, frozenset[str]]
    modules: Mapping[str, frozenset[str]]
    prints: Mapping[str, Fingerprint]


def measure(subject: Subject, runner: Runner) -> Baseline:
    """Run all stages as they are, in order; twice, for what differs by itself shows nothing."""
    results, called, reach, modules = {}, {}, {}, {}
    for stage in subject.calls:
        first = runner.run(stage, {}, keep=True)
        assert first["loads"], first["what"]
    for stage in subject.calls:
        said, again = runner.run(stage, {}), runner.run(stage, {}, trace=True)
        assert said["result"] == again["result"], f"{stage}: {said['what']} / {again['what']}"
        results[stage] = said["result"]
        called[stage] = frozenset(f"{m}:{n}" for m, n in again["called"])
        reach[stage] = frozenset(f"{m}:{n}" for m, n in again["reach"])
        modules[stage] = frozenset(again["modules"])
    return Baseline(results, called, reach, modules, subject.fingerprints({}))


@dataclass(slots=True)
class Score:
    """What became of mutants, counted for each stage by itself.

    Attributes:
        noticed: the stage gave something else.
        missed: of these, its fingerprint stayed as it was.
        unreachable: nothing that the stage ran leads to what was changed.
        needless: of these, the fingerprint changed.
        unloadable: importing a module fails, so that the stage gives nothing at all.
        other: the stage could come to it, but gave the same this time.
    """

    noticed: Counter[str] = field(default_factory=Counter)
    unreachable: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    unloadable: int = 0
    missed: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)

    def add(self, other: "Score") -> None:
        self.noticed += other.noticed
        self.unreachable += other.unreachable
        self.other += other.other
        self.unloadable += other.unloadable
        self.missed += other.missed
        self.needless += other.needless

    def __str__(self) -> str:
        lines = [
            f"noticed {self.noticed.total()}, of these missed {len(self.missed)}",
            f"out of reach {self.unreachable.total()}, of these needless {len(self.needless)}",
            f"in reach and not noticed {self.other.total()}; unloadable {self.unloadable}",
            f"noticed by kind: {dict(self.noticed.most_common())}",
            *(f"MISSED {what}" for what in self.missed),
            *(f"NEEDLESS {what}" for what in self.needless[:40]),
        ]
        return "\n".join(lines)


def judge(
    subject: Subject, base: Baseline, runner: Runner, mutant: Mutant, stages: Sequence[str]
) -> Score:
    """Run a mutant in those of `stages` that load its file, and compare with the fingerprints."""
    score = Score()
    source = subject.files[mutant.file]
    text = mutate(source, mutant)
    module = next(name for name, file in subject.modules.items() if file == mutant.file)
    names = {f"{module}:{name}" for name in bound_by_top(source, mutant.top)}
    prints: Mapping[str, Fingerprint] | None = None
    for stage in stages:
        if module not in base.modules[stage]:
            continue
        said = runner.run(stage, {mutant.file: text})
        if not said["loads"]:
            score.unloadable += 1
            continue
        if prints is None:
            prints = subject.fingerprints({mutant.file: text})
        changed = _differ(base.prints[stage], prints.get(stage))
        where = f"{mutant.kind} at {mutant.file}:{mutant.line} for {stage}"
        if said["result"] != base.results[stage]:
            score.noticed[mutant.kind] += 1
            if not changed:
                score.missed.append(f"{where}: {said['what'][:200]} {mutant}")
        elif names and names.isdisjoint(base.reach[stage]):
            score.unreachable[mutant.kind] += 1
            if changed:
                score.needless.append(f"{where}: {changed[:3]}")
        else:
            score.other[mutant.kind] += 1
    return score


def _differ(before: Fingerprint, after: Fingerprint | None) -> list[str]:
    """The symbols whose hashes differ, and the packages."""
    if after is None:
        return [before.root]
    names = before.code.keys() | after.code.keys()
    differ = sorted(n for n in names if before.code.get(n) != after.code.get(n))
    return [*differ, *sorted(before.modules ^ after.modules)]


def all_mutants(subject: Subject, base: Baseline) -> list[Mutant]:
    """Every mutant of every module that any stage loads."""
    loaded = frozenset[str]().union(*base.modules.values())
    files = [file for name, file in sorted(subject.modules.items()) if name in loaded]
    return [mutant for file in files for mutant in mutants(file, subject.files[file])]


def sample(
    subject: Subject, base: Baseline, *, size: int, seed: int
) -> Iterator[tuple[Mutant, str]]:
    """About `size` mutants, each with one stage to run.

    Of each kind there are equally many, as far as possible, half of them in definitions that the
    stage's fingerprint has.
    """
    generator = random.Random(seed)
    strata: dict[tuple[str, bool], list[tuple[Mutant, str]]] = {}
    names = {file: name for name, file in subject.modules.items()}
    for mutant in all_mutants(subject, base):
        module = names[mutant.file]
        stage = generator.choice([s for s in subject.calls if module in base.modules[s]])
        bound = bound_by_top(subject.files[mutant.file], mutant.top)
        known = any(f"{module}:{name}" in base.prints[stage].code for name in bound)
        strata.setdefault((mutant.kind, known), []).append((mutant, stage))
    share = -(-size // len(strata))
    for stratum in sorted(strata):
        found = strata[stratum]
        yield from generator.sample(found, min(share, len(found)))


def total(scores: Iterable[Score]) -> Score:
    result = Score()
    for score in scores:
        result.add(score)
    return result
