"""The lines that are shown for a symbol."""

import textwrap

import pytest

from pivot.code.excerpt import Source

MODULE = textwrap.dedent('''\
    """A module."""
    import os
    from pivot import stage
    from lib import (
        low,
    )

    LIMIT, REST = 1, 2


    @stage(deps=["x"])
    @low.twice
    def train(x):
        """Train."""

        def inner():
            LIMIT = 3
        return x


    class Model(Base):
        size = 1


    if os.name == "nt":
        import winreg as registry

        def path():
            return "\\\\"
    else:
        def path():
            return "/"

    try:
        import fast
    except ImportError:
        fast = None

    register(train)
    stage(deps=["y"])(train)
    TABLE = {}
    TABLE["x"] = 1
    with open("x") as file:
        TEXT = file.read()

    if __name__ == "__main__":
        register(Model)
        LIMIT = 5
    TABLE = {1: 2}
''')


def numbers(name):
    return [number for number, _ in Source(MODULE.encode()).symbol(name)]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("LIMIT", [8]),
        ("REST", [8]),
        ("train", list(range(11, 19))),
        ("Model", [21, 22]),
        ("path", [25, 28, 29, 31, 32]),
        ("registry", [25, 26]),
        ("fast", [34, 35, 36, 37]),
        ("TABLE", [41, 49]),
        ("TEXT", [43, 44]),
        ("os", []),
        ("low", []),
        ("none", []),
        ("<effects>", [39, 42, 43, 44]),
    ],
)
def test_lines_of_a_symbol_are_those_of_all_its_definitions(name, lines):
    assert numbers(name) == lines


def test_text_is_that_of_the_file():
    assert Source(MODULE.encode()).symbol("Model") == (
        (21, "class Model(Base):"),
        (22, "    size = 1"),
    )


def test_imports_are_those_that_run_with_the_module():
    assert [n for n, _ in Source(MODULE.encode()).imports()] == [2, 3, 4, 5, 6, 26, 35]


def test_encoding_and_line_ends_are_those_that_python_knows():
    source = "# -*- coding: latin-1 -*-\r\nA = 'é'\r\n\x0cB = 1\r\n".encode("latin-1")
    assert Source(source).symbol("A") == ((2, "A = 'é'"),)
    assert Source(source).symbol("B") == ((3, "\x0cB = 1"),)
    assert Source(b"\xef\xbb\xbfA = 1").symbol("A") == ((1, "A = 1"),)


@pytest.mark.parametrize("source", [b"", b"def (", b"\0", b"# coding: none\nA = 1", b"A = '\xff'"])
def test_what_is_no_python_has_no_parts(source):
    assert Source(source).symbol("A") == Source(source).imports() == ()
