"""Carrying out plans with a real workspace and store, and stages that run in this process."""

import os
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.code.findings import Fingerprint
from pivot.definition.stage import Stage
from pivot.errors import ExitCode, MissingDataError
from pivot.graph import build
from pivot.history import History
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.plan import make_plan
from pivot.run.desk import Desk
from pivot.run.events import StageFinished, StageStarted
from pivot.run.job import Job
from pivot.run.outcome import Ending, Outcome
from pivot.run.record import RunRecord
from pivot.run.repro import Repro
from pivot.run.sifting import Beyond, Sifter
from pivot.run.workbench import Workbench
from pivot.state import State
from pivot.store.store import Store
from pivot.survey import Surveyor
from pivot.track.listings import Listings
from pivot.workspace import Workspace

GOOD = {"ran", "unchanged", "restored"}


@dataclass
class Executor:
    """Runs a job when its outcome is waited for, the last submitted one first."""

    project: "Project"
    waiting: list[Job] = field(default_factory=list)
    cancelled: bool = False

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def submit(self, job):
        self.waiting.append(job)

    def wait(self, timeout=None):
        if not self.waiting:
            return []
        job = self.waiting.pop()
        if self.cancelled:
            return [Outcome(job.stage, Ending.CANCELLED, "it was cancelled")]
        return [self.project.perform(job.stage)]

    def cancel_all(self):
        self.cancelled = True


class Project:
    """Stages `name: upstream`; each writes its own code version and what it read."""

    def __init__(self, root, upstream):
        self.root = root
        self.code = dict.fromkeys(upstream, "1")
        self.failing = {}
        self.events = []
        self.remote = frozenset()
        self.fetch = _cannot_fetch
        self.state = State.open(str(root / ".pivot/state.db"))
        self.workspace = Workspace(str(root), self.state)
        self.store = Store.open(str(root / ".pivot/cache"))
        self.history = History(self.state, str(root / ".pivot/runs"))
        self.graph = build(self._stage(name, ups) for name, ups in upstream.items())

    def _stage(self, name, ups):
        return Stage(
            name=StageName(name), symbol=f"m:{name}", source="pipeline.py",
            file=RepoPath("pipeline.py"), line=1,
            deps=(RepoPath("in"), *(RepoPath(f"out/{up}") for up in sorted(ups))),
            outs=(OutSpec(RepoPath(f"out/{name}"), OutKind.OUT),),
            params=None, cwd=RepoPath.ROOT,
        )  # fmt: skip

    def perform(self, name):
        fault = self.failing.get(name)
        if isinstance(fault, BaseException):
            raise fault
        stage = self.graph.stages[name]
        read = [(self.root / dep).read_text() for dep in stage.deps]
        if fault != "unwritten":
            (self.root / f"out/{name}").write_text(f"{name}{self.code[name]}({','.join(read)})")
        if callable(fault):
            fault()
        if fault == "fails":
            return Outcome(name, Ending.RAISED, "it failed", duration_s=0.1)
        return Outcome(name, Ending.RETURNED, duration_s=0.1)

    def fingerprints(self):
        return {
            f"m:{n}": Fingerprint(f"m:{n}", {f"m:{n}": code}, {}, {}, frozenset(), ())
            for n, code in self.code.items()
        }

    def survey(self, names):
        surveyor = Surveyor(
            self.workspace, self.locks, self.history, self.store.holding, self.remote.__contains__
        )
        packages = {f"m:{n}": {} for n in self.code}
        return surveyor.survey(self.graph, names, self.fingerprints(), packages)

    @property
    def locks(self):
        return str(self.root / ".pivot/stages")

    def plan(self, forced=()):
        return make_plan(self.survey(self.graph.stages), list(self.graph.stages), forced)

    def repro(self, *, jobs=4, keep_going=False, forced=(), plan=None):
        desk = Desk(
            workspace=self.workspace,
            state=self.state,
            store=self.store,
            history=self.history,
            locks=self.locks,
            temporary=str(self.root / ".pivot/tmp"),
            code_now=lambda stage: self.fingerprints()[stage.symbol].code,
            written_now=lambda _, __: "",
        )
        bench = Workbench(
            desk=desk,
            look=lambda name: self.survey([name]).stages[name],
            job=lambda name, log: Job(
                name, str(self.root), "pipeline.py", f"m:{name}", None, RepoPath.ROOT, log, ()
            ),
            fetch=self.fetch,
            tree=self.store.tree,
            executor=lambda: Executor(self),
            sifter=Sifter(
                self.workspace,
                lambda symbol, seen: Beyond(),
                {},
                Listings(str(self.root), tuple, tuple),
            ),
        )
        self.events = []
        record = RunRecord.fresh(str(self.root / ".pivot/runs"))
        plan = plan or self.plan(forced)
        run = Repro(bench, plan, record, self.events.append, jobs=jobs, keep_going=keep_going)
        self.exit_code = run.run()
        return self.statuses()

    def statuses(self):
        return {str(e.stage): str(e.status) for e in self.events if isinstance(e, StageFinished)}

    def failures(self):
        ends = [e for e in self.events if isinstance(e, StageFinished)]
        return {str(e.stage): e.failure.message for e in ends if e.failure}

    def texts(self):
        return {n: self.read(n) for n in self.graph.stages if (self.root / f"out/{n}").exists()}

    def read(self, name):
        return (self.root / f"out/{name}").read_text()


def _cannot_fetch(contents):
    raise MissingDataError("no remote")


@pytest.fixture
def make(tmp_path_factory):
    made = []

    def make(**upstream):
        root = tmp_path_factory.mktemp("project")
        (root / ".pivot").mkdir()
        (root / "in").write_text("i")
        made.append(Project(root, upstream))
        return made[-1]

    yield make
    for project in made:
        project.state.close()


@pytest.fixture
def chain(make):
    project = make(a="", b="a", c="b", other="")
    assert set(project.repro().values()) == {"ran"}
    return project


def test_everything_runs_once_and_then_nothing(chain):
    assert chain.texts() == expected(chain)
    assert set(chain.repro().values()) == {"unchanged"}
    assert not [e for e in chain.events if isinstance(e, StageStarted)]


def test_downstream_is_settled_by_what_upstream_wrote(chain):
    chain.code["a"] = "2"
    assert chain.repro() == {"a": "ran", "b": "ran", "c": "ran", "other": "unchanged"}
    chain.code["a"] = "1"
    assert chain.repro() == {
        "a": "restored", "b": "restored", "c": "restored", "other": "unchanged"
    }  # fmt: skip


def test_failed_stage_gets_its_outs_back(chain):
    before = chain.texts()
    chain.code["b"] = "2"
    chain.failing["b"] = "fails"
    assert chain.repro() == {"b": "failed", "c": "blocked", "a": "unchanged", "other": "unchanged"}
    assert chain.exit_code is ExitCode.FAILED
    assert chain.texts() == before


@pytest.mark.parametrize("fault", ["unwritten", "fails"])
def test_failure_in_any_way_leaves_the_lock(chain, fault):
    with open(os.path.join(chain.locks, "b.lock"), "rb") as f:
        lock = f.read()
    chain.code["b"] = "2"
    chain.failing["b"] = fault
    chain.repro()
    with open(os.path.join(chain.locks, "b.lock"), "rb") as f:
        assert f.read() == lock
    chain.failing.clear()
    assert chain.repro()["b"] == "ran"


def test_code_that_changes_while_it_runs_leaves_outs_and_writes_no_lock(chain):
    chain.code["b"] = "2"
    chain.failing["b"] = lambda: chain.code.update(b="3")
    assert chain.repro()["b"] == "failed"
    assert chain.failures() == {"b": "code changed while it ran"}
    assert chain.read("b").startswith("b2(")
    chain.failing.clear()
    assert chain.repro()["b"] == "ran"
    assert chain.read("b").startswith("b3(")


def test_old_outs_that_a_collection_left_alone_outlive_a_change_of_code(chain, monkeypatch):
    """What was moved aside is the only copy once the store lost it while the stage ran."""
    old = chain.read("b")
    lost = chain.workspace.content(RepoPath("out/b"))
    real = chain.store.holds
    chain.code["b"] = "2"

    def act():
        chain.code.update(b="3")
        monkeypatch.setattr(chain.store, "holds", lambda content: content != lost and real(content))

    chain.failing["b"] = act
    assert chain.repro()["b"] == "failed"
    assert [p.read_text() for p in (chain.root / ".pivot/aside/kept").rglob("0")] == [old]


def test_out_that_is_edited_while_its_data_is_fetched_is_kept(chain, monkeypatch):
    wanted = chain.workspace.content(RepoPath("out/other"))
    chain.code["other"] = "2"
    assert chain.repro()["other"] == "ran"
    chain.code["other"] = "1"
    real, lacking = chain.store.holds, {wanted}
    monkeypatch.setattr(
        chain.store, "holds", lambda content: content not in lacking and real(content)
    )

    def fetch(contents):
        lacking.clear()
        (chain.root / "out/other").write_text("mine")

    chain.remote, chain.fetch = {wanted}, fetch
    assert chain.repro()["other"] == "failed"
    assert chain.failures() == {"other": "out/other would be overwritten"}
    assert chain.read("other") == "mine"
    assert not lacking


def test_out_that_is_edited_while_deps_are_fetched_is_kept_unless_forced(chain, monkeypatch):
    def put(*_):
        (chain.root / "out/other").write_text("mine")

    monkeypatch.setattr("pivot.run.repro.put_deps", put)
    chain.code["other"] = "2"
    assert chain.repro()["other"] == "failed"
    assert chain.read("other") == "mine"
    assert chain.repro(forced=["other"])["other"] == "ran"


def test_dep_that_changes_while_it_runs_leaves_outs_and_writes_no_lock(chain):
    chain.code["other"] = "2"
    chain.failing["other"] = lambda: (chain.root / "in").write_text("changed")
    chain.repro()
    assert chain.failures()["other"] == "dep in changed while it ran"


def test_interrupt_while_stages_run_cancels_them_and_puts_outs_back(chain):
    before = chain.texts()
    for name in chain.code:
        chain.code[name] = "2"
    chain.failing["other"] = KeyboardInterrupt()
    assert chain.repro() == {
        "a": "cancelled", "b": "blocked", "c": "blocked", "other": "cancelled"
    }  # fmt: skip
    assert chain.exit_code is ExitCode.INTERRUPTED
    assert chain.texts() == before
    assert os.listdir(chain.root / ".pivot/aside") in ([], ["kept"])


def test_interrupt_while_outs_are_stored_puts_the_old_ones_back(chain, monkeypatch):
    before = chain.texts()
    chain.code["other"] = "2"

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pivot.run.attempt.accept", interrupt)
        assert chain.repro()["other"] == "cancelled"
    assert chain.texts() == before
    assert chain.repro()["other"] == "ran"


def test_plan_that_another_run_has_overtaken_is_made_again(chain):
    """Between plan and claim the other run did all of it."""
    chain.code["a"] = "2"
    stale = chain.plan()
    assert set(chain.repro().values()) == {"ran", "unchanged"}
    assert set(chain.repro(plan=stale).values()) == {"unchanged"}


def test_unstored_outs_are_stored_again(chain):
    chain.store = Store.open(str(chain.root / "new-cache"))
    assert set(chain.repro().values()) == {"unchanged"}
    (chain.root / "out/c").unlink()
    assert chain.repro()["c"] == "restored"


def test_full_disk_fails_the_stage_and_nothing_else(chain, monkeypatch):
    before = chain.texts()
    chain.code["other"] = "2"
    chain.code["a"] = "2"
    real = chain.store.writer

    def full():
        raise OSError(28, "No space left on device", "/cache/pack")

    chain.store.writer = full
    done = chain.repro(keep_going=True)
    chain.store.writer = real
    assert done == {"a": "failed", "b": "blocked", "c": "blocked", "other": "failed"}
    assert chain.failures()["a"] == "/cache/pack can't be written or read"
    assert chain.texts() == before
    assert chain.repro()["c"] == "ran"


def test_executor_that_cannot_start_fails_each_stage_with_its_own_reason(chain, monkeypatch):
    chain.code.update(a="2", other="2")

    def none_left(_):
        raise OSError(11, "Resource temporarily unavailable", "python")

    with monkeypatch.context() as patch:
        patch.setattr(Executor, "__enter__", none_left)
        chain.repro(keep_going=True)
    assert set(chain.failures().values()) == {"python can't be written or read"}
    assert chain.repro()["c"] == "ran"


@pytest.mark.parametrize("step", ["vouching.write_encoded", "repro.RunRecord.keep_lock"])
def test_disk_that_is_full_when_a_lock_is_written(chain, monkeypatch, step):
    """The result is in the store: once there is room it is restored, or made again."""
    before = chain.texts()
    chain.code["c"] = "2"

    def full(*_):
        raise OSError(28, "No space left on device", "/stages/c.lock")

    with monkeypatch.context() as patch:
        patch.setattr(f"pivot.run.{step}", full)
        assert chain.repro()["c"] == "failed"
    assert chain.texts() == before
    assert chain.repro()["c"] == ("restored" if step == "vouching.write_encoded" else "ran")
    assert chain.texts() == expected(chain)


@st.composite
def cases(draw):
    names = "abcdef"[: draw(st.integers(1, 6))]
    edges = {
        n: "".join(sorted(draw(st.sets(st.sampled_from(names[:i]))))) if i else ""
        for i, n in enumerate(names)
    }
    changes = st.dictionaries(st.sampled_from(names), st.sampled_from("123"))
    faults = st.dictionaries(st.sampled_from(names), st.sampled_from(["fails", "unwritten"]))
    turns = st.tuples(changes, faults, st.integers(1, 3), st.booleans())
    return edges, draw(st.lists(turns, min_size=1, max_size=4))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # `make` makes a new one
@given(cases())
def test_any_history_of_changes_and_failures_ends_in_the_right_bytes(make, case):
    """Every stage ends once in each run; a run without faults gives what running all would."""
    edges, turns = case
    project = make(**edges)
    for changes, faults, jobs, keep_going in turns:
        project.code.update(changes)
        project.failing = dict(faults)
        done = project.repro(jobs=jobs, keep_going=keep_going)
        ends = [e for e in project.events if isinstance(e, StageFinished)]
        assert len(ends) == len(done) == len(edges)
        assert project.events[-1].counts == {
            status: list(done.values()).count(status) for status in set(done.values())
        }
        assert (project.exit_code is ExitCode.DONE) == (set(done.values()) <= GOOD)
    project.failing = {}
    assert set(project.repro().values()) <= GOOD
    assert project.texts() == expected(project)
    assert set(project.repro().values()) == {"unchanged"}


def expected(project):
    texts = {}
    for name, stage in project.graph.stages.items():
        read = [texts[dep.removeprefix("out/")] if dep != "in" else "i" for dep in stage.deps]
        texts[name] = f"{name}{project.code[name]}({','.join(read)})"
    return texts
