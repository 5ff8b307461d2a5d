"""Reasons in words."""

import click
import pytest

from pivot.cli.explaining import explain_stage, headline, summary
from pivot.definition.stage import Stage
from pivot.explain import Reason, ReasonKind
from pivot.lock.declared import Declared
from pivot.paths import RepoPath, StageName, TreePath
from pivot.plan import Decision, Verdict
from pivot.project.account import Account, Detail, FileChanges, Former
from pivot.survey import StageSurvey

NAME = StageName("train")
STAGE = Stage(
    name=NAME, symbol="m:train", source="pipeline.py", file=RepoPath("m.py"), line=1, deps=(),
    outs=(), params=None, cwd=RepoPath.ROOT,
)  # fmt: skip
DECLARED = Declared(1, {}, {}, None, {}, RepoPath.ROOT, (), ())
CODE = Reason(ReasonKind.CODE, "lib.low:factor", "a" * 64, "b" * 64, RepoPath("lib/low.py"), 3)
GONE = Reason(ReasonKind.CODE, "lib.low:factor", "a" * 64, None)


def explained(*details, verdict=Verdict.RUN, kinds=None, width=None, **decision):
    decided = Decision(verdict, tuple(detail.reason for detail in details), **decision)
    survey = StageSurvey(
        STAGE, DECLARED, {}, kinds or {}, None, None, (), {}, {}, frozenset(), frozenset()
    )
    return "\n".join(explain_stage(Account(NAME, decided, survey, details), width))


def account(*reasons, **more):
    return explained(*map(Detail, reasons), **more)


def test_change_of_code_names_kind_function_hashes_and_place():
    assert account(CODE, kinds={"lib.low:factor": "func"}) == (
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


def test_changed_sources_of_a_package_are_shown_as_short_as_other_hashes():
    old, new = "source " + "a" * 64, "source " + "b" * 64
    text = account(Reason(ReasonKind.PACKAGE, "teamlib", old, new))
    assert text.endswith(
        "    package:teamlib\n      Old: source aaaaaaaa\n      New: source bbbbbbbb"
    )


@pytest.mark.parametrize(
    ("what", "kinds", "label"),
    [
        ("m:Model", {"m:Model": "class"}, "class:Model"),
        ("m:Model.fit", {"m:Model.fit": "method"}, "method:Model.fit"),
        ("pkg.m:<effects>", {"pkg.m:<effects>": "module"}, "module:pkg.m"),
        ("m:gone", {}, "code:gone"),
        ("./sql/query.sql", {}, "file:sql/query.sql"),
    ],
)
def test_labels_of_symbols(what, kinds, label):
    text = account(Reason(ReasonKind.CODE, what, "1" * 64, None), kinds=kinds)
    assert f"    {label}\n      Old: 11111111\n      New: (absent)" in text


def test_way_to_a_symbol_begins_with_the_stage():
    chain = ("pipeline:train_model", "lib.features:build", "lib.low:factor")
    text = explained(Detail(CODE, chain))
    assert text.endswith(
        "      File: lib/low.py:3\n      Via: train -> lib.features.build -> lib.low.factor"
    )
    assert "Via" not in explained(Detail(CODE, chain[:1]))


def test_symbols_come_after_the_one_that_leads_to_them_and_what_is_not_reached_last():
    ways = {"z:a": ("r:r", "z:a"), "b:b": ("r:r", "z:a", "b:b"), "a:gone": (), "r:r": ("r:r",)}
    details = [
        Detail(Reason(ReasonKind.CODE, symbol, "1", "2"), ways[symbol]) for symbol in sorted(ways)
    ]
    param = Detail(Reason(ReasonKind.PARAMS, "x", "1", "2"))
    lines = explained(param, *details).splitlines()
    assert [line.strip() for line in lines if line[:5] == "    " + line.strip()[:1]] == [
        "code:r", "code:a", "code:b", "code:gone", "param:x"
    ]  # fmt: skip


def test_ways_that_begin_alike_are_folded():
    ways = [("r:r", "m:a", "m:b", last) for last in ("m:c", "m:d")] + [("r:r", "m:x", "m:y")]
    details = [Detail(Reason(ReasonKind.CODE, way[-1], "1", "2"), way) for way in ways]
    lines = explained(*details).splitlines()
    assert [line.strip() for line in lines if "Via" in line] == [
        "Via: train -> m.a -> m.b -> m.c", "Via: ... -> m.b -> m.d", "Via: train -> m.x -> m.y"
    ]  # fmt: skip


def test_long_ways_are_cut_in_the_middle_on_narrow_terminals_alone():
    way = ("r:r", *(f"package.module{n}:function" for n in range(6)))
    detail = Detail(Reason(ReasonKind.CODE, way[-1], "1", "2"), way)
    whole, cut = explained(detail).splitlines()[-1], explained(detail, width=80).splitlines()[-1]
    assert len(whole) > 150
    assert cut == (
        "      Via: train -> ... -> package.module4.function -> package.module5.function"
    )
    assert len(cut) <= 80
    wide = explained(detail, width=len(whole)).splitlines()[-1]
    assert wide == whole
    tiny = explained(detail, width=10).splitlines()[-1]
    assert tiny == "      Via: train -> ... -> package.module5.function"


def test_symbol_that_is_gone_says_what_it_was_and_where():
    former = Former("c" * 40, RepoPath("lib/low.py"), 7, "const", ("r:r", "lib.low:factor"))
    assert explained(Detail(GONE, former=former)).endswith(
        "    const:factor\n      Old: aaaaaaaa\n      New: (absent)\n"
        "      Was: lib/low.py:7 in cccccccccc"
    )


def test_files_of_a_directory_are_counted_and_the_first_are_named():
    added = tuple(TreePath(f"a{n}") for n in range(9))
    files = FileChanges(added, (TreePath("m"),), (TreePath("d"), TreePath("e\x1b[2J")))
    dep = Reason(ReasonKind.DEP, "data", "a" * 64, "b" * 64)
    lines = explained(Detail(dep, files=files)).splitlines()
    assert lines[8] == "      Files: 9 added, 1 changed, 2 removed"
    assert lines[9:] == [
        *(f"        A a{n}" for n in range(9)),
        "        M m",
        "        and 2 more",
    ]
    few = FileChanges((), (), files.removed[1:])
    assert explained(Detail(dep, files=few)).endswith("      Files: 1 removed\n        D e\\x1b[2J")


def test_diff_is_coloured_and_cannot_move_the_cursor():
    detail = Detail(CODE, diff=("--- a", "+++ b", "@@ -1 +1 @@", " x", "-\told", "+\x1b[2Jnew"))
    text = explained(detail, width=80)
    assert click.unstyle(text).splitlines()[-6:] == [
        "      --- a", "      +++ b", "      @@ -1 +1 @@", "       x", "      -\told",
        "      +\\x1b[2Jnew",
    ]  # fmt: skip
    assert click.style("-\told", fg="red") in text
    assert click.style("@@ -1 +1 @@", fg="cyan") in text


def test_notes_say_why_there_is_no_diff():
    assert explained(Detail(CODE, notes=("no luck",))).endswith("      Note: no luck")


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
