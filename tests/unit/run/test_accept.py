"""From a stage that returned to its lock: what is checked, in which order things become durable."""

import pytest

from pivot.definition.stage import Stage
from pivot.lock.declared import Declared
from pivot.lock.observed import Observed
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.run.accept import Started, UnwrittenOutError, accept
from pivot.run.use import ChangedMeanwhileError
from pivot.state import State
from pivot.store.store import Store
from pivot.survey import StageSurvey
from pivot.workspace import Workspace

IN, OUT, LOG = RepoPath("in"), RepoPath("out"), RepoPath("log")
CODE = {"m:make": "1"}


@pytest.fixture
def place(tmp_path):
    (tmp_path / ".pivot").mkdir()
    (tmp_path / "in").write_text("in")
    state = State.open(str(tmp_path / ".pivot/state.db"))
    yield Workspace(str(tmp_path), state), Store.open(str(tmp_path / "store")), tmp_path
    state.close()


def started(workspace, *, previous=None, secrets=()):
    outs = (OutSpec(LOG, OutKind.INCREMENTAL), OutSpec(OUT, OutKind.OUT))
    stage = Stage(
        name=StageName("make"), symbol="m:make", source="pipeline.py", file=RepoPath("m.py"),
        line=1, deps=(IN,), outs=outs, params=None, cwd=RepoPath.ROOT, secrets=secrets,
    )  # fmt: skip
    declared = Declared(1, CODE, {}, None, {}, RepoPath.ROOT, (IN,), outs)
    survey = StageSurvey(
        stage, declared, {}, {}, None, None, (), {}, {}, frozenset(), frozenset()
    )  # fmt: skip
    return Started(survey, {IN: workspace.content(IN)}, previous or {})


def write(root):
    (root / "out").write_text("out")
    (root / "log").write_text("log")


def test_lock_names_what_was_read_and_written(place):
    workspace, store, root = place
    start = started(workspace, secrets=("token",))
    write(root)
    lock = accept(start, workspace, store, lambda: CODE)
    assert (lock.stage, lock.root, lock.secrets) == ("make", "m:make", ("token",))
    assert lock.deps == {IN: workspace.content(IN)}
    assert lock.outs == {OUT: workspace.content(OUT), LOG: workspace.content(LOG)}
    assert all(store.holds(content) for content in lock.outs.values())
    assert lock.previous == {}
    assert lock.sources == ""


def test_lock_names_what_incremental_outs_started_from(place):
    workspace, store, root = place
    (root / "log").write_text("before")
    before = workspace.content(LOG)
    start = started(workspace, previous={LOG: before, OUT: before})
    write(root)
    assert accept(start, workspace, store, lambda: CODE).previous == {LOG: before}


def test_unwritten_outs_are_named_and_nothing_is_stored(place):
    workspace, store, root = place
    start = started(workspace)
    (root / "log").write_text("log")
    with pytest.raises(UnwrittenOutError, match="it did not write out"):
        accept(start, workspace, store, lambda: CODE)
    assert not store.holds(workspace.content(LOG))


def test_changed_code_is_seen_after_the_outs_were_stored(place):
    """Then the bytes aren't lost, though nothing vouches for them."""
    workspace, store, root = place
    start = started(workspace)
    write(root)
    with pytest.raises(ChangedMeanwhileError, match="code changed while it ran"):
        accept(start, workspace, store, lambda: {"m:make": "2"})
    assert store.holds(workspace.content(OUT))


@pytest.mark.parametrize("change", ["edit", "remove", "executable"])
def test_changed_dep_is_named(place, change):
    workspace, store, root = place
    start = started(workspace)
    write(root)
    match change:
        case "edit":
            (root / "in").write_text("IN")
        case "remove":
            (root / "in").unlink()
        case "executable":
            (root / "in").chmod(0o755)
    with pytest.raises(ChangedMeanwhileError, match="dep in changed while it ran"):
        accept(start, workspace, store, lambda: CODE)


def test_dep_that_was_rewritten_with_the_same_bytes_did_not_change(place):
    workspace, store, root = place
    start = started(workspace)
    write(root)
    (root / "in").write_text("in")
    assert accept(start, workspace, store, lambda: CODE).deps == start.deps


def test_lock_tells_how_the_code_was_written_with_what_was_observed(place):
    workspace, store, root = place
    write(root)
    seen = Observed(code={"m:late": "3"})
    told = accept(
        started(workspace), workspace, store, lambda: CODE, lambda: seen,
        lambda observed: f"{sorted(observed.code)}",
    )  # fmt: skip
    assert (told.observed, told.sources) == (seen, "['m:late']")
