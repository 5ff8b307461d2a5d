"""What the stages of `pipeline.py` work on: a small project, and parameters."""

from pydantic import BaseModel, Field, SecretStr

SOURCES = {
    "flow.py": b"""
import json
import numpy as np
from importlib import import_module
from lab import TABLE, handler as handle
from lab.deep import *
from . import nothing

RATE = 0.5
try:
    import fast
except ImportError:
    fast = None

class Base:
    def __init_subclass__(cls, **kw):
        handle(cls)

class Model(Base, metaclass=type):
    rate: float = RATE
    def fit(self, x, *, depth=lambda: DEPTH):
        return [twice(i) for i in x if (y := i) and handle] + [np.sum(x)]

def train(params: "Model", *, name=__name__):
    from lab import deep
    match params:
        case {"a": 1, **rest}:
            return TABLE[name](rest)
        case Model(rate=r) | [r, *_]:
            return getattr(deep, "twice")(r)
    with open(name) as f, np.errstate():
        global RATE
        RATE = json.load(f)
        del TABLE["x"]
    return import_module(name), globals()[name], f"{RATE!r:>{DEPTH}}"
""",
    "lib/lab/__init__.py": b"""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from flow import Model
TABLE = {}
def register(name):
    def wrap(f):
        TABLE[name] = f
        return f
    return wrap
@register("one")
def one(x): return x + 1
if len(TABLE) > 3:
    def handler(cls: "Model"): return cls
else:
    def handler(cls): TABLE.setdefault(cls, None)
""",
    "lib/lab/deep.py": b"""
from functools import partial, wraps
import lab
__all__ = ["twice", "DEPTH"]
DEPTH: int = 3
def _double(x, /, by=2): return x * by
twice = partial(_double, by=DEPTH)
def unused(): return lab.TABLE
lab.TABLE["deep"] = twice
for _i in range(3):
    print(_i)
""",
}


class Training(BaseModel):
    rate: float = 0.5
    depth: int = Field(3, gt=1)
    token: SecretStr = SecretStr("secret")
