"""Every change that a stage could notice changes its fingerprint; hardly any other does.

Projects of real size are changed in one place at a time: an operator, a literal, a default, a
decorator, a statement ... Each mutant is run. It was *noticed* if the stage returns, raises, prints
or writes something else. It is *out of reach* if it stands in a definition to which nothing leads
that ran, by the objects of the running program (`living.py`) and not by the analysis under test.

What is between (reachable, but with the same result for this data) proves nothing and is counted
only. So are mutants that make an import fail: such a stage gives no wrong result, but none.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fingerprint.mutation.campaign import (
    Baseline,
    Runner,
    Score,
    all_mutants,
    judge,
    measure,
    running,
    sample,
    total,
)  # fmt: skip
from tests.fingerprint.mutation.subject import Subject, tivop, wine

NEEDLESS_SHARE = 0.02
SUBJECTS = {"wine": wine, "tivop": tivop}
# Mutants, each with one stage: what takes about half a minute on one core.
SIZES = {"wine": 60, "tivop": 50}
SEED = int(os.environ.get("MUTATION_SEED", "5"))


@contextmanager
def prepared(name: str, folder) -> Iterator[tuple[Subject, Baseline, Runner]]:
    subject = SUBJECTS[name]()
    with running(subject, folder) as runner:
        yield subject, measure(subject, runner), runner


def check(score: Score) -> None:
    assert not score.missed, str(score)
    assert score.noticed.total() > 0, str(score)
    assert score.unreachable.total() > 0, str(score)
    assert len(score.needless) <= NEEDLESS_SHARE * score.unreachable.total(), str(score)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_sample_of_mutants_is_told_right(name, tmp_path):
    with prepared(name, tmp_path) as (subject, base, runner):
        ran = {stage: base.called[stage] - base.prints[stage].code.keys() for stage in base.called}
        assert not any(ran.values()), f"definitions that run but aren't in the fingerprint: {ran}"
        chosen = sample(subject, base, size=SIZES[name], seed=SEED)
        score = total(judge(subject, base, runner, mutant, [s]) for mutant, s in chosen)
        print(score)
        check(score)


@pytest.mark.soak
@pytest.mark.parametrize("name", SUBJECTS)
def test_every_mutant_is_told_right(name, tmp_path):
    with prepared(name, tmp_path) as (subject, base, runner):
        every = all_mutants(subject, base)
        score = total(judge(subject, base, runner, m, list(subject.calls)) for m in every)
        print(len(every), score)
        check(score)
