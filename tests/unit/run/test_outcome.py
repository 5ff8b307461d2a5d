"""From wait statuses and reports to outcomes, and through JSON."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.paths import RepoPath, StageName
from pivot.run.job import Job
from pivot.run.observation import Observation, Stamp
from pivot.run.outcome import Ending, Outcome, Report, signal_name

STAGE = StageName("train")


def ended(*, report=None, status=0, cancelled=False):
    return Outcome.of_exit(STAGE, report=report, status=status, cancelled=cancelled, duration_s=1.5)


def test_report_counts_even_if_the_process_was_killed_after_it():
    assert ended(report=Report(Ending.RETURNED), status=9).ending is Ending.RETURNED


def test_cancelled_counts_before_everything_else():
    report = Report(Ending.RAISED, "ValueError: halfway")
    assert ended(report=report, cancelled=True).ending is Ending.CANCELLED


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (11, "SIGSEGV"), (50, "signal 50")])
def test_death_by_signal_names_it(number, name):
    outcome = ended(status=number | 0x80)  # with a core dump
    assert (outcome.ending, outcome.signal) == (Ending.DIED, name)
    assert name in outcome.message


def test_exit_without_report_died_even_with_code_zero():
    assert (ended().ending, ended().exit_code) == (Ending.DIED, 0)
    assert ended(status=3 << 8).exit_code == 3


@pytest.mark.parametrize("line", [b"", b'{"ending": "returned"', b"{}\n", b"garbage\n", b"\xff\n"])
def test_incomplete_or_foreign_report_counts_as_none(line):
    assert Report.from_line(line) is None


SEEN = Observation(
    began_ns=1,
    code={"m.py": (0, 3)},
    imported={"m.py": {"n.py": (1,)}},
    modules=("m",),
    env=("A",),
    reads={"x": Stamp(1, 2, 3), "caf\udce9": None},
    writes=("y",),
    processes=True,
    unseen=("more",),
)


def test_what_was_seen_of_a_stage_survives_all_the_way():
    report = Report.from_line(Report(Ending.RETURNED, observation=SEEN).to_line())
    outcome = Outcome.from_json(json.loads(json.dumps(ended(report=report).to_json())))
    assert outcome.observation == SEEN


def test_a_cancelled_stage_has_nothing_seen_of_it():
    report = Report(Ending.RETURNED, observation=SEEN)
    assert ended(report=report, cancelled=True).observation is None


@pytest.mark.parametrize("seen", [[], "x", {}, {**SEEN.to_json(), "reads": {"x": [1]}}])
def test_a_report_with_something_else_seen_counts_as_none(seen):
    fields = json.loads(Report(Ending.RETURNED).to_line())
    assert Report.from_line(json.dumps({**fields, "observation": seen}).encode() + b"\n") is None


texts = st.none() | st.text(st.characters())


@given(st.sampled_from(Ending), texts, texts, texts)
def test_report_survives_its_line(ending, message, hint, traceback):
    report = Report(ending, message, hint, traceback)
    assert report.to_line().count(b"\n") == 1
    assert Report.from_line(report.to_line()) == report


@given(st.sampled_from(Ending), texts, texts, st.floats(0, 1e9), st.none() | st.integers(0, 255))
def test_outcome_survives_json(ending, message, signal, duration, code):
    outcome = Outcome(STAGE, ending, message, signal=signal, exit_code=code, duration_s=duration)
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


@given(st.none() | st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans())))
def test_job_survives_json(params):
    job = Job(
        STAGE,
        "/p",
        "pipeline.py",
        "pipeline:train",
        params,
        RepoPath("a"),
        "/l",
        ("/p", "/p/src"),
        (RepoPath("in.csv"),),
    )
    assert Job.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_signal_name_agrees_with_the_system():
    assert signal_name(os.WTERMSIG(15)) == "SIGTERM"
