"""Where the order of statements, and of imports, has a meaning."""

import pytest

TABLE = """
from t import T
def train(): return T
== t.py
T = {}
== a.py
from t import T
T[1] = 1
== b.py
from t import T
T[1] = 2
"""
COUNTS = {
    "import and definition": (
        "from m import f\ndef f(): ...\ndef train(): return f()\n== m.py\ndef f(): ...",
        "def f(): ...\nfrom m import f\ndef train(): return f()\n== m.py\ndef f(): ...",
    ),
    "two stars": (
        "from a import *\nfrom b import *\ndef train(): return f()\n== a.py\nf=1\n== b.py\nf=2",
        "from b import *\nfrom a import *\ndef train(): return f()\n== a.py\nf=1\n== b.py\nf=2",
    ),
    "read before it is bound again": (
        "A = 1\nB = A\nA = 2\ndef train(): return B",
        "A = 1\nA = 2\nB = A\ndef train(): return B",
    ),
    "read by a function before it is bound again": (
        "A = 1\ndef f(): return A\nB = f()\nA = 2\ndef train(): return B",
        "A = 1\ndef f(): return A\nA = 2\nB = f()\ndef train(): return B",
    ),
    "read before it is changed": (
        "A = []\nB = len(A)\nA.append(1)\ndef train(): return B",
        "A = []\nA.append(1)\nB = len(A)\ndef train(): return B",
    ),
    "two modules change one object": (
        f"import a\nimport b\n{TABLE}",
        f"import b\nimport a\n{TABLE}",
    ),
}
MEANS_NOTHING = {
    "two imports": ("import a\nimport b\n", "import b\nimport a\n"),
    "two constants": ("A = 1\nB = 2\n", "B = 2\nA = 1\n"),
    "two constants of one call": (
        "def f(x): return x\nA = f(1)\nB = f(2)\n",
        "def f(x): return x\nB = f(2)\nA = f(1)\n",
    ),
    "two functions with a decorator": (
        "from functools import cache\n@cache\ndef A(): ...\n@cache\ndef B(): ...\n",
        "from functools import cache\n@cache\ndef B(): ...\n@cache\ndef A(): ...\n",
    ),
    "a star and a definition": (
        "from a import *\nA = 1\nB = 2\n",
        "A = 1\nfrom a import *\nB = 2\n",
    ),
}
REST = "def train(): return A, B\n== a.py\nx = 1\n== b.py\ny = 1"


@pytest.mark.parametrize(("before", "after"), COUNTS.values(), ids=COUNTS.keys())
def test_order_counts_where_it_has_a_meaning(before, after, fingerprint):
    assert fingerprint(before).code != fingerprint(after).code


@pytest.mark.parametrize(("before", "after"), MEANS_NOTHING.values(), ids=MEANS_NOTHING.keys())
def test_independent_statements_change_places(before, after, fingerprint):
    assert fingerprint(before + REST).code == fingerprint(after + REST).code


def test_order_of_what_changes_an_object_is_the_same_for_every_hash_seed(fingerprint):
    text, _ = COUNTS["two modules change one object"]
    assert "t:<effects>" in fingerprint(text).code
