"""The plan, case by case; stages and what is known of them are made by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.definition.stage import Stage
from pivot.graph import build
from pivot.hashing import hash_bytes
from pivot.lock.declared import Declared
from pivot.lock.lock import Lock
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.plan import Decision, Verdict, make_plan, new_key
from pivot.store.content import Content, ContentType
from pivot.survey import StageSurvey, Survey


def file(text):
    return Content(ContentType.FILE, hash_bytes(text.encode()), len(text))


class World:
    """A small project: stages with code and files, everything else follows."""

    def __init__(self):
        self.specs = {}
        self.disk = {}
        self.stored = set()
        self.remote = set()
        self.locks = {}
        self.past = {}

    def stage(self, name, deps=(), outs=(), code="1", kind=OutKind.OUT):
        self.specs[name] = (tuple(deps), tuple(outs), code, kind)
        return self

    def edit(self, name, code):
        deps, outs, _, kind = self.specs[name]
        self.specs[name] = (deps, outs, code, kind)

    def declared(self, name):
        deps, outs, code, kind = self.specs[name]
        return Declared(
            1, {f"m:{name}": code}, {}, None, {}, RepoPath("."),
            tuple(map(RepoPath, sorted(deps))),
            tuple(OutSpec(RepoPath(out), kind) for out in sorted(outs)),
        )  # fmt: skip

    def run(self, name, *, writes=None):
        """What a run would leave: outs on disk and in the store, a lock, an action."""
        declared = self.declared(name)
        deps = {dep: self.disk[dep] for dep in declared.deps}
        code = self.specs[name][2]
        seen = "+".join(content.id.hex()[:6] for content in deps.values())
        outs = {
            out.path: file(writes or f"{out.path} by {code} of {seen}") for out in declared.outs
        }
        self.disk |= outs
        self.stored |= set(outs.values())
        self.locks[name] = Lock(StageName(name), f"m:{name}", declared, deps, outs)
        self.past.setdefault(name, []).insert(0, self.locks[name])
        return self

    def survey(self):
        stages = [
            Stage(
                StageName(name), f"m:{name}", "m", RepoPath("m.py"), 1,
                self.declared(name).deps, self.declared(name).outs, None, RepoPath("."),
            )
            for name in self.specs
        ]  # fmt: skip
        graph = build(stages)
        return Survey(graph, {stage.name: self._look(stage, graph) for stage in stages})

    def _look(self, stage, graph):
        declared = self.declared(stage.name)
        known = [lock for locks in self.past.values() for lock in locks]
        candidates = tuple(
            lock
            for lock in known
            if lock.is_action and lock.declared.static_key == declared.static_key
        )
        sources = {
            dep: self.disk.get(dep)
            for dep in stage.deps
            if not any(p.out == dep for p in graph.producers[stage.name][dep])
        }
        return StageSurvey(
            stage=stage,
            declared=declared,
            locations={},
            kinds={},
            lock=self.locks.get(stage.name),
            lock_fault=None,
            candidates=candidates,
            sources=sources,
            outs={out.path: self.disk.get(out.path) for out in stage.outs},
            held=frozenset(self.stored | self.remote),
            stored=frozenset(self.stored),
        )

    def plan(self, *forced):
        survey = self.survey()
        return make_plan(survey, tuple(survey.graph.stages), tuple(map(StageName, forced)))

    def states(self, *forced):
        return {name: d.state for name, d in self.plan(*forced).decisions.items()}

    def decide(self, name, *forced):
        return self.plan(*forced).decisions[name]


@pytest.fixture
def world():
    """raw -> prepare -> train -> report, all run once."""
    made = World()
    made.disk["raw"] = file("raw")
    made.stage("prepare", ["raw"], ["clean"])
    made.stage("train", ["clean"], ["model"])
    made.stage("report", ["model"], ["page"])
    for name in made.specs:
        made.run(name)
    return made


def kinds(decision):
    return [(reason.kind.value, reason.what) for reason in decision.reasons]


ALL = dict.fromkeys(("prepare", "train", "report"), "unchanged")


# -- skip -----------------------------------------------------------------------------------


def test_nothing_changed_nothing_to_do(world):
    assert world.states() == ALL
    assert all(d.reasons == () for d in world.plan().decisions.values())


def test_a_first_run_runs_the_first_and_the_others_for_certain():
    world = World().stage("a", ["raw"], ["x"]).stage("b", ["x"], ["y"])
    world.disk["raw"] = file("raw")
    assert world.states() == {"a": "stale", "b": "stale"}
    assert kinds(world.decide("b")) == [("never_run", "lock"), ("upstream", "a")]


def test_a_stage_without_outs_runs_only_when_its_key_changed():
    world = World().stage("check", ["raw"])
    world.disk["raw"] = file("raw")
    assert world.states() == {"check": "stale"}
    assert world.run("check").states() == {"check": "unchanged"}
    world.edit("check", "2")
    world.run("check")
    world.edit("check", "1")
    assert world.states() == {"check": "stale"}  # it ran so before, but there is nothing to restore


# -- the wave of a change -------------------------------------------------------------------


def test_a_changed_stage_makes_what_depends_on_it_pending(world):
    world.edit("prepare", "2")
    assert world.states() == {"prepare": "stale", "train": "pending", "report": "pending"}
    assert kinds(world.decide("prepare")) == [("code", "m:prepare")]
    assert kinds(world.decide("train")) == [("upstream", "prepare")]


def test_a_changed_source_is_named(world):
    world.disk["raw"] = file("other")
    assert kinds(world.decide("prepare")) == [("dep", "raw")]


def test_a_stage_that_must_run_whatever_its_upstream_makes_is_stale(world):
    world.edit("prepare", "2")
    world.edit("train", "2")
    assert world.states() == {"prepare": "stale", "train": "stale", "report": "pending"}
    assert kinds(world.decide("train")) == [("code", "m:train"), ("upstream", "prepare")]


def test_a_stage_that_ran_so_before_is_pending_until_its_upstream_is_known(world):
    world.edit("train", "2")
    world.run("train").run("report")
    world.edit("train", "1")
    world.edit("prepare", "2")
    assert world.states() == {"prepare": "stale", "train": "pending", "report": "pending"}
    assert kinds(world.decide("train")) == [("code", "m:train"), ("upstream", "prepare")]


def settle(world, plan, *names):
    """Settle stages in order, each after those before; runs are as `world` had them run."""
    decisions = dict(plan.decisions)
    for name in names:
        plan = replace(plan, survey=world.survey())
        decisions[name] = plan.settle(StageName(name), decisions)
    return decisions


def ran(world, name):
    return Decision(Verdict.SKIP, lock=world.locks[name])


def test_an_upstream_that_wrote_the_same_bytes_stops_the_wave(world):
    world.edit("prepare", "2")
    plan = world.plan()
    text = world.disk[RepoPath("clean")]
    world.run("prepare", writes="clean by 1 of " + file("raw").id.hex()[:6])
    assert world.disk[RepoPath("clean")] == text
    plan = replace(plan, decisions={**plan.decisions, "prepare": ran(world, "prepare")})
    decisions = settle(world, plan, "train", "report")
    assert decisions["train"].verdict is Verdict.SKIP
    assert decisions["report"].verdict is Verdict.SKIP


def test_an_upstream_that_wrote_other_bytes_goes_on_with_the_wave(world):
    world.edit("prepare", "2")
    plan = world.plan()
    world.run("prepare")
    plan = replace(plan, decisions={**plan.decisions, "prepare": ran(world, "prepare")})
    decisions = settle(world, plan, "train", "report")
    assert decisions["train"].verdict is Verdict.RUN
    assert kinds(decisions["train"]) == [("dep", "clean")]
    assert decisions["report"].verdict is Verdict.UNDECIDED


# -- restore --------------------------------------------------------------------------------


def test_code_that_ran_before_is_restored_down_the_chain(world):
    world.edit("prepare", "2")
    for name in world.specs:
        world.run(name)
    world.edit("prepare", "1")
    assert world.states() == dict.fromkeys(ALL, "restorable")


def test_a_chain_of_restores_needs_no_bytes_of_its_middle(world):
    """Only the lock tells what the middle was; its bytes are nowhere on disk."""
    for path in ("clean", "model", "page"):
        del world.disk[RepoPath(path)]
    decisions = world.plan().decisions
    assert {d.verdict for d in decisions.values()} == {Verdict.RESTORE}
    assert decisions["train"].deps == world.locks["train"].deps


def test_missing_outs_are_restored_from_the_own_lock(world):
    del world.disk[RepoPath("page")]
    assert world.states() == ALL | {"report": "restorable"}
    assert kinds(world.decide("report")) == [("out", "page")]


def test_another_held_version_in_place_is_replaced(world):
    world.disk[RepoPath("page")] = file("of another branch")
    world.stored.add(file("of another branch"))
    assert world.states()["report"] == "restorable"


def test_what_a_remote_has_can_be_restored(world):
    content = world.disk.pop(RepoPath("page"))
    world.stored.remove(content)
    assert world.states()["report"] == "stale"
    world.remote.add(content)
    assert world.states()["report"] == "restorable"


def test_a_clone_with_locks_and_a_remote_runs_nothing(world):
    world.disk = {RepoPath("raw"): file("raw")}
    world.remote, world.stored, world.past = world.stored, set(), {}
    assert world.states() == dict.fromkeys(ALL, "restorable")


def test_lost_bytes_make_a_stage_run_again(world):
    world.stored.remove(world.disk.pop(RepoPath("page")))
    assert world.decide("report").verdict is Verdict.RUN


def test_the_result_of_an_equal_stage_of_another_name_is_used(world):
    world.stage("again", ["clean"], ["model2"])
    world.past["again"] = []
    assert world.states()["again"] == "stale"  # another out path is another key
    twin = world.locks["train"]
    del world.specs["again"], world.specs["train"]
    world.specs["renamed"] = (("clean",), ("model",), "1", OutKind.OUT)
    del world.locks["train"]
    world.past = {"train": [replace(twin, declared=world.declared("renamed"))]}
    assert world.decide("renamed").verdict is Verdict.RESTORE


def test_an_incremental_out_is_skipped_by_its_own_lock_and_restored_by_no_other():
    world = World().stage("grow", ["raw"], ["db"], kind=OutKind.INCREMENTAL)
    world.disk["raw"] = file("raw")
    world.run("grow")
    assert world.states() == {"grow": "unchanged"}
    world.edit("grow", "2")
    world.run("grow")
    world.edit("grow", "1")
    assert world.states() == {"grow": "stale"}
    world.edit("grow", "2")
    del world.disk[RepoPath("db")]
    assert world.states() == {"grow": "restorable"}


def test_what_an_incremental_stage_has_no_record_of_is_not_begun_over(world):
    world.stage("grow", ["raw"], ["db"], kind=OutKind.INCREMENTAL)
    world.disk[RepoPath("db")] = file("held elsewhere")
    world.stored.add(file("held elsewhere"))
    assert world.decide("grow").unheld == (RepoPath("db"),)
    assert world.decide("grow", "grow").unheld == ()
    world.run("grow")
    world.disk[RepoPath("db")] = file("held elsewhere")
    assert world.decide("grow").unheld == ()


# -- the user's bytes -----------------------------------------------------------------------


def test_an_edited_out_stops_its_stage_and_names_it(world):
    world.disk[RepoPath("model")] = file("edited by hand")
    decision = world.decide("train")
    assert (decision.state, decision.unheld) == ("stale", (RepoPath("model"),))
    assert kinds(decision) == [("out", "model")]
    assert world.states()["report"] == "pending"


def test_force_runs_over_an_edited_out(world):
    world.disk[RepoPath("model")] = file("edited by hand")
    decision = world.decide("train", "train")
    assert (decision.verdict, decision.unheld) == (Verdict.RUN, ())


def test_a_changed_metric_shows_the_same_way():
    world = World().stage("eval", ["raw"], ["m.json"], kind=OutKind.METRIC)
    world.disk["raw"] = file("raw")
    world.run("eval")
    world.disk[RepoPath("m.json")] = file("0.99")
    decision = world.decide("eval")
    assert decision.unheld == (RepoPath("m.json"),)
    assert kinds(decision) == [("out", "m.json")]


def test_a_file_in_the_way_of_a_first_run_is_the_users():
    world = World().stage("a", ["raw"], ["x"])
    world.disk |= {"raw": file("raw"), RepoPath("x"): file("mine")}
    assert world.decide("a").unheld == (RepoPath("x"),)


def test_the_own_outs_may_be_replaced_even_if_the_store_was_deleted(world):
    """They are stored again before anything else happens to them."""
    world.stored = set()
    world.edit("train", "2")
    decision = world.decide("train")
    assert (decision.unheld, decision.unstored) == ((), (RepoPath("model"),))


def test_outs_in_place_of_a_deleted_store_are_stored_again_and_skipped(world):
    world.stored = set()
    decisions = world.plan().decisions
    assert {d.verdict for d in decisions.values()} == {Verdict.SKIP}
    assert decisions["train"].unstored == (RepoPath("model"),)


# -- forced and missing ---------------------------------------------------------------------


def test_forced_stages_run_and_say_so(world):
    assert world.states("train") == ALL | {"train": "stale", "report": "pending"}
    assert kinds(world.decide("train", "train")) == [("forced", "--force")]


def test_a_missing_source_is_named_and_never_restored_around(world):
    del world.disk["raw"]
    decision = world.decide("prepare")
    assert (decision.verdict, decision.missing) == (Verdict.RUN, (RepoPath("raw"),))
    assert new_key(world.survey().stages["prepare"], decision) is None


def test_the_key_of_a_run_is_that_of_its_lock(world):
    survey = world.survey().stages["train"]
    assert new_key(survey, world.decide("train")) == world.locks["train"].key
    assert new_key(survey, Decision(Verdict.UNDECIDED)) is None


def test_a_directory_that_holds_outs_of_others_waits_for_them(world):
    world.stage("pack", ["d"], ["archive"])
    world.stage("one", ["raw"], ["d/1"])
    world.disk[RepoPath("d")] = file("directory of 1")
    for name in ("one", "pack"):
        world.run(name)
    assert world.states()["pack"] == "unchanged"
    del world.disk[RepoPath("d/1")]
    assert world.states()["one"] == "restorable"
    assert world.states()["pack"] == "pending"  # its id is known from the disk alone


# -- prediction -----------------------------------------------------------------------------


actions = st.lists(
    st.tuples(
        st.sampled_from(["edit", "raw", "drop", "lose", "spoil"]),
        st.sampled_from(["prepare", "train", "report"]),
        st.sampled_from("12"),
    ),
    max_size=8,
)


def change(world, kind, name, version):
    out = RepoPath({"prepare": "clean", "train": "model", "report": "page"}[name])
    match kind:
        case "edit":
            world.edit(name, version)
        case "raw":
            world.disk["raw"] = file(f"raw{version}")
        case "drop":
            world.disk.pop(out, None)
        case "lose":
            world.stored.discard(world.disk.get(out))
        case "spoil":
            world.disk[out] = file("by hand")


def carry_out(world):
    """A run of the plan, stage by stage as the runner does it; the stages that ran."""
    plan = world.plan()
    decisions, executed = dict(plan.decisions), []
    for name in plan.decisions:
        plan = replace(plan, survey=world.survey())
        decision = plan.settle(name, decisions)
        if decision.unheld or decision.missing:
            return executed
        if decision.verdict is Verdict.RUN:
            executed.append(name)
            world.run(name)
        elif decision.verdict is Verdict.RESTORE:
            world.locks[name] = decision.lock
            world.disk |= decision.lock.outs
            world.stored |= set(decision.lock.outs.values())
        assert decision.verdict is not Verdict.UNDECIDED
        decisions[name] = Decision(Verdict.SKIP, lock=world.locks[name])
    return executed


@given(st.lists(actions, max_size=4))
def test_what_runs_was_predicted_and_a_second_run_has_nothing_to_do(rounds):
    world = World()
    world.disk["raw"] = file("raw1")
    world.stage("prepare", ["raw"], ["clean"])
    world.stage("train", ["clean"], ["model"])
    world.stage("report", ["model"], ["page"])
    for steps in rounds:
        for step in steps:
            change(world, *step)
        predicted = world.plan().decisions
        stopped = any(d.unheld for d in predicted.values())
        executed = carry_out(world)
        may_run = {n for n, d in predicted.items() if d.verdict in (Verdict.RUN, Verdict.UNDECIDED)}
        assert set(executed) <= may_run
        if not stopped and not any(world.decide(n).unheld for n in world.specs):
            assert set(world.states().values()) == {"unchanged"}
            assert carry_out(world) == []
