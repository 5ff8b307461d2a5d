"""What modules do when they are imported, beside the ways that are usual: each must count.

These were found by trying; a fingerprint missed every one of them once.
"""

import pytest

CASES = {
    "two stars change places": (
        "«from a import *|from b import *»\n«from b import *|from a import *»\n"
        "def train(): return f()\n== a.py\ndef f(): return 1\n== b.py\n"
        "def f(): return 2"
    ),
    "two imports of one name change places": (
        "«from a import f|from b import f»\n«from b import f|from a import f»\n"
        "def train(): return f()\n== a.py\ndef f(): return 1\n== b.py\n"
        "def f(): return 2"
    ),
    "a definition and an import change places": (
        "«from a import f|def f(): return 2»\n«def f(): return 2|from a import f»\n"
        "def train(): return f()\n== a.py\ndef f(): return 1\n"
    ),
    "a definition and a star change places": (
        "«from a import *|def f(): return 2»\n«def f(): return 2|from a import *»\n"
        "def train(): return f()\n== a.py\ndef f(): return 1\n"
    ),
    "a star of an installed module comes last": (
        "«from numpy import *|from math import sin»\n"
        "«from math import sin|from numpy import *»\ndef train(): return sin(1)\n"
    ),
    "modules that fill a list change places": (
        "«import pa, pb|import pb, pa»\nimport reg\ndef train(): return reg.X\n"
        "== reg.py\nX=[]\n== pa.py\nimport reg\nreg.X.append(1)\n== pb.py\nimport reg\n"
        "reg.X.append(2)"
    ),
    "modules that register change places": (
        "«import pa, pb|import pb, pa»\nimport reg\ndef train(): return reg.X\n"
        "== reg.py\nX=[]\ndef r(f):\n X.append(f); return f\n== pa.py\nimport reg\n"
        "@reg.r\ndef a(): pass\n== pb.py\nimport reg\n@reg.r\ndef b(): pass"
    ),
    "registered functions change places": (
        "import pa\nimport reg\ndef train(): return reg.X\n== reg.py\nX=[]\ndef r(f):\n"
        " X.append(f); return f\n== pa.py\nimport reg\n@reg.r\n"
        "def «a|b»(): return «1|2»\n@reg.r\ndef «b|a»(): return «2|1»"
    ),
    "an effect and a registration change places": (
        "import pa\nimport reg\ndef train(): return reg.X\n== reg.py\nX=[]\ndef r(f):\n"
        " X.append(f); return f\n== pa.py\nimport reg\n«reg.X.append(1)|»\n@reg.r\n"
        "def a(): return 1\n«|reg.X.append(1)»\n"
    ),
    "an object is made anew after it was filled": (
        "D={}\n«D['a']=1|D={}»\n«D={}|D['a']=1»\ndef train(): return D"
    ),
    "postponed annotations of a class": (
        "«from __future__ import annotations|»\nimport dataclasses\n"
        "@dataclasses.dataclass\nclass C:\n x: int\n"
        "def train(): return dataclasses.fields(C)[0].type"
    ),
    "postponed annotations of a function": (
        "import m\ndef train(): return m.f.__annotations__\n== m.py\n"
        "«from __future__ import annotations|»\ndef f(x: int): pass"
    ),
    "a name is listed for stars": (
        "from m import *\ndef f(): return 0\nfrom m import *\ndef train(): return f()\n"
        "== m.py\n__all__=[«'f'|»]\ndef f(): return 1"
    ),
    "a name that only a star gives is listed": (
        "from m import *\ndef train():\n  try: return f()\n"
        "  except NameError: return 0\n== m.py\n__all__=[«'f'|»]\ndef f(): return 1"
    ),
    "item set in a class body": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX={}\n== pa.py\n"
        "import reg\nclass A:\n reg.X['a'] = «1|2»"
    ),
    "list extended in a class body": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "import reg\nclass A:\n reg.X += [«1|2»]"
    ),
    "loop in a class body": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX={}\n== pa.py\n"
        "import reg\nclass A:\n for i in range(«1|2»):\n  reg.X[i] = 1"
    ),
    "item deleted in a class body": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX={1:2,2:3}\n== pa.py\n"
        "import reg\nclass A:\n del reg.X[«1|2»]"
    ),
    "method named like a pure one": (
        "import reg, pa\ndef train(): return reg.R.d\n== reg.py\nclass Reg:\n"
        " def __init__(self): self.d={}\n def replace(self, k, v): self.d[k]=v\n"
        "R=Reg()\n== pa.py\nimport reg\nreg.R.replace('a', «1|2»)"
    ),
    "function named like a pure one": (
        "import reg, pa\ndef train(): return reg.D\n== reg.py\nD={}\n"
        "def product(k, v): D[k]=v\n== pa.py\nfrom reg import product\n"
        "product('a', «1|2»)"
    ),
    "alias extended in place": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "import reg\nA = reg.X\nA += [«1|2»]"
    ),
    "annotation that registers": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\ndef r(x):\n"
        " X.append(x)\n== pa.py\nimport reg\ndef f(a: reg.r(«1|2»)): pass"
    ),
    "default of a method that registers": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "import reg\nclass C:\n def f(self, *, a=reg.X.append(«1|2»)): pass"
    ),
    "annotation of a method that registers": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\ndef r(x):\n"
        " X.append(x)\n== pa.py\nimport reg\nclass C:\n"
        " def f(self, a: reg.r(«1|2»)): pass"
    ),
    "default of a lambda that registers": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "import reg\ng = lambda a=reg.X.append(«1|2»): 1"
    ),
    "item of a class read for its effect": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\nclass R:\n"
        " def __class_getitem__(cls, i): X.append(i)\n== pa.py\nimport reg\n"
        "reg.R[«1|2»]"
    ),
    "operator that changes something else": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\nclass R:\n"
        " def __lshift__(self, i): X.append(i)\nr=R()\n== pa.py\nimport reg\n"
        "reg.r << «1|2»"
    ),
    "operator that changes its object": (
        "import reg, pa\ndef train(): return reg.r.items\n== reg.py\nclass R:\n"
        " def __init__(self): self.items=[]\n"
        " def __lshift__(self, i): self.items.append(i); return self\nr=R()\n== pa.py\n"
        "import reg\nreg.r << «1|2»"
    ),
    "property read for its effect": (
        "import reg, pa\ndef train(): return reg.r.items\n== reg.py\nclass R:\n"
        " def __init__(self): self.items=[]\n @property\n"
        " def go(self): self.items.append(1)\nr=R()\n== pa.py\nimport reg\n«reg.r.go|»"
    ),
    "with block without a call": (
        "import reg, pa\ndef train(): return reg.r.items\n== reg.py\nclass R:\n"
        " def __init__(self): self.items=[]\n"
        " def __enter__(self): self.items.append(1)\n def __exit__(self,*a): pass\n"
        "r=R()\n== pa.py\nimport reg\n«with reg.r: pass|»"
    ),
    "descriptor that learns its name": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX=[]\nclass D:\n"
        " def __set_name__(self, o, n): X.append(n)\n== pa.py\nimport reg\nclass A:\n"
        " «a|b» = reg.D()"
    ),
    "import by a built-in": (
        "import pa, reg\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "__import__('pb')\n== pb.py\nimport reg\nreg.X.append(«1|2»)"
    ),
    "import by a call whose result has a name": (
        "import pa, reg\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "import importlib\nM = importlib.import_module('pb')\n== pb.py\nimport reg\n"
        "reg.X.append(«1|2»)"
    ),
    "import in a function that computes a constant": (
        "import pa, reg\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "def load():\n import pb\nV = load()\n== pb.py\nimport reg\nreg.X.append(«1|2»)"
    ),
    "import in a decorator": (
        "import pa, reg\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "def load(f):\n import pb\n return f\n@load\ndef g(): pass\n== pb.py\n"
        "import reg\nreg.X.append(«1|2»)"
    ),
    "loop over a method named like a pure one": (
        "import pa, reg\ndef train(): return reg.app.items\n== reg.py\nclass App:\n"
        " def __init__(self): self.items=[]\n"
        " def get(self, f): self.items.append(f); return f\napp=App()\n== pa.py\n"
        "from reg import app\nfor i in range(3):\n app.get(«1|2»)"
    ),
    "re-exports change places": (
        "from p import f\ndef train(): return f()\n== p/__init__.py\n"
        "«from p.a import f|from p.b import f»\n«from p.b import f|from p.a import f»\n"
        "== p/a.py\ndef f(): return 1\n== p/b.py\ndef f(): return 2"
    ),
    "all modules of a package": (
        "import pkgutil, importlib, plug\ndef train():\n"
        " found = pkgutil.iter_modules(plug.__path__)\n"
        " return [importlib.import_module('plug.'+m.name).V for m in found]\n"
        "== plug/__init__.py\n== plug/a.py\nV=«1|2»"
    ),
    "subclasses of an argument": (
        "import m, n\ndef train(): return m.all_of(m.A)\n== m.py\nclass A: pass\n"
        "def all_of(c): return [k.v for k in c.__subclasses__()]\n== n.py\nimport m\n"
        "class K(m.A): v=«1|2»"
    ),
    "subclasses of subclasses": (
        "import m, n\ndef train(): return m.all_of(m.A)\n== m.py\nclass A: pass\n"
        "class B(A): pass\n"
        "def all_of(c): return [k for d in c.__subclasses__() for k in d.__subclasses__()]\n"
        "== n.py\nimport m\nclass K(m.B): v=«1|2»"
    ),
    "loop variable extended in place": (
        "import reg, pa\ndef train(): return reg.X\n== reg.py\nX={'a':[]}\n== pa.py\n"
        "import reg\nfor k, v in reg.X.items():\n v += [«1|2»]"
    ),
    "operator whose result has a name": (
        "import reg, pa\ndef train(): return reg.r.items\n== reg.py\nclass R:\n"
        " def __init__(self): self.items=[]\n"
        " def __lshift__(self, i): self.items.append(i); return self\nr=R()\n== pa.py\n"
        "import reg\n_ = reg.r << «1|2»"
    ),
    "an effect and an import change places": (
        "import pa\nimport reg\ndef train(): return reg.X\n== reg.py\nX=[]\n== pa.py\n"
        "import reg\n«import pb|reg.X.append(1)»\n«reg.X.append(1)|import pb»\n"
        "== pb.py\nimport reg\nreg.X.append(2)"
    ),
    "sys.modules by another name": (
        "from sys import modules\ndef h(): return «1|2»\n"
        "def train(): return getattr(modules[__name__], 'h')()"
    ),
    "sys.modules by the name of a variable": (
        "import sys\nknown = sys.modules\ndef h(): return «1|2»\n"
        "def train(): return getattr(known.get(__name__), 'h')()"
    ),
    "sys.modules by the name of a local variable": (
        "import sys\ndef h(): return «1|2»\n"
        "def train():\n known = sys.modules\n return getattr(known[__name__], 'h')()"
    ),
    "sys.modules gone through": (
        "import sys, q\ndef train():\n"
        " return [m.h() for n, m in sys.modules.items() if n == 'q']\n"
        "== q.py\ndef h(): return «1|2»"
    ),
    "sys.modules by a name with a literal start": (
        "import sys, p.q\ndef train(name='q'): return sys.modules[f'p.{name}'].h()\n"
        "== p/__init__.py\n== p/q.py\ndef h(): return «1|2»"
    ),
    "a submodule takes the place of an attribute": (
        "import p\n«import p.a|»\ndef train(): return p.a\n== p/__init__.py\na=1\n== p/a.py\nx=1"
    ),
    "a package's own import of a submodule and an attribute change places": (
        "import p\ndef train(): return p.a\n== p/__init__.py\n«a=1|from .a import x»\n"
        "«from .a import x|a=1»\n== p/a.py\nx=1"
    ),
    "another operator whose result has a name": (
        "import reg, pa\ndef train(): return reg.r.items\n== reg.py\nclass R:\n"
        " def __init__(self): self.items=[]\n"
        " def __or__(self, i): self.items.append(i); return self\nr=R()\n== pa.py\n"
        "import reg\n_ = reg.r | «1|2»"
    ),
    "method named like a reading one, called in a decorator": (
        "import pa, reg\ndef train(): return reg.app.items\n== reg.py\nclass App:\n"
        " def __init__(self): self.items=[]\n"
        " def log(self, f): self.items.append(f); return f\napp=App()\n"
        "def deco(f): app.log(f); return f\n== pa.py\nfrom reg import deco\n@deco\n"
        "def h(): return «1|2»"
    ),
    "loop over an object that notes it": (
        "import reg, pa\ndef train(): return reg.r.items\n== reg.py\nclass R:\n"
        " def __init__(self): self.items=[]\n"
        " def __iter__(self): self.items.append(1); return iter([])\nr=R()\n== pa.py\n"
        "import reg\n«for x in reg.r: pass|»"
    ),
    "unpacking of an object that notes it": (
        "import reg, pa\ndef train(): return reg.r.items\n== reg.py\nclass R:\n"
        " def __init__(self): self.items=[]\n"
        " def __iter__(self): self.items.append(1); return iter([1])\nr=R()\n== pa.py\n"
        "import reg\n«[x] = reg.r|»"
    ),
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_what_an_import_does_is_seen(text, sides, fingerprint):
    before, after = (fingerprint(side) for side in sides(text))
    assert (before.code, before.modules) != (after.code, after.modules)
