"""Names in texts: which of them libraries look up, and which modules a computed name may mean."""

import ast

import pytest

from pivot.code.source.reflection import loadable
from pivot.code.source.scopes import Place
from pivot.code.source.texts import evaluated_names, is_dotted


@pytest.mark.parametrize(
    ("call", "names"),
    [
        ("df.query('a > @limit and b < @other.x')", ["limit", "other"]),
        ("duckdb.sql('select * from rates join taxes using (id)')", ["rates", "taxes"]),
        ("numexpr.evaluate('rate * 2')", ["rate"]),
        ("smf.ols('y ~ squared(x)', data)", ["y", "squared", "x"]),
        ("print('y is not squared')", []),
        ("open('~/data')", []),
    ],
)
def test_names_are_found_where_the_callee_looks_them_up(call, names):
    assert list(evaluated_names(ast.parse(call).body[0].value)) == names


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("f'lib.{kind}'", "lib.*"),
        ("'lib.' + kind", "lib.*"),
        ("'lib.deep.%s' % kind", "lib.deep.*"),
        ("'lib.{}'.format(kind)", "lib.*"),
        ("f'{__package__}.{kind}'", "own.package.*"),
        ("f'{__name__}.{kind}'", "own.package.module.*"),
        ("f'.{kind}'", "own.package.*"),
        ("kind", None),
        ("f'{kind}.steps'", None),
        ("'lib' + kind", None),
    ],
)
def test_start_of_a_computed_module_name_tells_its_package(name, modules):
    place = Place("own.package.module", "own.package")
    assert loadable(ast.parse(name).body[0].value, place) == modules


@pytest.mark.parametrize("text", ["lib.steps", "lib.steps:clean", "steps:clean"])
def test_dotted_text_may_be_a_name(text):
    assert is_dotted(text)


@pytest.mark.parametrize(
    "text", ["steps", "a b.c", "3.5", "lib.", "a:b:c", "lib/steps.py", "x" * 300]
)
def test_other_text_is_no_name(text):
    assert not is_dotted(text)
