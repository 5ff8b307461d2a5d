"""What is told of reasons beside them, as far as plan and fingerprint tell."""

from pivot.code.findings import Fingerprint
from pivot.definition.stage import Stage
from pivot.explain import Reason, ReasonKind
from pivot.graph import Graph
from pivot.lock.declared import Declared
from pivot.paths import RepoPath, StageName, TreePath
from pivot.plan import Decision, Plan, Verdict
from pivot.project.account import Detail, FileChanges, Former, accounts
from pivot.survey import StageSurvey, Survey

NAME = StageName("train")
FOUND = Fingerprint(
    root="m:train",
    code={"m:train": "1", "n:low": "2", "n:new": "3"},
    locations={},
    kinds={},
    modules=frozenset(),
    opaque=(),
    via={"n:low": "m:train", "n:new": "n:low"},
)


def told(*reasons, fingerprint=lambda _: FOUND):
    stage = Stage(
        name=NAME, symbol="m:train", source="pipeline.py", file=RepoPath("m.py"), line=1,
        deps=(), outs=(), params=None, cwd=RepoPath.ROOT,
    )  # fmt: skip
    declared = Declared(1, {}, {}, None, {}, RepoPath.ROOT, (), ())
    survey = StageSurvey(stage, declared, {}, {}, None, None, (), {}, {}, frozenset(), frozenset())
    graph = Graph({NAME: stage}, {NAME: {}})
    decisions = {NAME: Decision(Verdict.RUN, reasons)}
    plan = Plan(graph, Survey(graph, {NAME: survey}), decisions, frozenset())
    (account,) = accounts(plan, [NAME], fingerprint)
    return account


def code(what, old, new):
    return Reason(ReasonKind.CODE, what, old, new)


def test_json_has_the_stage_its_state_and_its_reasons():
    assert told(code("n:low", "1", "2")).to_json() == {
        "stage": "train",
        "state": "stale",
        "reasons": [
            {
                "kind": "code",
                "what": "n:low",
                "old": "1",
                "new": "2",
                "file": None,
                "line": None,
                "chain": ["m:train", "n:low"],
                "reads": [],
                "files": None,
                "former": None,
                "diff": None,
                "notes": [],
            }
        ],
    }


def test_json_of_what_was_looked_for():
    detail = Detail(
        code("n:low", "1", None),
        files=FileChanges((TreePath("a"),), (), (TreePath("b"),)),
        former=Former("c" * 40, RepoPath("n.py"), 3, "func", ("m:train", "n:low")),
        diff=("--- a", "+++ b"),
        notes=("so it is",),
    )
    value = detail.to_json()
    assert value["files"] == {"added": ["a"], "changed": [], "removed": ["b"]}
    assert value["former"] == {
        "commit": "c" * 40, "file": "n.py", "line": 3, "kind": "func",
        "chain": ["m:train", "n:low"],
    }  # fmt: skip
    assert (value["diff"], value["notes"]) == ("--- a\n+++ b\n", ["so it is"])


def test_code_that_is_reached_no_more_has_no_way_to_it():
    details = told(code("n:gone", "1", None), code("n:new", None, "3")).details
    assert [detail.chain for detail in details] == [(), ("m:train", "n:low", "n:new")]


def test_new_symbol_with_the_hash_of_one_that_is_gone_is_that_one():
    details = told(code("n:new", None, "3"), code("o:old", "3", None), code("n:low", "9", "3"))
    assert [detail.notes for detail in details.details] == [("it is what o.old was",), (), ()]
    other = told(code("n:new", None, "3"), code("o:old", "4", None))
    assert [detail.notes for detail in other.details] == [(), ()]


def test_fingerprints_are_asked_for_only_where_code_changed():
    def fail(_):
        raise AssertionError

    param = Reason(ReasonKind.PARAMS, "n:low", "1", "2")
    assert told(param, fingerprint=fail).details == (Detail(param),)
