"""Edits in other modules, and of what importing does: each must change the fingerprint.

A project is `pipeline.py`, then files after lines `== path`; the edit replaces `«old|new»`.
"""

import pytest

IMPORTS = {
    "from": "from m import f\ndef train(): return f()\n== m.py\ndef f(): return «1|2»",
    "from as": "from m import f as g\ndef train(): return g()\n== m.py\ndef f(): return «1|2»",
    "module": "import m\ndef train(): return m.f()\n== m.py\ndef f(): return «1|2»",
    "module as": "import m as x\ndef train(): return x.f()\n== m.py\ndef f(): return «1|2»",
    "star": "from m import *\ndef train(): return f()\n== m.py\ndef f(): return «1|2»",
    "star with __all__": (
        "from m import *\ndef train(): return _f()\n== m.py\n__all__ = ['_f']\n"
        "def _f(): return «1|2»"
    ),
    "star with an extended __all__": (
        "from m import *\ndef train(): return _f(), g()\n== m.py\n__all__ = ['_f']\n"
        "def _f(): return 1\ndef g(): return «1|2»\n__all__.append('g')"
    ),
    "star of a star": (
        "from a import *\ndef train(): return f()\n== a.py\nfrom b import *\n== b.py\n"
        "def f(): return «1|2»"
    ),
    "submodule": (
        "import p.s\ndef train(): return p.s.f()\n== p/__init__.py\n== p/s.py\n"
        "def f(): return «1|2»"
    ),
    "submodule from package": (
        "from p import s\ndef train(): return s.f()\n== p/__init__.py\n== p/s.py\n"
        "def f(): return «1|2»"
    ),
    "re-export": (
        "from p import f\ndef train(): return f()\n== p/__init__.py\nfrom p.s import f\n"
        "== p/s.py\ndef f(): return «1|2»"
    ),
    "relative": (
        "from p.a import g\ndef train(): return g()\n== p/__init__.py\n== p/a.py\n"
        "from .b import f\n"
        "def g(): return f()\n== p/b.py\ndef f(): return «1|2»"
    ),
    "relative module": (
        "from p.a import g\ndef train(): return g()\n== p/__init__.py\n== p/a.py\nfrom . import b\n"
        "def g(): return b.f()\n== p/b.py\ndef f(): return «1|2»"
    ),
    "relative two up": (
        "from p.q.a import g\ndef train(): return g()\n== p/__init__.py\n== p/q/__init__.py\n"
        "== p/q/a.py\nfrom ..b import f\ndef g(): return f()\n== p/b.py\ndef f(): return «1|2»"
    ),
    "namespace package": (
        "from n.s import f\ndef train(): return f()\n== n/s.py\ndef f(): return «1|2»"
    ),
    "inside a function": (
        "def train():\n from m import f\n return f()\n== m.py\ndef f(): return «1|2»"
    ),
    "module inside a function": (
        "def train():\n import p.s as x\n return x.f()\n== p/__init__.py\n== p/s.py\n"
        "def f(): return «1|2»"
    ),
    "fallback": (
        "try:\n from nowhere import f\nexcept ImportError:\n from m import f\n"
        "def train(): return f()\n"
        "== m.py\ndef f(): return «1|2»"
    ),
    "type checking": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n from m import C\n"
        "def train(c: 'C' = None): return c.x\n== m.py\nclass C: x = «1|2»"
    ),
    "not type checking": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n f = None\nelse:\n from m import f\n"
        "def train(): return f()\n== m.py\ndef f(): return «1|2»"
    ),
    "constant through a module": "import m\ndef train(): return m.K\n== m.py\nK = {'a': «1|2»}",
    "other function of the standard library": (
        "from math import «sin|cos» as f\ndef train(): return f(1)"
    ),
    "other third-party module": "import «numpy|jax.numpy» as np\ndef train(): return np.zeros(1)",
    "other module of the project": (
        "from «a|b» import f\ndef train(): return f()\n"
        "== a.py\ndef f(): return 1\n== b.py\ndef f(): return 2"
    ),
    "names exchanged": (
        "from m import «a as x, b as y|b as x, a as y»\ndef train(): return x() - y()\n"
        "== m.py\ndef a(): return 1\ndef b(): return 2"
    ),
    "condition of an import": (
        "import sys\nif sys.platform == «'a'|'b'»:\n from m import a as f\nelse:\n"
        " from m import b as f\ndef train(): return f()\n"
        "== m.py\ndef a(): return 1\ndef b(): return 2"
    ),
    "getattr with a literal": (
        "import m\ndef train(): return getattr(m, 'f')()\n== m.py\ndef f(): return «1|2»"
    ),
    "getattr with a variable": (
        "import m\ndef train(n='f'): return getattr(m, n)()\n== m.py\ndef f(): return «1|2»"
    ),
    "vars": "import m\ndef train(): return vars(m)['f']()\n== m.py\ndef f(): return «1|2»",
    "__dict__": "import m\ndef train(): return m.__dict__['f']()\n== m.py\ndef f(): return «1|2»",
    "module as a value": (
        "import m\ndef use(x): return x.f()\ndef train(): return use(m)\n== m.py\n"
        "def f(): return «1|2»"
    ),
    "module in a dict": (
        "import m\nT = {'m': m}\ndef train(): return T['m'].f()\n== m.py\ndef f(): return «1|2»"
    ),
    "globals": "def f(): return «1|2»\ndef train(): return globals()['f']()",
    "globals by variable": "def f(): return «1|2»\ndef train(n='f'): return globals()[n]()",
    "eval": "def f(): return «1|2»\ndef train(t='f()'): return eval(t)",
    "sys.modules": (
        "import sys, m\ndef train(): return sys.modules['m'].f()\n== m.py\ndef f(): return «1|2»"
    ),
    "own module by name": (
        "import sys\ndef f(): return «1|2»\n"
        "def train(n='f'): return getattr(sys.modules[__name__], n)()"
    ),
    "import_module": (
        "import importlib\ndef train(): return importlib.import_module('m').f()\n"
        "== m.py\ndef f(): return «1|2»"
    ),
    "import_module kept": (
        "from importlib import import_module as im\ndef train():\n m = im('m')\n return m.f()\n"
        "== m.py\ndef f(): return «1|2»"
    ),
    "lazy package": (
        "import p\ndef train(): return p.f()\n== p/__init__.py\n"
        "from importlib import import_module\n"
        "def __getattr__(n): return getattr(import_module('p.s'), n)\n== p/s.py\n"
        "def f(): return «1|2»"
    ),
}

EFFECTS = {
    "item assignment": "T = {}\ndef f(): return «1|2»\nT['a'] = f\ndef train(): return T['a']()",
    "append": "T = []\ndef f(): return «1|2»\nT.append(f)\ndef train(): return T[0]()",
    "filled elsewhere": (
        "import m\nfrom r import T\ndef train(): return T['a']()\n== r.py\nT = {}\n"
        "== m.py\nfrom r import T\nT['a'] = lambda: «1|2»"
    ),
    "monkey-patched function": (
        "import m, patch\ndef train(): return m.f()\n== m.py\ndef f(): return 1\n"
        "== patch.py\nimport m\ndef g(): return «1|2»\nm.f = g"
    ),
    "monkey-patched method": (
        "import patch\nfrom m import C\ndef train(): return C().x()\n== m.py\nclass C: pass\n"
        "== patch.py\nfrom m import C\nC.x = lambda s: «1|2»"
    ),
    "setattr": "class C: pass\nsetattr(C, 'x', «1|2»)\ndef train(): return C.x",
    "registered by decorator": (
        "import m\nfrom r import T\ndef train(): return T['f']()\n"
        "== r.py\nT = {}\ndef add(f):\n T[f.__name__] = f\n return f\n"
        "== m.py\nfrom r import add\n@add\ndef f(): return «1|2»"
    ),
    "registered by decorator factory": (
        "import m\nfrom r import T\ndef train(): return T['f']()\n"
        "== r.py\nT = {}\ndef add(n):\n def d(f):\n  T[n] = f\n  return f\n return d\n"
        "== m.py\nimport r\n@r.add('f')\ndef f(): return «1|2»"
    ),
    "registered inside a try": (
        "import m\nfrom r import T\ndef train(): return T['f']()\n"
        "== r.py\nT = {}\ndef add(f):\n T[f.__name__] = f\n return f\n"
        "== m.py\nfrom r import add\ntry:\n import x\n @add\n def f(): return «1|2»\n"
        "except ImportError: pass"
    ),
    "registered with an object": (
        "import m\nfrom r import R\ndef train(): return R.all['f']()\n"
        "== r.py\nclass Reg:\n def __init__(s): s.all = {}\n"
        " def add(s, f): s.all['f'] = f\nR = Reg()\n"
        "== m.py\nfrom r import R\n@R.add\ndef f(): return «1|2»"
    ),
    "single dispatch": (
        "from functools import singledispatch\n@singledispatch\ndef f(x): return 0\n"
        "@f.register\ndef _(x: int): return «1|2»\ndef train(): return f(1)"
    ),
    "single dispatch elsewhere": (
        "import m\nfrom d import f\ndef train(): return f(1)\n"
        "== d.py\nfrom functools import singledispatch\n@singledispatch\ndef f(x): return 0\n"
        "== m.py\nfrom d import f\n@f.register(int)\ndef g(x): return «1|2»"
    ),
    "environment set": "import os\nos.environ['A'] = «'1'|'2'»\ndef train(): return os.getenv('A')",
    "seed": "import random\nrandom.seed(«1|2»)\ndef train(): return random.random()",
    "import for its effects": (
        "import m\ndef train(): return 1\n== m.py\nimport random\nrandom.seed(«1|2»)"
    ),
    "package for its effects": (
        "from p.s import f\ndef train(): return f()\n== p/__init__.py\nprint(«1|2»)\n"
        "== p/s.py\ndef f(): return 1"
    ),
    "effect through a helper": (
        "import random\ndef setup(): random.seed(«1|2»)\nsetup()\n"
        "def train(): return random.random()"
    ),
    "loop": "T = []\nfor i in range(«2|3»): T.append(i)\ndef train(): return T",
    "with": "with open('a') as f:\n K = f.read(«1|2»)\ndef train(): return K",
    "conditional effect": (
        "import sys\nT = []\nif sys.platform == «'a'|'b'»:\n T.append(1)\ndef train(): return T"
    ),
    "deletion": "T = {'a': 1, 'b': 2}\ndel T[«'a'|'b'»]\ndef train(): return T",
    "imported list extended": (
        "from m import T\nT += [«1|2»]\ndef train():\n import m\n return m.T\n== m.py\nT = []"
    ),
    "constant from a call with effects": (
        "import m\nfrom r import T\ndef train(): return T\n== r.py\nT = []\n"
        "== m.py\nfrom r import T\ndef fill(x):\n T.append(x)\n return x\nx = fill(«1|2»)"
    ),
}

CASES = {
    f"{group}: {name}": text
    for group, cases in {
        "import": IMPORTS,
        "effect": EFFECTS,
    }.items()
    for name, text in cases.items()
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_a_change_that_the_stage_could_notice_is_seen(text, sides, fingerprint):
    before, after = sides(text)
    assert fingerprint(before).code != fingerprint(after).code
