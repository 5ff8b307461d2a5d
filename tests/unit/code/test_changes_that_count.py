"""Edits that a stage could notice: each must change the fingerprint of `pipeline:train`.

A project is `pipeline.py`, then files after lines `== path`; the edit replaces `«old|new»`.
"""

import pytest

FUNCTIONS = {
    "body": "def train(): return «1|2»",
    "operator": "def train(x=1): return x «+|-» 1",
    "comparison": "def train(x=1): return x «<|<=» 1",
    "literal type": "def train(): return «1|True»",
    "float for int": "def train(): return «1|1.0»",
    "bytes for text": "def train(): return «'a'|b'a'»",
    "default literal": "def train(x=«1|2»): return x",
    "keyword default": "def train(*, x=«1|2»): return x",
    "default bound to a constant": "K = «1|2»\ndef train(x=K): return x",
    "default computed": "def k(): return «1|2»\ndef train(x=k()): return x",
    "parameter order": "def train(«a=1, b=1|b=1, a=1»): return a - b",
    "annotation": "def train(x: «int|float» = 1): return x",
    "async": "«def|async def» train(): return 1",
    "return for yield": "def train(): «return|yield» 1",
    "global helper": "def h(): return «1|2»\ndef train(): return h()",
    "three levels": "def a(): return «1|2»\ndef b(): return a()\ndef train(): return b()",
    "mutual recursion": (
        "def a(n): return b(n)\ndef b(n): return a(n - «1|2») if n else 0\ndef train(): return a(9)"
    ),
    "self recursion": "def train(n=3): return train(n - «1|2») if n else 0",
    "callback": "def h(x): return «1|2»\ndef train(): return list(map(h, [1]))",
    "helper in nested def": (
        "def h(): return «1|2»\ndef train():\n def i(): return h()\n return i()"
    ),
    "helper in lambda": "def h(): return «1|2»\ndef train(): return (lambda: h())()",
    "helper in generator": "def h(x): return «1|2»\ndef train(): return sum(h(x) for x in [1])",
    "helper in list comprehension": (
        "def h(x): return «1|2»\ndef train(): return [h(x) for x in [1]]"
    ),
    "helper in condition": "def h(x): return «1|2»\ndef train(): return {x for x in [1] if h(x)}",
    "outer iterable of the same name": "x = [«1|2»]\ndef train(): return [x for x in x]",
    "helper in f-string": "def h(): return «1|2»\ndef train(): return f'{h()}'",
    "format spec": "def train(x=1): return f'{x:«3|4»}'",
    "helper in match": (
        "class A: x = «1|2»\ndef train(v=0):\n match v:\n  case A(): return 1\n return 0"
    ),
    "global statement": (
        "S = «1|2»\ndef bump():\n global S\n S += 1\n return S\ndef train(): return bump()"
    ),
    "global under an outer local": (
        "x = «1|2»\ndef train():\n x = 5\n def i():\n  global x\n  return x\n return i()"
    ),
    "walrus": "def h(): return «1|2»\ndef train(): return (y := h())",
    "decorator body": ("def d(f): return lambda: f() * «1|2»\n@d\ndef train(): return 1"),
    "decorator argument": (
        "def d(n): return lambda f: lambda: f() * n\n@d(«1|2»)\ndef train(): return 1"
    ),
    "decorator order": (
        "def a(f): return f\ndef b(f): return f\n@«a|b»\n@«b|a»\ndef train(): return 1"
    ),
    "wraps": (
        "import functools\ndef d(f):\n @functools.wraps(f)\n def w(): return f() + «1|2»\n"
        " return w\n@d\ndef h(): return 1\ndef train(): return h()"
    ),
    "lru_cache": (
        "from functools import lru_cache\ndef g(): return «1|2»\n@lru_cache\ndef h(): return g()\n"
        "def train(): return h()"
    ),
    "contextmanager": (
        "from contextlib import contextmanager\n@contextmanager\ndef c(): yield «1|2»\n"
        "def train():\n with c() as x: return x"
    ),
    "closure factory": "def make(n): return lambda: n\nf = make(«1|2»)\ndef train(): return f()",
    "module lambda": "f = lambda: «1|2»\ndef train(): return f()",
    "defined twice": "def h(): return «1|2»\ndef h(): return 3\ndef train(): return h()",
    "conditional definition": (
        "import sys\nif sys.platform == 'x':\n def h(): return 1\nelse:\n def h(): return «2|3»\n"
        "def train(): return h()"
    ),
    "condition of a definition": (
        "import sys\nif sys.platform == «'x'|'y'»:\n def h(): return 1\nelse:\n"
        " def h(): return 2\ndef train(): return h()"
    ),
    "string annotation": "class P: x = «1|2»\ndef train(p: 'P' = None): return p.x",
    "generic annotation": "class P: x = «1|2»\ndef train(p: list['P | None'] = []): return p[0].x",
    "type parameter bound": "class B: x = «1|2»\ndef train[T: B](p: T = None): return p",
}

CONSTANTS = {
    "integer": "K = «1|2»\ndef train(): return K",
    "annotated": "K: int = «1|2»\ndef train(): return K",
    "negative": "K = «1|-1»\ndef train(): return K",
    "in a dict": "K = {'a': [«1|2»]}\ndef train(): return K['a']",
    "from a call": "def f(): return «1|2»\nK = f()\ndef train(): return K",
    "from another constant": "A = «1|2»\nB = A + 1\nK = B\ndef train(): return K",
    "unpacked": "A, B = «1|2», 3\ndef train(): return B",
    "augmented": "K = [1]\nK += [«2|3»]\ndef train(): return K",
    "from a comprehension": (
        "def f(x): return «1|2»\nK = [f(x) for x in (1,)]\ndef train(): return K"
    ),
    "path": "from pathlib import Path\nK = Path(«'a'|'b'»)\ndef train(): return K",
    "regex": "import re\nK = re.compile(«'a'|'b'»)\ndef train(): return K",
    "dispatch dict": "def a(): return «1|2»\nT = {'a': a}\ndef train(): return T['a']()",
    "nested dispatch": (
        "def a(): return «1|2»\nT = [{'a': (a,)}]\ndef train(): return T[0]['a'][0]()"
    ),
    "partial function": (
        "from functools import partial\ndef a(x): return x + «1|2»\np = partial(a, 1)\n"
        "def train(): return p()"
    ),
    "partial argument": (
        "from functools import partial\ndef a(x): return x\np = partial(a, «1|2»)\n"
        "def train(): return p()"
    ),
    "instance state": (
        "class C:\n def __init__(s, x): s.x = x\nc = C(«1|2»)\ndef train(): return c.x"
    ),
    "class of an instance": "class C:\n def m(s): return «1|2»\nc = C()\ndef train(): return c.m()",
    "instance in a list": (
        "class C:\n def m(s): return «1|2»\nT = [C()]\ndef train(): return T[0].m()"
    ),
    "callable instance": (
        "class C:\n def __call__(s): return «1|2»\nc = C()\ndef train(): return c()"
    ),
    "bound method": "class C:\n def m(s): return «1|2»\nm = C().m\ndef train(): return m()",
    "try fallback": "try:\n K = int('x')\nexcept ValueError:\n K = «1|2»\ndef train(): return K",
    "from a loop": "for K in (1, «2|3»): pass\ndef train(): return K",
    "type alias": "type K = «int|str»\ndef train(x: K = 1): return x",
    "double underscore": "__k = «1|2»\ndef train(): return __k",
    "condition": "import os\nK = 0\nif os.sep == «'a'|'b'»:\n K = 1\ndef train(): return K",
    "literal eval text": "K = «1|2»\ndef train(): return eval('K')",
}

CLASSES = {
    "method": "class C:\n def m(s): return «1|2»\ndef train(): return C().m()",
    "helper of a method": (
        "def h(): return «1|2»\nclass C:\n def m(s): return h()\ndef train(): return C()"
    ),
    "constant of a method": "K = «1|2»\nclass C:\n def m(s): return K\ndef train(): return C()",
    "class attribute": "class C: x = «1|2»\ndef train(): return C.x",
    "attribute bound to a global": "K = «1|2»\nclass C: x = K\ndef train(): return C.x",
    "property": "class C:\n @property\n def p(s): return «1|2»\ndef train(): return C().p",
    "nested class": "class C:\n class D: x = «1|2»\ndef train(): return C.D.x",
    "base class": (
        "class B:\n def m(s): return «1|2»\nclass C(B): pass\ndef train(): return C().m()"
    ),
    "mixin elsewhere": (
        "from m import Mix\nclass C(Mix): pass\ndef train(): return C().m()\n"
        "== m.py\nclass Mix:\n def m(s): return «1|2»"
    ),
    "base order": (
        "class A: x = 1\nclass B: x = 2\nclass C(«A, B|B, A»): pass\ndef train(): return C.x"
    ),
    "metaclass": (
        "class M(type):\n def m(c): return «1|2»\nclass C(metaclass=M): pass\n"
        "def train(): return C.m()"
    ),
    "class decorator": (
        "def d(c):\n c.x = «1|2»\n return c\n@d\nclass C: pass\ndef train(): return C.x"
    ),
    "dataclass default": (
        "from dataclasses import dataclass\n@dataclass\nclass C:\n x: int = «1|2»\n"
        "def train(): return C().x"
    ),
    "dataclass option": (
        "from dataclasses import dataclass\n@dataclass(frozen=«True|False»)\nclass C:\n"
        " x: int = 1\n"
        "def train(): return C()"
    ),
    "field order": "class C:\n «a: int; b: int|b: int; a: int»\ndef train(): return C",
    "enum": "from enum import Enum\nclass E(Enum):\n A = «1|2»\ndef train(): return E.A.value",
    "model default": (
        "from pydantic import BaseModel\nclass P(BaseModel):\n lr: float = «0.1|0.2»\n"
        "def train(params: P): return params.lr"
    ),
    "model factory": (
        "from pydantic import BaseModel, Field\ndef f(): return «1|2»\nclass P(BaseModel):\n"
        " x: int = Field(default_factory=f)\ndef train(params: P): return params.x"
    ),
    "helper of a validator": (
        "from pydantic import BaseModel, field_validator\ndef h(v): return v + «1|2»\n"
        "class P(BaseModel):\n x: int = 1\n @field_validator('x')\n @classmethod\n"
        " def c(cls, v): return h(v)\ndef train(params: P): return params.x"
    ),
    "nested model": (
        "from pydantic import BaseModel\nclass Q(BaseModel):\n y: int = «1|2»\n"
        "class P(BaseModel):\n"
        " q: Q = Q()\ndef train(params: P): return params.q"
    ),
    "subclass found at run time": (
        "import plugins\nfrom base import B\n"
        "def train(): return [c().m() for c in B.__subclasses__()]\n"
        "== base.py\nclass B: pass\n"
        "== plugins.py\nfrom base import B\nclass C(B):\n def m(s): return «1|2»"
    ),
    "subclass registered by its base": (
        "import plugins\nfrom base import B\ndef train(): return B.all[0]().m()\n"
        "== base.py\nclass B:\n all = []\n def __init_subclass__(cls): B.all.append(cls)\n"
        "== plugins.py\nfrom base import B\nclass C(B):\n def m(s): return «1|2»"
    ),
    "import in a class body": (
        "class C:\n from m import f\ndef train(): return C.f()\n== m.py\ndef f(): return «1|2»"
    ),
}

CASES = {
    f"{group}: {name}": text
    for group, cases in {
        "function": FUNCTIONS,
        "constant": CONSTANTS,
        "class": CLASSES,
    }.items()
    for name, text in cases.items()
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_a_change_that_the_stage_could_notice_is_seen(text, sides, fingerprint):
    before, after = sides(text)
    assert fingerprint(before).code != fingerprint(after).code
