"""Any Python that parses is analysed; what doesn't parse is named, with its line."""

import ast
import functools
import os
import random
import sys
import sysconfig
import tokenize
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pivot.code.fingerprint import Fingerprint, ProjectCode
from pivot.code.source.syntax import parse
from pivot.errors import DefinitionError
from pivot.paths import RepoPath
from tests.fingerprint.memory import InMemory
from tests.fingerprint.metamorphic.programs import modules

LIBRARY = Path(ast.__file__).parent
INSTALLED = Path(sysconfig.get_path("purelib"))
SAMPLE = 120  # files of each place
LARGEST = 100_000  # bytes, for the sample


def analyse(files: Mapping[str, bytes]) -> list[Fingerprint]:
    """The fingerprint of every function and class that stands at the top of a file."""
    code = ProjectCode(InMemory(files), [RepoPath(".")])
    roots = [
        f"{path.removesuffix('.py').replace('/', '.').removesuffix('.__init__')}:{node.name}"
        for path, data in files.items()
        for node in parse(data).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    return [code.fingerprint(root) for root in roots]


def one(source: bytes) -> list[Fingerprint]:
    return analyse({"module.py": source})


@functools.cache
def files_of(place: Path) -> tuple[Path, ...]:
    return tuple(sorted(file for file in place.rglob("*.py") if file.is_file()))


def parsable(files: Iterator[Path] | list[Path]) -> Iterator[bytes]:
    for file in files:
        data = file.read_bytes()
        try:
            parse(data)
        except (SyntaxError, ValueError):
            continue
        yield data


@pytest.mark.parametrize("place", [LIBRARY, INSTALLED], ids=["library", "installed"])
def test_a_sample_of_real_files_is_analysed(place):
    small = [file for file in files_of(place) if file.stat().st_size < LARGEST]
    chosen = random.Random(3).sample(small, min(SAMPLE, len(small)))
    assert sum(len(one(data)) for data in parsable(chosen)) > SAMPLE


def test_torture_tests_of_the_grammar_are_analysed():
    names = ("test_grammar", "test_syntax", "test_fstring", "test_patma", "test_generators")
    names += ("test_type_params", "test_named_expressions", "test_unpack_ex", "test_scope")
    files = [f for name in names if (f := LIBRARY / "test" / f"{name}.py").exists()]
    if not files:
        pytest.skip("this Python came without its own tests")
    assert all(one(data) for data in parsable(files))


@pytest.mark.soak
@pytest.mark.parametrize("place", [LIBRARY, INSTALLED], ids=["library", "installed"])
def test_all_real_files_are_analysed(place):
    assert sum(len(one(data)) for data in parsable(iter(files_of(place)))) > SAMPLE


@given(source=modules)
def test_made_up_files_are_analysed(source):
    try:
        parse(source)
    except (SyntaxError, ValueError):
        assume(False)
    assert one(source.encode())


@functools.cache
def seeds() -> tuple[bytes, ...]:
    small = [f for f in files_of(LIBRARY) if 100 < f.stat().st_size < 6000]
    return tuple(parsable(random.Random(4).sample(small, 60)))


@given(
    source=st.sampled_from(range(60)),
    edits=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4),
    how=st.sampled_from(["swap", "drop", "double"]),
)
def test_real_files_with_tokens_out_of_place_are_analysed_or_refused(source, edits, how):
    data = seeds()[source % len(seeds())]
    tokens = list(tokenize.tokenize(BytesIO(data).readline))
    for one_at, other_at in edits:
        a, b = (int(at * (len(tokens) - 2)) + 1 for at in (one_at, other_at))
        match how:
            case "swap":
                first, second = tokens[a][:2], tokens[b][:2]
                tokens[a] = tokens[a]._replace(type=second[0], string=second[1])
                tokens[b] = tokens[b]._replace(type=first[0], string=first[1])
            case "drop" if len(tokens) > 3:
                del tokens[a]
            case _:
                tokens.insert(a, tokens[b])
    try:
        text = tokenize.untokenize((t.type, t.string) for t in tokens)
    except (ValueError, IndexError):
        assume(False)
    assert_told(text if isinstance(text, bytes) else text.encode())


@given(data=st.binary(max_size=60))
def test_any_bytes_are_analysed_or_refused(data):
    assert_told(data)


@given(text=st.text(max_size=80))
def test_any_text_in_any_encoding_is_analysed_or_refused(text):
    assert_told(b"# coding: latin-1\n" + text.encode("latin-1", "replace"))
    assert_told(b"\xef\xbb\xbf" + text.encode("utf-8", "replace"))


def assert_told(data: bytes) -> None:
    """It is analysed, or refused by an error that names the file where Python can't parse it."""
    files = {"module.py": data, "flow.py": b"import module\ndef train(): return module"}
    code = ProjectCode(InMemory(files), [RepoPath(".")])
    try:
        parse(data)
    except (SyntaxError, ValueError):
        with pytest.raises(DefinitionError, match=r"module\.py"):
            code.fingerprint("flow:train")
    else:
        assert "flow:train" in code.fingerprint("flow:train").code


DEEP = sys.getrecursionlimit()
HARD = {
    "nested brackets": "def f(): return " + "(" * 90 + "1" + ")" * 90,
    "nested lists": "def f(): return " + "[" * 90 + "1" + "]" * 90,
    "nested functions": "".join(f"{'  ' * n}def f{n}():\n" for n in range(45)) + "  " * 45 + "f0",
    "nested classes": "".join(f"{'  ' * n}class F{n}:\n" for n in range(45)) + "  " * 45 + "F0",
    "nested blocks": "def f():\n" + "".join(f"{' ' * n}if f:\n" for n in range(1, 20)) + " " * 20
    + "f",
    "nested lambdas": "def f(): return " + "lambda: " * 60 + "f",
    "nested comprehensions": "def f(): return " + "[" * 30 + "f" + " for x in f]" * 30,
    "nested f-strings": "def f(): return f'{f:{f:{f}}}' f'{f\"{f}\"}'",
    "long sum": "def f(): return " + "f + " * 2000 + "f",
    "long attribute chain": "def f(): return f" + ".a" * 1500,
    "long call chain": "def f(): return f" + ".a()" * 700,
    "long comparison": "def f(): return " + "f < " * 3000 + "f",
    "long elif": "def f():\n if f: pass\n" + " elif f: pass\n" * 300,
    "long elif at the top": "if f: pass\n" + "elif f: x = 1\n" * 300 + "def f(): return x",
    "long line": f"def f(): return '{'x' * 5_000_000}'",
    "long list": "def f(): return [" + "1, " * 100_000 + "]",
    "huge integer": "def f(): return 0x" + "f" * 100_000,
    "huge decimal": "def f(): return " + "9" * 4000,
    "huge float": "def f(): return 1e999, -1e999, 1e-999, 1e999j",
    "surrogates": "def f(): return '\\ud800', b'\\xff', f'{f}\\udfff'",
    "escapes that warn": "def f(): return '\\d\\w', b'\\q'",
    "odd identifiers": "def ﬁ(ª, µ): return ﬁ, ªµ, 变量\n变量 = 1",
    "form feeds": "\x0cdef f():\n\x0c return 1\n\x0c",
    "no newline at the end": "def f(): return 1 # end",
    "star of itself": "from module import *\ndef f(): return g()",
    "import of itself": "import module\ndef f(): return module.module.f()",
    "a name of itself": "f = f\nf = [f for f in f]\ndef g(): return f",
    "classes of each other": "class A(B): pass\nclass B(A): pass",
    "decorated by itself": "@f\ndef f(): pass\n@f.f\nclass f(f, metaclass=f): f = f",
    "only decorators of others": "@(lambda f: f)\n@(x := print)\n@[f][0]\ndef f(): pass",
    "names of built-ins": "def print(): return len()\ndef len(): return print()",
    "dunder soup": "__all__ = ['f'] + __all__ + [*f]\n__all__ += f\n__name__ = 1\ndef f(): "
    "return __name__, __file__, __path__, __builtins__, __doc__",
    "everything deleted": "import a.b as c\ndel c\ndef f(): c\ndel f",
    "relative beyond the top": "from ..... import x\nfrom ... import *\ndef f(): return x",
    "dots only": "from . import *\nfrom . import module\ndef f(): return module.f",
    "global at the top": "global f\nglobal x\nx = 1\ndef f():\n global x\n del x",
    "odd look-ups": "def f(): return getattr(), getattr(f), globals()[0], globals()[f'x'], "
    "__import__(), __import__(''), eval('('), exec(b'x'), eval(''), import_module('...')",
    "text that is no import": "import importlib\ndef f(): return importlib.import_module('a b'), "
    "importlib.import_module('../x'), importlib.import_module('\\0'), __import__('.')",
    "coding line": "# -*- coding: latin-1 -*-\ndef f(): return 1",
    "empty": "def f(): ...",
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_hard_files_are_analysed(name):
    found = one(HARD[name].encode())
    assert found
    assert all(f"{f.root.partition('.')[0]}" in f.code for f in found)


@pytest.mark.parametrize("opening", ["(", "[", "-", "lambda:", "not ", "f(", "x if "])
def test_what_is_nested_too_deep_is_refused_and_named(opening):
    assert_told(("x = " + opening * 20_000).encode())
    closing = {"(": ")", "[": "]", "f(": ")", "x if ": " else y"}.get(opening, "")
    for depth in (50, 99, 150, DEEP, 3 * DEEP, 20_000):
        assert_told(("x = " + opening * depth + "1" + closing * depth).encode())


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"x = 1\nx = = 2\n", 2),
        (b"def f(:\n", 1),
        (b"if x:\npass\n", 2),
        (b"x = '\n", 1),
        (b"\n\n\nx = '''\n", 4),
        (b"x = 1\n\ty = 2\n", 2),
        (b"f'{x'\n", 1),
        (b"return = 1", 1),
        (b"x = 0777\n", 1),
    ],
)
def test_a_syntax_error_names_file_and_line(data, line):
    code = ProjectCode(
        InMemory({"flow.py": b"import bad\ndef train(): bad.x", "bad.py": data}), [ROOT]
    )
    with pytest.raises(DefinitionError) as caught:
        code.fingerprint("flow:train")
    shown = f"{caught.value.message} {caught.value.why}"
    assert "bad.py" in shown
    assert f"{line}" in shown


@pytest.mark.parametrize(
    "data",
    [
        b"x = 1\0",
        b"\0",
        b"# coding: nonsense\nx = 1",
        b"# coding: utf-16\nx = 1",
        b"x = '\xff'",
        b"\xff\xfex\0=\0",
        b"\xef\xbb\xbf# coding: latin-1\nx = 1",
    ],
)
def test_undecodable_files_are_named(data):
    assert_told(data)


ROOT = RepoPath(".")
TANGLES: dict[str, dict[str, str]] = {
    "stars in a circle": {
        "a.py": "from b import *\ndef f(): return g() + missing()",
        "b.py": "from c import *\ndef g(): return f()",
        "c.py": "from a import *\nfrom c import *",
    },
    "imports in a circle": {
        "a.py": "import b\nfrom b import f as g\ndef f(): return g()",
        "b.py": "import a\nfrom a import g as f",
    },
    "names that lead to each other": {
        "a.py": "from b import x\ndef f(): return x",
        "b.py": "from c import x",
        "c.py": "from b import x",
    },
    "a package that is its own submodule": {
        "p/__init__.py": "from p.p import p\nfrom . import p\ndef f(): return p.p.p.p",
        "p/p.py": "from p import p\nimport p.p as p",
    },
    "named like Python's own": {
        "ast.py": "import ast, sys, builtins\nfrom os import *\ndef f(): return ast.f, print",
        "os.py": "from posix import *\ndef g(): return ast",
        "builtins.py": "def print(): return 1",
        "sys.py": "modules = {}\ndef h(): return modules['ast']",
        "__main__.py": "import __main__\ndef m(): return __main__.m",
        "__init__.py": "def i(): return 1",
    },
    "module and package of one name": {
        "m.py": "def f(): return 1",
        "m/__init__.py": "def g(): return n",
        "m/n.py": "from .. import m\nfrom . import n\ndef h(): return m, n",
    },
    "odd folders": {
        "a-b/c.py": "def f(): return 1",
        "class/def.py": "def g(): return 1",
        "x.py": "import_ = __import__('a-b.c')\ndef h(): return __import__('class.def')",
    },
}


@pytest.mark.parametrize("name", TANGLES)
def test_tangled_modules_are_analysed(name):
    files = {path: text.encode() for path, text in TANGLES[name].items()}
    code = ProjectCode(InMemory(files), [ROOT])
    for path, text in files.items():
        module = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        tree = ast.parse(text)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and all(map(str.isidentifier, module.split("."))):
                try:
                    code.fingerprint(f"{module}:{node.name}")
                except DefinitionError as error:
                    # hidden by another of the same name
                    assert "not" in error.message, path  # noqa: PT017


@given(data=st.data(), count=st.integers(2, 5))
def test_any_tangle_of_imports_is_analysed(data, count):
    names = [f"m{n}" for n in range(count)] + ["p", "p.q"]
    name = st.sampled_from(names)
    attribute = st.sampled_from(["f", "g", "x", *(n.rpartition(".")[2] for n in names)])
    line = st.one_of(
        st.builds("from {} import *".format, name),
        st.builds("from {} import {}".format, name, attribute),
        st.builds("from {} import {} as {}".format, name, attribute, attribute),
        st.builds("from . import {}".format, attribute),
        st.builds("import {}".format, name),
        st.builds("{} = {}.{}".format, attribute, attribute, attribute),
        st.builds("{}.{}.append({})".format, attribute, attribute, attribute),
        st.builds("@{}\ndef {}(): return {}.{}.f".format, attribute, attribute, name, attribute),
        st.builds("class {}({}): g = {}".format, attribute, attribute, attribute),
        st.builds("del {}".format, attribute),
    )
    text = st.lists(line, max_size=5).map("\n".join)
    files = {
        f"{name.replace('.', '/')}{'/__init__' if name == 'p' else ''}.py": (
            data.draw(text) + "\ndef train(): return f, g, x"
        ).encode()
        for name in names
    }
    code = ProjectCode(InMemory(files), [ROOT])
    for name in names:
        assert f"{name}:train" in code.fingerprint(f"{name}:train").code


def test_files_that_a_disk_may_hold_are_analysed(tmp_path):
    """The same through real files: CRLF, a byte order mark, no permission to look elsewhere."""
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfdef f():\r\n    return '''\r\n'''\r\n")
    data = {os.fspath(p.name): p.read_bytes() for p in tmp_path.iterdir()}
    assert analyse(data)[0].code == one_named("a.py", b"def f():\n    return '''\n'''\n")


def one_named(path: str, data: bytes) -> Mapping[str, str]:
    return analyse({path: data})[0].code
