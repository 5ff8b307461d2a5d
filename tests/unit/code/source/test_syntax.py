"""The nodes below a node, by a short way for the kinds that are met most."""

import ast
from pathlib import Path

import pytest

import pivot
from pivot.code.source.syntax import children, parse, walk

SOURCES = sorted(Path(pivot.__file__).parent.rglob("*.py"))
MARKS = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
RARE = """
async def f(a, /, b: int = 1, *c, d=2, e, **g) -> str:
    async for x, *y in z:
        await x
    async with a as b, c: pass
    return
def h[T: int](): return lambda q, *r: (yield q)
try: import os, sys as s
except* (A, B) as e: raise X from e
match p:
    case {"a": 1, **rest} | [1, *_] | C(1, k=v) if w: del p[1:2], p.q
type U = {**a, 1: 2} | {*b} | [i for i in j if k for l in m]
while not (n := 1): assert n, f"{n!r:>{w}}"
else: n += -1
v: int
global t
"""


@pytest.mark.parametrize(
    "tree", [parse(RARE), *(parse(path.read_bytes()) for path in SOURCES[::8])]
)
def test_children_are_those_of_all_fields_in_order(tree):
    for node in ast.walk(tree):
        expected = [c for c in ast.iter_child_nodes(node) if not isinstance(c, MARKS)]
        if not isinstance(node, MARKS):
            assert list(children(node)) == expected


def test_a_walk_meets_every_node_once():
    tree = parse(RARE)
    expected = {node for node in ast.walk(tree) if not isinstance(node, MARKS)}
    found = walk(tree)
    assert set(found) == expected
    assert len(found) == len(expected)
