import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.definition.stage import Stage
from pivot.errors import DefinitionError, UsageError
from pivot.graph import Producer, build
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName


def stage(name, deps=(), outs=()):
    return Stage(
        name=StageName(name),
        symbol=f"m:{name}",
        source="m",
        file=RepoPath("m.py"),
        line=len(name),
        deps=tuple(map(RepoPath, sorted(deps))),
        outs=tuple(OutSpec(RepoPath(out), OutKind.OUT) for out in sorted(outs)),
        params=None,
        cwd=RepoPath("."),
    )


def chain(*names):
    """Stages that each read what the one before wrote."""
    return [
        stage(name, [f"{before}.out"] if before else [], [f"{name}.out"])
        for before, name in zip((None, *names), names, strict=False)
    ]


# -- edges ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "dep"),
    [("data", "data"), ("data", "data/x/y"), ("data/x/y", "data"), ("a/b.csv", ".")],
)
def test_a_dep_leads_to_the_out_it_is_lies_in_or_contains(out, dep):
    graph = build([stage("reader", [dep]), stage("maker", [], [out])])
    assert graph.producers["reader"][dep] == (Producer(StageName("maker"), RepoPath(out)),)
    assert list(graph.stages) == ["maker", "reader"]


@pytest.mark.parametrize(("out", "dep"), [("data", "data2"), ("data/x", "data/xy"), ("a", "a.b")])
def test_names_with_a_common_beginning_are_no_edge(out, dep):
    graph = build([stage("reader", [dep]), stage("maker", [], [out])])
    assert graph.producers["reader"][dep] == ()
    assert graph.upstream("reader") == ()


def test_a_directory_dep_leads_to_every_out_in_it():
    graph = build([stage("z", ["d"]), stage("b", [], ["d/1"]), stage("a", [], ["d/2", "d/s/3"])])
    assert [p.out for p in graph.producers["z"]["d"]] == ["d/2", "d/s/3", "d/1"]
    assert graph.upstream("z") == ("a", "b")


# -- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two"), [("x", "x"), ("x", "x/y"), ("x/y", "x"), ("x/y/z", "x"), ("x", "x/y/z")]
)
def test_overlapping_outs_are_refused_with_both_stages_and_places(one, two):
    with pytest.raises(DefinitionError) as caught:
        build([stage("first", [], [one]), stage("second", [], [two])])
    for text in ("first (m.py:5)", "second (m.py:6)", one, two):
        assert text in caught.value.message


def test_neighbouring_outs_are_fine():
    graph = build([stage("a", [], ["x/a", "x/b", "x.txt", "x2"]), stage("b", [], ["x/c"])])
    assert list(graph.stages) == ["a", "b"]


def test_a_circle_is_printed_in_the_direction_of_the_data():
    stages = [
        stage("load", [], ["raw"]),
        stage("a", ["raw", "c.out"], ["a.out"]),
        stage("b", ["a.out"], ["b.out"]),
        stage("c", ["b.out"], ["c.out"]),
    ]
    with pytest.raises(DefinitionError, match="circle") as caught:
        build(stages)
    names = caught.value.why.split(" -> ")
    assert names[0] == names[-1]
    assert sorted(names[1:]) == ["a", "b", "c"]
    for before, after in itertools.pairwise(names):
        reads = next(s for s in stages if s.name == after).deps
        assert f"{before}.out" in reads


@pytest.mark.parametrize(("dep", "out"), [("x", "x"), ("x", "x/y"), ("x/y", "x")])
def test_a_stage_that_reads_what_it_writes_is_a_circle(dep, out):
    with pytest.raises(DefinitionError) as caught:
        build([stage("me", [dep], [out])])
    assert caught.value.why == "me -> me"


# -- order and selection --------------------------------------------------------------------


def test_a_chain_of_thousands_needs_no_recursion():
    names = [f"s{n:04}" for n in range(3000)]
    assert list(build(reversed(chain(*names))).stages) == names


@given(st.dictionaries(st.integers(0, 9), st.sets(st.integers(0, 9)), max_size=10))
def test_every_stage_comes_after_all_it_reads_from(edges):
    stages = [
        stage(f"s{n}", [f"s{up}.out" for up in ups if up < n and up in edges], [f"s{n}.out"])
        for n, ups in edges.items()
    ]
    graph = build(stages)
    order = list(graph.stages)
    assert sorted(order) == sorted(s.name for s in stages)
    for name in order:
        assert all(order.index(up) < order.index(name) for up in graph.upstream(name))
    assert order == list(build(reversed(stages)).stages)


def test_a_selection_takes_its_upstream_along_and_nothing_else():
    graph = build([*chain("a", "b", "c"), stage("other", [], ["o"]), stage("d", ["a.out"])])
    assert graph.select(["b"]) == ("a", "b")
    assert graph.select(["b"], upstream=False) == ("b",)
    assert graph.select(["d", "b"]) == ("a", "b", "d")
    assert graph.select([]) == tuple(graph.stages)


def test_an_unknown_name_is_refused_with_the_nearest():
    graph = build(chain("prepare", "train"))
    with pytest.raises(UsageError, match="no stage 'trian'") as caught:
        graph.select(["trian"])
    assert caught.value.hint == "Did you mean 'train'? `pivot list` shows all"
    with pytest.raises(UsageError) as caught:
        graph.select(["zzz"])
    assert caught.value.hint == "`pivot list` shows the stages"
