"""Reasons in words."""

import pytest

from pivot.cli.explaining import explain_stage, headline, summary
from pivot.explain import Reason, ReasonKind
from pivot.paths import RepoPath, StageName
from pivot.plan import Decision, Verdict

NAME = StageName("train")


def account(*reasons, verdict=Verdict.RUN, kinds=None, **decision):
    decided = Decision(verdict, tuple(reasons), **decision)
    return "\n".join(explain_stage(NAME, decided, kinds or {}))


def test_change_of_code_names_kind_function_hashes_and_place():
    reason = Reason(
        ReasonKind.CODE, "lib.low:factor", "a" * 64, "b" * 64, RepoPath("lib/low.py"), 3
    )
    assert account(reason, kinds={"lib.low:factor": "func"}) == (
        "Stage: train\n"
        "  Status: WILL RUN\n"
        "  Reason: Code dependency changed\n"
        "\n"
        "  Changes:\n"
        "    func:factor\n"
        "      Old: aaaaaaaa\n"
        "      New: bbbbbbbb\n"
        "      File: lib/low.py:3"
    )


@pytest.mark.parametrize(
    ("what", "kinds", "label"),
    [
        ("m:Model", {"m:Model": "class"}, "class:Model"),
        ("m:Model.fit", {"m:Model.fit": "method"}, "method:Model.fit"),
        ("pkg.m:<effects>", {"pkg.m:<effects>": "module"}, "module:pkg.m"),
        ("m:gone", {}, "func:gone"),
    ],
)
def test_labels_of_symbols(what, kinds, label):
    text = account(Reason(ReasonKind.CODE, what, "1" * 64, None), kinds=kinds)
    assert f"    {label}\n      Old: 11111111\n      New: (absent)" in text


def test_values_of_parameters_are_shown_whole_and_hashes_are_not():
    text = account(
        Reason(ReasonKind.PARAMS, "learning_rate", "0.0100000000001", "0.02"),
        Reason(ReasonKind.DEP, "data.csv", "c" * 64, "d" * 64),
        Reason(ReasonKind.PACKAGE, "pandas", "2.2.3.post1", "2.3.0"),
    )
    assert "param:learning_rate\n      Old: 0.0100000000001\n      New: 0.02" in text
    assert "dep:data.csv\n      Old: cccccccc\n      New: dddddddd" in text
    assert "package:pandas\n      Old: 2.2.3.post1\n      New: 2.3.0" in text
    assert "Reason: Parameter changed" in text


def test_never_run_and_unchanged_have_no_changes():
    assert account(Reason(ReasonKind.NEVER_RUN, "train")) == (
        "Stage: train\n  Status: WILL RUN\n  Reason: Never run"
    )
    assert account(verdict=Verdict.SKIP) == "Stage: train\n  Status: UNCHANGED"


def test_waiting_names_who_it_waits_for_without_values():
    text = account(Reason(ReasonKind.UPSTREAM, "prepare"), verdict=Verdict.UNDECIDED)
    assert "Status: WAITS" in text
    assert text.endswith("    upstream:prepare")


def test_stage_that_would_lose_data_is_stopped():
    edited = RepoPath("out.csv")
    text = account(Reason(ReasonKind.OUT, edited, "a" * 64, "b" * 64), unheld=(edited,))
    assert "  Status: STOPPED\n" in text
    assert "  Edited: out.csv\n" in text


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        (Decision(Verdict.SKIP), ""),
        (Decision(Verdict.RUN, (Reason(ReasonKind.NEVER_RUN, "x"),)), "never run"),
        (
            Decision(
                Verdict.RUN,
                (
                    Reason(ReasonKind.CODE, "m:a", "1", "2"),
                    Reason(ReasonKind.CODE, "m:b", "1", "2"),
                    Reason(ReasonKind.DEP, "d", "1", "2"),
                ),
            ),
            "code dependency changed, input dependency changed",
        ),
        (Decision(Verdict.RUN, missing=(RepoPath("a.csv"),)), "a.csv is missing"),
        (
            Decision(Verdict.RUN, unheld=(RepoPath("a"), RepoPath("b"))),
            "a, b was edited and would be lost",
        ),
    ],
)
def test_headline_is_why_in_a_few_words(decision, text):
    assert headline(decision) == text


@pytest.mark.parametrize("kind", ReasonKind)
def test_every_kind_of_reason_has_words(kind):
    decision = Decision(Verdict.RUN, (Reason(kind, "x", "1", "2"),))
    assert headline(decision)
    assert account(*decision.reasons)


def test_summary_counts_what_there_is():
    run, skip = Decision(Verdict.RUN), Decision(Verdict.SKIP)
    stopped = Decision(Verdict.RESTORE, unheld=(RepoPath("a"),))
    assert summary([run, skip, skip]) == "1 will run, 2 unchanged"
    assert summary([stopped, Decision(Verdict.RESTORE), Decision(Verdict.UNDECIDED)]) == (
        "1 will be restored, 1 waiting, 1 stopped"
    )
    assert summary([]) == ""
