"""Made-up modules: each statement kind with names that refer to each other, by Hypothesis."""

from hypothesis import strategies as st

NAMES = ["alpha", "beta", "gamma", "delta", "é", "_x"]
name = st.sampled_from(NAMES)
literal = st.one_of(
    st.integers(-3, 1 << 70).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(max_size=4).map(repr),
    st.binary(max_size=3).map(repr),
    st.sampled_from(["None", "True", "...", "0x1F", "1_000", "1J", "u'a'", "'a' \"b\"", "rb'\\d'"]),
)


def _extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = ["+", "-", "*", "//", "**", "@", "<<", "|", "and", "or", "<", "is not", "not in"]
    # A yield, lambda or condition is bracketed, for it may stand anywhere.
    forms = {
        "({0} {op} {1})": 2, "f({0}, *{1}, k={2})": 3, "{n}.{n2}": 0, "{n}[{0}:{1}, {2}]": 3,
        "[{0}, {1}]": 2, "({0},)": 1, "{{{0}: {1}, **{2}}}": 3, "{{{0}, {1}}}": 2,
        "[{0} for {n} in {1} if {2}]": 3, "(lambda {n}, /, {n2}2={0}, *, k=1: {1})": 2,
        "({0} if {1} else {2})": 3, "({n} := {0})": 1, "(-{0})": 1, "(not {0})": 1,
        "f'{{{n}!r:>{{{n2}}}}} x'": 0, "f'a' f'{{{n}=}}' 'b'": 0, "{{{n}: {0} for {n} in {1}}}": 2,
    }  # fmt: skip

    @st.composite
    def form(draw: st.DrawFn) -> str:
        text, count = draw(st.sampled_from(list(forms.items())))
        parts = [draw(inner) for _ in range(count)]
        operator = draw(st.sampled_from(operators))
        return text.format(*parts, n=draw(name), n2=draw(name), op=operator)

    return form()


expression = st.recursive(st.one_of(name, literal), _extend, max_leaves=6)


def _indented(block: str) -> str:
    return "".join(f"    {line}\n" for line in block.splitlines())


def _statements(depth: int) -> st.SearchStrategy[str]:
    simple = st.one_of(
        st.builds("{} = {}\n".format, name, expression),
        st.builds("{} += {}\n".format, name, expression),
        st.builds("{}: {} = {}\n".format, name, expression, expression),
        st.builds("{}.{} = {}\n".format, name, name, expression),
        st.builds("{}\n".format, expression),
        st.builds("assert {}, {}\n".format, expression, expression),
        st.builds("del ({}, {}.{})\n".format, name, name, name),
        st.builds("import {} as {}\n".format, name, name),
        st.builds("from . import {}\n".format, name),
        st.builds("raise {} from {}\n".format, expression, expression),
        st.just("pass\n"),
    )
    if depth == 0:
        return simple
    body = st.lists(_statements(depth - 1), min_size=1, max_size=3).map("".join).map(_indented)
    return st.one_of(
        simple,
        st.builds("if {}:\n{}else:\n{}".format, expression, body, body),
        st.builds("for {} in {}:\n{}".format, name, expression, body),
        st.builds("while {}:\n{}".format, expression, body),
        st.builds("with {} as {}:\n{}".format, expression, name, body),
        st.builds("try:\n{}except {} as {}:\n{}".format, body, expression, name, body),
        st.builds("try:\n{}finally:\n{}".format, body, body),
        st.builds("@{}\ndef {}({}, *, k={}):\n{}".format, name, name, name, expression, body),
        st.builds("async def {}(*{}):\n    return {}\n".format, name, name, expression),
        st.builds("class {}({}, k={}):\n{}".format, name, name, expression, body),
        st.builds("match {}:\n    case [{}, *_]:\n{}".format, expression, name, _deeper(body)),
    )


def _deeper(body: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return body.map(_indented)


def _module(statements: list[str], returned: str) -> str:
    return "".join(statements) + f"def train():\n    return {returned}, alpha, beta\n"


modules = st.builds(_module, st.lists(_statements(2), max_size=6), expression)
