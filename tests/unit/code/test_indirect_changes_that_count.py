"""Edits behind registries, patches and indirection: each must change the fingerprint."""

import pytest

CASES = {
    "class attr via instance in other mod": (
        "from m import c\ndef train(): return c.x\n== m.py\nfrom k import C\nc = C()\n"
        "== k.py\nclass C: x = «1|2»"
    ),
    "deco with module attr": (
        "import d\n@d.deco\ndef train(): return 1\n== d.py\ndef deco(f): return lambda: «1|2»"
    ),
    "kw only default global": (
        "K=«1|2»\nclass C:\n def m(self, *, a=K): return a\ndef train(): return C().m()"
    ),
    "nested func default": ("K=«1|2»\ndef train():\n def g(x=K): return x\n return g()"),
    "lambda default": ("K=«1|2»\ndef train():\n return (lambda x=K: x)()"),
    "classmethod registry": (
        "import m\nfrom r import R\ndef train(): return R.get('f')()\n== r.py\nclass R:\n"
        " items={}\n @classmethod\n def add(cls, f):\n  cls.items['f']=f\n  return f\n"
        " @classmethod\n def get(cls,n): return cls.items[n]\n== m.py\nfrom r import R\n"
        "@R.add\ndef f(): return «1|2»"
    ),
    "registry via getter func": (
        "import m, r\ndef train(): return r.get('f')()\n== r.py\n_T={}\ndef add(f):\n"
        " _T['f']=f\n return f\ndef get(n): return _T[n]\n== m.py\nimport r\n@r.add\n"
        "def f(): return «1|2»"
    ),
    "registry list global append": (
        "import m, r\ndef train(): return r.all_()\n== r.py\n_T=[]\ndef add(f):\n"
        " _T.append(f)\n return f\ndef all_(): return _T\n== m.py\nimport r\n@r.add\n"
        "class F:\n x=«1|2»"
    ),
    "registry local alias": (
        "import m, r\ndef train(): return r.get()\n== r.py\n_T=[]\ndef add(f):\n t=_T\n"
        " t.append(f)\n return f\ndef get(): return _T\n== m.py\nimport r\n@r.add\n"
        "def f(): return «1|2»"
    ),
    "registry global rebind": (
        "import m, r\ndef train(): return r.get()\n== r.py\n_T=None\ndef add(f):\n"
        " global _T\n _T = f\n return f\ndef get(): return _T()\n== m.py\nimport r\n"
        "@r.add\ndef f(): return «1|2»"
    ),
    "registry via passed": (
        "import m, r\ndef train(): return r.get()\n== r.py\n_T=[]\n"
        "def put(t,f): t.append(f)\ndef add(f):\n put(_T,f)\n return f\n"
        "def get(): return _T\n== m.py\nimport r\n@r.add\ndef f(): return «1|2»"
    ),
    "init reads env module-level func chain": (
        "import cfg\ndef train(): return cfg.V\n== cfg.py\nfrom d import load\n"
        "V = load()['a']\n== d.py\ndef load(): return {'a': «1|2»}"
    ),
    "namespace pkg module-level import n.s; n.s.f": (
        "import n.s\ndef train(): return n.s.f()\n== n/s.py\ndef f(): return «1|2»"
    ),
    "submod imported by other": (
        "import p, q\ndef train(): return p.s.f()\n== q.py\nimport p.s\n"
        "== p/__init__.py\n== p/s.py\ndef f(): return «1|2»"
    ),
    "rel import in init star": (
        "from p import f\ndef train(): return f()\n== p/__init__.py\nfrom .s import *\n"
        "== p/s.py\ndef f(): return «1|2»"
    ),
    "import alias of class attr call": (
        "from m import C as D\nx = D.make()\ndef train(): return x\n== m.py\nclass C:\n"
        " @classmethod\n def make(cls): return «1|2»"
    ),
    "getattr default": (
        "import m\ndef d(): return «1|2»\ndef train(): return getattr(m,'nof',d)()\n== m.py\nK=1"
    ),
    "operator.attrgetter": (
        "import m, operator\ndef train(): return operator.attrgetter('f')(m)()\n== m.py\n"
        "def f(): return «1|2»"
    ),
    "while module": ("i=0\nwhile i<«3|4»: i+=1\ndef train(): return i"),
    "match module": (
        "import sys\nmatch sys.platform:\n case 'linux': K=«1|2»\n case _: K=3\n"
        "def train(): return K"
    ),
    "try else finally": (
        "try:\n import os\nexcept ImportError: K=1\nelse: K=«2|3»\ndef train(): return K"
    ),
    "with suppress import": (
        "from contextlib import suppress\nwith suppress(ImportError):\n from m import f\n"
        "def train(): return f()\n== m.py\ndef f(): return «1|2»"
    ),
    "nested if else": (
        "import sys\nif sys.a:\n if sys.b:\n  from m import f\n else:\n  f = None\n"
        "def train(): return f()\n== m.py\ndef f(): return «1|2»"
    ),
    "elif": ("import sys\nif sys.a: K=1\nelif sys.b == «1|2»: K=2\ndef train(): return K"),
    "annotated assign type pydantic": (
        "from pydantic import BaseModel\nfrom typing import Annotated\n"
        "def v(x): return «1|2»\nclass P(BaseModel):\n x: Annotated[int, v] = 1\n"
        "def train(p: P): return p"
    ),
    "Annotated alias": (
        "def v(x): return «1|2»\nA = list[v]\nclass P:\n x: A\ndef train(p: P): return p"
    ),
    "monkey patch nested attr": (
        "import m, patch\ndef train(): return m.C.D.x\n== m.py\nclass C:\n class D: x=1\n"
        "== patch.py\nimport m\nm.C.D.x = «1|2»"
    ),
    "monkey patch in function at import": (
        "import m, patch\ndef train(): return m.f()\n== m.py\ndef f(): return 1\n"
        "== patch.py\nimport m\ndef go():\n m.f = lambda: «1|2»\ngo()"
    ),
    "monkey patch assigned call": (
        "import m, patch\ndef train(): return m.f()\n== m.py\ndef f(): return 1\n"
        "== patch.py\nimport m\ndef go():\n m.f = lambda: «1|2»\ndone = go()"
    ),
    "alias of dict": ("T={}\nU=T\nU['a']=«1|2»\ndef train(): return T"),
    "alias through import": (
        "import q\nfrom m import T\ndef train(): return T\n== m.py\nT={}\n== q.py\n"
        "from m import T\nX = T\nX['a'] = «1|2»"
    ),
    "update call arg": (
        "from b import B\nT={}\nT.update(B)\ndef train(): return T\n== b.py\nB={'a': «1|2»}"
    ),
    "functools.update_wrapper expr": (
        "import functools\ndef a(): return «1|2»\ndef b(): return 2\n"
        "functools.update_wrapper(b,a)\ndef train(): return b.__wrapped__()"
    ),
    "__init_subclass__ kwargs": (
        "import pl\nfrom b import B\ndef train(): return B.reg\n== b.py\nclass B:\n"
        " reg={}\n def __init_subclass__(cls, name): cls.reg[name]=cls\n== pl.py\n"
        "import b\nclass C(b.B, name='x'):\n v=«1|2»"
    ),
    "grand subclass": (
        "import pl\nfrom b import B\ndef train(): return B.reg\n== b.py\nclass B:\n"
        " reg=[]\n def __init_subclass__(cls): B.reg.append(cls)\nclass M(B): pass\n"
        "== pl.py\nfrom b import M\nclass C(M):\n v=«1|2»"
    ),
    "metaclass registry": (
        "import pl\nfrom b import Meta\ndef train(): return Meta.reg\n== b.py\n"
        "class Meta(type):\n reg=[]\n def __init__(c,*a): Meta.reg.append(c)\n"
        "class B(metaclass=Meta): pass\n== pl.py\nfrom b import B\nclass C(B):\n v=«1|2»"
    ),
    "local import shadowing in nested": (
        "def train():\n import m\n def g(): return m.f()\n return g()\n== m.py\n"
        "def f(): return «1|2»"
    ),
    "class-level comp": ("K=«1|2»\nclass C:\n xs=[K for _ in range(2)]\ndef train(): return C.xs"),
    "except star": (
        "def h(): return «1|2»\ndef train():\n try: pass\n except* ValueError: return h()"
    ),
    "decorator in nested def": (
        "def d(f): return lambda: «1|2»\ndef train():\n @d\n def g(): pass\n return g()"
    ),
    "await": ("async def h(): return «1|2»\nasync def train(): return await h()"),
    "conditional expr in default arg in class deco": (
        "def d(x): return lambda c: c\nK=«1|2»\n@d(K)\nclass C: pass\ndef train(): return C"
    ),
    "type checking else dual": (
        "import typing as t\nif not t.TYPE_CHECKING:\n from m import f\n"
        "def train(): return f()\n== m.py\ndef f(): return «1|2»"
    ),
    "local var named module": (
        "import m\ndef train():\n x = m\n return x.f()\n== m.py\ndef f(): return «1|2»"
    ),
    "from pkg import mod as value in list": (
        "from p import a, b\nMODS=[a,b]\ndef train(): return [m.f() for m in MODS]\n"
        "== p/__init__.py\n== p/a.py\ndef f(): return «1|2»\n== p/b.py\ndef f(): return 1"
    ),
    "del conditional name": ("K=1\nif True:\n K=«2|3»\ndef train(): return K"),
    "tuple swap": ("A,B=1,2\nA,B=«B,A|A,B»\ndef train(): return A"),
    "star-arg": ("def train(*a): return a[«0|1»]"),
    "global from other func import-time": (
        "X=0\ndef init():\n global X\n X=«1|2»\ninit()\ndef train(): return X"
    ),
    "init in other module sets m.X": (
        "import m, boot\ndef train(): return m.X\n== m.py\nX=0\n== boot.py\nimport m\n"
        "def init(): m.X=«1|2»\ninit()"
    ),
    "if effect test": (
        "import random\nif random.seed(«1|2»): pass\ndef train(): return random.random()"
    ),
    "subclass hooking through typed dict of name": (
        "class C:\n def run(self): return getattr(self, 'm'+'1')()\n"
        " def m1(self): return «1|2»\ndef train(): return C().run()"
    ),
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_a_change_behind_indirection_is_seen(text, sides, fingerprint):
    before, after = sides(text)
    assert fingerprint(before).code != fingerprint(after).code
