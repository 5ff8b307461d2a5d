"""`# pivot: ignore`: what it is said of, what it leaves out, and what it doesn't."""

import ast

import pytest

from pivot.code.source.ignoring import Marks, read_marks


def marks(text: str) -> Marks:
    return read_marks(text.encode(), ast.parse(text))


PLACES = {
    "line of a def": "def f(): ...  # pivot: ignore",
    "line of a long def": "def f(  # pivot: ignore\n    a,\n):\n    ...",
    "end of a long def": "def f(\n    a,\n):  # pivot: ignore\n    return a",
    "line above": "x = 1\n# pivot: ignore\ndef f():\n    return 1",
    "line above a decorator": "import d\n# pivot: ignore\n@d\n@d\ndef f():\n    return 1",
    "decorator": "import d\n@d\n@d(1)  # pivot: ignore\ndef f():\n    return 1",
    "line of a class": "class f:  # pivot: ignore\n    x = 1",
    "async def": "async def f(): ...  # pivot: ignore",
    "assignment": "f = 1  # pivot: ignore",
    "start of a long assignment": "f = {  # pivot: ignore\n    1: 2,\n}",
    "end of a long assignment": "f = {\n    1: 2,\n}  # pivot: ignore",
    "annotated assignment": "f: int = 1  # pivot: ignore",
    "type alias": "type f = int  # pivot: ignore",
    "after another comment": "def f(): ...  # noqa: E704  # pivot: ignore",
    "with a reason": "def f(): ...  # pivot: ignore - it only logs",
    "without spaces": "def f(): ...  #pivot:ignore",
    "within if": "if x:\n    def f(): ...  # pivot: ignore",
    "within try": "try:\n    import a\nexcept ImportError:\n    # pivot: ignore\n    def f(): ...",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_where_it_is_said_of_a_symbol(text):
    found = marks(text)
    assert (found.ignored, found.idle) == ({"f"}, ())


IDLE = {
    "within a body": ("def f():\n    x = 1  # pivot: ignore\n    return x", 2),
    "first line of a body": ("def f():\n    # pivot: ignore\n    return 1", 2),
    "method": ("class C:\n    def f(self): ...  # pivot: ignore", 2),
    "import": ("import a  # pivot: ignore", 1),
    "call": ("print()  # pivot: ignore", 1),
    "blank line between": ("# pivot: ignore\n\ndef f(): ...", 1),
    "line below": ("def f(): ...\n# pivot: ignore", 2),
    "grown": ("f = []\nf += [1]  # pivot: ignore", 2),
}


@pytest.mark.parametrize(("text", "line"), IDLE.values(), ids=IDLE)
def test_where_it_is_said_of_none(text, line):
    found = marks(text)
    assert (found.ignored, found.idle) == (set(), (line,))


def test_text_that_says_so_is_no_comment():
    assert marks('f = "# pivot: ignore"\ng = """\n# pivot: ignore\n"""\n') == Marks()


def test_a_word_nearly_right_is_told_and_prose_is_not():
    found = marks(
        "f = 1  # pivot: ignroe\ng = 2  # pivot: the table\nh = 3  # unpivot: ignore it\n"
    )
    assert (found.ignored, found.misspelt) == (set(), ((1, "ignroe"),))


def test_several_names_of_one_statement_are_ignored_together():
    assert marks("f, (g, *h) = x = y  # pivot: ignore").ignored == {"f", "g", "h", "x"}


def test_bytes_of_another_encoding_are_read():
    text = "# -*- coding: latin-1 -*-\nf = 'é'  # pivot: ignore\n"
    assert read_marks(text.encode("latin-1"), ast.parse(text)).ignored == {"f"}


LOGGING = """
from lib import log, used
def train():
    log("x")
    return used()
== lib.py
from far import deep, shared
import torch
# pivot: ignore
def log(text):
    deep(text)
    shared()
    torch.log(text)
    return LEVEL
LEVEL = «1|2»
def used():
    return shared()
== far.py
def deep(text): return «1|2»
def shared(): return 1
"""


def test_it_and_what_only_it_leads_to_is_left_out(fingerprint, sides):
    before, after = map(fingerprint, sides(LOGGING))
    assert before.code == after.code
    assert before.code["lib:log"] == "ignored"
    assert before.code.keys() == {"pipeline:train", "lib:log", "lib:used", "far:shared"}
    assert before.modules == set()
    assert str(before.kinds["lib:log"]) == "func"


def test_its_own_changes_do_not_count(fingerprint):
    texts = [f"def train(): f()\ndef f(): return {n}  # pivot: ignore" for n in (1, 2)]
    assert fingerprint(texts[0]).code == fingerprint(texts[1]).code


def test_what_others_lead_to_still_counts(fingerprint, sides):
    before, after = map(
        fingerprint, sides(LOGGING.replace("def shared(): return 1", "def shared(): return «1|2»"))
    )
    assert before.code["far:shared"] != after.code["far:shared"]


def test_the_comment_makes_a_difference_once(fingerprint):
    plain = fingerprint("def train(): f()\ndef f(): return 1")
    ignored = fingerprint("def train(): f()\ndef f(): return 1  # pivot: ignore")
    assert plain.code["pipeline:train"] == ignored.code["pipeline:train"]
    assert plain.code["pipeline:f"] != ignored.code["pipeline:f"] == "ignored"


def test_what_is_registered_with_something_ignored_is_left_out(fingerprint):
    text = """
import handlers
from reg import HANDLERS
def train(): return HANDLERS
== reg.py
HANDLERS = []  # pivot: ignore
== handlers.py
from reg import HANDLERS
def handle(): return 1
HANDLERS.append(handle)
"""
    assert fingerprint(text).code.keys() == {"pipeline:train", "reg:HANDLERS"}
    counted = fingerprint(text.replace("  # pivot: ignore", ""))
    assert {"handlers:<effects>", "handlers:handle"} <= counted.code.keys()


def test_hashes_of_single_symbols_say_so_too(project):
    code = project("def f(): return 1  # pivot: ignore\ndef g(): return 2")
    found = code.hashes(["pipeline:f", "pipeline:g"])
    assert found["pipeline:f"] == "ignored" != found["pipeline:g"]
