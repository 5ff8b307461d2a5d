"""Edits that no stage could notice: none may change the fingerprint of `pipeline:train`.

A project is `pipeline.py`, then files after lines `== path`; the edit replaces `«old|new»`.
"""

import pytest

LAYOUT = {
    "comment": "def train(): return 1 «|# why»",
    "blank lines": "K = 1\n«|\n\n\n»def train(): return K",
    "docstring": "def train():\n '''«a|b»'''\n return 1",
    "docstring added": "def train():\n «|'''Train.'''; »return 1",
    "docstring only": "def h(): «pass|'''Help.'''»\ndef train(): return h()",
    "class docstring": "class C:\n '''«a|b»'''\n x = 1\ndef train(): return C.x",
    "module docstring": "'''«a|b»'''\nprint(1)\ndef train(): return 1",
    "parentheses": "def train(): return «1 + 2|(1 + (2))»",
    "quotes": "def train(): return «'a'|\"a\"»",
    "f-string quotes": "def train(x=1): return «f'{x}'|f\"{x}\"»",
    "f-string without fields": "def train(): return «'a'|f'a'»",
    "joined literals": "def train(): return «'ab'|'a' 'b'»",
    "number spelling": "def train(): return «1000|1_000»",
    "hexadecimal": "def train(): return «16|0x10»",
    "trailing comma": "def train(): return [1, 2«|,»]",
    "line breaks": "def train(): return [1,«| \n »2]",
    "type comment": "def train():\n x = 1 «|# type: int»\n return x",
    "order of text in a set": "def train(): return «{'a', 'b'}|{'b', 'a'}»",
    "brackets of del": "def train(x, y):\n del «(x, y)|x, y»\n return 1",
    "pass": "def train():\n «|pass; »return 1",
}

ELSEWHERE = {
    "unused constant": "K = «1|2»\ndef train(): return 1",
    "unused function": "def h(): return «1|2»\ndef train(): return 1",
    "unused class": "class C: x = «1|2»\ndef train(): return 1",
    "unused function of a used module": (
        "import m\ndef train(): return m.f()\n== m.py\ndef f(): return 1\ndef g(): return «1|2»"
    ),
    "unused import": "import m\ndef train(): return 1\n== m.py\ndef f(): return «1|2»",
    "unused third-party import": "«|import numpy»\ndef train(): return 1",
    "file that nobody imports": "def train(): return 1\n== m.py\nprint(«1|2»)",
    "order of definitions": "«A = 1; B = 2|B = 2; A = 1»\ndef train(): return A, B",
    "local of the same name": "x = «1|2»\ndef train(x=3): return x",
    "comprehension variable": "x = «1|2»\ndef train(): return [x for x in (3,)]",
    "attribute of the same name": "x = «1|2»\ndef train(o=None): return o.x",
    "keyword of the same name": "x = «1|2»\ndef train(): return dict(x=3)",
    "class attribute of the same name": "x = «1|2»\nclass C: x = 3\ndef train(): return C",
    "main block": "def train(): return 1\nif __name__ == '__main__':\n print(«1|2»)",
    "other stage": (
        "from pivot import stage\n@stage()\ndef other(): return «1|2»\n@stage()\n"
        "def train(): return 1"
    ),
    "other stage's helper": (
        "from pivot import stage\ndef h(): return «1|2»\n@stage()\ndef other(): return h()\n"
        "@stage()\ndef train(): return 1"
    ),
    "name hidden by __all__": (
        "from m import *\ndef train(): return 1\n== m.py\n__all__ = ['g']\ndef f(): return «1|2»"
    ),
    "dispatch table of nobody": (
        "T = {}\ndef f(): return «1|2»\nT['a'] = f\ndef train(): return 1"
    ),
    "registry of nobody": (
        "T = {}\ndef add(f):\n T['f'] = f\n return f\n@add\ndef f(): return «1|2»\n"
        "def train(): return 1"
    ),
    "helper with a plain decorator": (
        "import functools, logging\nLOG = logging.getLogger()\ndef timed(f):\n"
        " @functools.wraps(f)\n"
        " def w():\n  LOG.info('x')\n  return f()\n return w\n@timed\ndef h(): return «1|2»\n"
        "@timed\ndef train(): return 1"
    ),
    "data folder named like a package": (
        "import datasets\ndef train(): return datasets.load()\n== datasets/a.csv\n«1|2»"
    ),
    "subclass of a used class": ("class B: pass\nclass C(B):\n x = «1|2»\ndef train(): return B()"),
}

DECLARED = {
    "mutex": (
        "from pivot import stage\n@stage(deps=['a'], mutex=[«'x'|'y'»])\ndef train(): return 1"
    ),
    "alias": "from pivot import stage as s\n@s(mutex=[«'x'|'y'»])\ndef train(): return 1",
    "module": "import pivot\n@pivot.stage(mutex=[«'x'|'y'»])\ndef train(): return 1",
    "module alias": "import pivot as p\n@p.stage(mutex=[«'x'|'y'»])\ndef train(): return 1",
    "constant in a declaration": (
        "from pivot import stage\nD = «'a'|'b'»\n@stage(deps=[D])\ndef train(): return 1"
    ),
    "another declaration": (
        "from pivot import stage\n«|@stage()\ndef b(): return 2\n»@stage()\ndef train(): return 1"
    ),
    "call": "from pivot import stage\ndef train(): return 1\nstage(name=«'a'|'b'»)(train)",
    "registered": (
        "from pivot.pipeline import Pipeline\np = Pipeline(«'a'|'b'»)\ndef train(): return 1\n"
        "p.register(train, mutex=[«'a'|'b'»])"
    ),
    "pipeline made elsewhere": (
        "from common import p\ndef other(): return «1|2»\n@p.stage(mutex=[«'a'|'b'»])\n"
        "def train(): return 1\np.register(other, mutex=[«'a'|'b'»])\n"
        "== common.py\nfrom pivot.pipeline import Pipeline\np = Pipeline(«'a'|'b'»)"
    ),
    "decorator re-exported": (
        "from common import stage\n@stage(mutex=[«'a'|'b'»])\ndef train(): return 1\n"
        "== common.py\nfrom pivot import stage"
    ),
    "loop over a table of declarations": (
        "from pivot import Out, stage\nT = {'a': «1|2»}\ndef train(): return 1\n"
        "for k, v in T.items():\n stage(name=k, outs=[Out(f'{v}')])(train)"
    ),
    "loop of declarations": (
        "from pivot import stage\ndef train(): return 1\nfor i in range(«2|3»):\n"
        " stage(name=f'train{i}')(train)"
    ),
    "declared under a condition": (
        "import sys\nfrom pivot import stage\nif sys.argv:\n @stage(name=«'a'|'b'»)\n"
        " def train(): return 1"
    ),
}

CASES = {
    f"{group}: {name}": text
    for group, cases in {
        "layout": LAYOUT,
        "elsewhere": ELSEWHERE,
        "declared": DECLARED,
    }.items()
    for name, text in cases.items()
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_a_change_that_no_stage_could_notice_is_ignored(text, sides, fingerprint):
    before, after = sides(text)
    assert fingerprint(before).code == fingerprint(after).code
