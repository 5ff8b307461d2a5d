"""Which stage may start: exhaustively on small graphs, at random on larger ones."""

from hypothesis import given
from hypothesis import strategies as st

from pivot.definition.stage import Stage
from pivot.graph import build
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.run.events import Status
from pivot.run.schedule import Ended, Schedule

GOOD = (Status.RAN, Status.UNCHANGED, Status.RESTORED)
A, B, C, D = map(StageName, "abcd")


def graph(**upstream):
    """A graph of stages, each with the stages that it reads from."""
    return build(
        Stage(
            name=StageName(name),
            symbol=f"pipeline:{name}",
            source="pipeline.py",
            file=RepoPath("pipeline.py"),
            line=1,
            deps=tuple(RepoPath(f"{up}.out") for up in sorted(ups)),
            outs=(OutSpec(RepoPath(f"{name}.out"), OutKind.OUT),),
            params=None,
            cwd=RepoPath.ROOT,
        )
        for name, ups in upstream.items()
    )


DIAMOND = graph(a="", b="a", c="a", d="bc")


def test_stage_is_ready_once_all_its_upstream_ended_well():
    schedule = Schedule(DIAMOND, DIAMOND.stages, keep_going=False)
    assert schedule.ready() == (A,)
    schedule.start(A)
    assert (schedule.ready(), schedule.running) == ((), {A})
    schedule.finish(A, Status.RESTORED)
    assert schedule.ready() == (B, C)
    schedule.finish(B, Status.UNCHANGED)
    assert schedule.ready() == (C,)
    schedule.finish(C, Status.RAN)
    assert schedule.ready() == (D,)
    assert not schedule.is_done
    schedule.finish(D, Status.RAN)
    assert schedule.is_done


def test_upstream_that_is_not_selected_is_not_waited_for():
    assert Schedule(DIAMOND, [D], keep_going=False).ready() == (D,)


def test_failure_blocks_what_depends_on_it_however_far():
    chain = graph(a="", b="a", c="b", d="")
    schedule = Schedule(chain, chain.stages, keep_going=True)
    assert schedule.finish(A, Status.FAILED) == (
        Ended(B, Status.BLOCKED, A),
        Ended(C, Status.BLOCKED, B),
    )
    assert schedule.ready() == (D,)


def test_without_keep_going_nothing_starts_after_a_failure():
    schedule = Schedule(DIAMOND, DIAMOND.stages, keep_going=False)
    schedule.finish(A, Status.RAN)
    schedule.start(C)
    schedule.finish(B, Status.FAILED)
    assert schedule.ready() == ()
    assert not schedule.is_done, "what runs is awaited"
    schedule.finish(C, Status.RAN)
    assert schedule.is_done
    assert schedule.leave() == ()


def test_stages_without_an_end_are_not_started_or_cut_off():
    schedule = Schedule(DIAMOND, DIAMOND.stages, keep_going=False)
    schedule.finish(A, Status.RAN)
    schedule.start(B)
    schedule.stop()
    assert schedule.ready() == ()
    assert schedule.leave() == (
        Ended(B, Status.CANCELLED),
        Ended(C, Status.NOT_STARTED),
        Ended(D, Status.NOT_STARTED),
    )


@st.composite
def graphs(draw):
    names = [f"s{i}" for i in range(draw(st.integers(1, 7)))]
    return graph(
        **{n: draw(st.sets(st.sampled_from(names[:i]))) if i else "" for i, n in enumerate(names)}
    )


@given(graphs(), st.booleans(), st.data())
def test_every_stage_ends_exactly_once_and_after_its_upstream(drawn, keep_going, data):
    schedule = Schedule(drawn, drawn.stages, keep_going=keep_going)
    ended: dict[StageName, Status] = {}
    running = []
    while not schedule.is_done:
        ready = schedule.ready()
        if ready and (not running or data.draw(st.booleans())):
            name = data.draw(st.sampled_from(ready))
            assert all(ended.get(up) in GOOD for up in drawn.upstream(name))
            schedule.start(name)
            running.append(name)
            continue
        name = running.pop(data.draw(st.integers(0, len(running) - 1)))
        status = data.draw(st.sampled_from([*GOOD, Status.FAILED]))
        assert name not in ended
        ended[name] = status
        for end in schedule.finish(name, status):
            assert end.stage not in ended
            ended[end.stage] = end.status
    for end in schedule.leave():
        assert end.stage not in ended
        ended[end.stage] = end.status
    assert ended == schedule.statuses
    assert ended.keys() == drawn.stages.keys()
    for name, status in ended.items():
        bad = any(ended[up] not in GOOD for up in drawn.upstream(name))
        assert not (bad and status in GOOD)
        assert not (keep_going and not bad and status not in (*GOOD, Status.FAILED))
