"""What functions bind, and what a name stands for inside of them."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import pivot
from pivot.code.source.scopes import Origin, Place, Scope, Scopes, bound

PLACE = Place("pack.module", "pack")
SOURCES = sorted(Path(pivot.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES[::8], ids=lambda path: path.stem)
def test_statements_bind_the_same_where_expressions_are_left_out(path):
    text = path.read_bytes()
    plain = replace(PLACE, binds_inline=b":=" in text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert bound(node.body, plain) == bound(node.body, PLACE)


def test_a_name_bound_within_an_expression_is_local():
    body = ast.parse("return [1 for _ in x if (n := 2)], (m := 3)").body
    assert bound(body, PLACE).names == {"n", "m"}


def test_a_local_variable_stands_for_nothing_outside():
    scopes = Scopes().within(Scope({"a"}))
    assert list(scopes.origins("a")) == []
    assert list(scopes.origins("b")) == [None]


def test_an_import_inside_of_a_function_hides_a_local_variable_around_it():
    origin = Origin("json")
    outer = Scopes().within(Scope({"a"}))
    inner = outer.within(Scope(imports={"a": [origin]}))
    assert list(inner.origins("a")) == [origin]


def test_a_global_statement_uncovers_what_a_function_around_it_hides():
    outer = Scopes().within(Scope({"a"}))
    inner = outer.within(Scope(escaped={"a"}, from_module={"a"}))
    assert list(inner.origins("a")) == [None]


def test_what_a_class_body_imports_may_be_the_local_variable_around_it():
    origin = Origin("json")
    outer = Scopes().within(Scope({"a"}))
    inner = outer.within(Scope(imports={"a": [origin]}, is_open=True))
    assert list(inner.origins("a")) == [origin]
    assert list(Scopes().within(Scope(imports={"a": [origin]}, is_open=True)).origins("a")) == [
        origin,
        None,
    ]
