"""Names in texts that libraries evaluate with the variables of their callers, or import by."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

# What is looked up by whom: `@limit` by pandas, tables by DuckDB and Polars, all names by numexpr
# and by what takes formulas (patsy, formulaic).
_MARKED: Final = re.compile(r"@([A-Za-z_]\w*)")
_TABLE: Final = re.compile(r"\b(?:from|join)\s+([A-Za-z_]\w*)", re.IGNORECASE)
_NAME: Final = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
_QUERIES: Final = frozenset({"query", "sql", "execute"})
_EXPRESSIONS: Final = frozenset({"eval", "evaluate"})
_HOLDING: Final = frozenset({"dict", "list", "tuple", "set", "frozenset", "field", "Field"})
HOLDERS: Final = frozenset({ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Call})
"""The kinds of nodes that `words` looks into."""

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_]\w*)?")
_MAX_LENGTH: Final = 200


def evaluated_names(call: ast.Call) -> list[str]:
    """Names of variables in the texts that a call is given."""
    found: list[str] = []
    for argument in (*call.args, *[keyword.value for keyword in call.keywords]):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            text = argument.value
            function = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if function in _QUERIES:
                found += (*_MARKED.findall(text), *_TABLE.findall(text))
            elif function in _EXPRESSIONS or ("~" in text and not text.startswith("~")):
                found += _NAME.findall(text)
    return found


def words(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Plain names among texts, and in lists and tables of them: `"heavy"`, `["a", "b"]`."""
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)):
                if text.isidentifier() and len(text) <= _MAX_LENGTH:
                    yield text
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                yield from words(parts)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _HOLDING:
                yield from words([*node.args, *(keyword.value for keyword in node.keywords)])
            case ast.Dict(keys=keys, values=parts):
                yield from words([*(key for key in keys if key is not None), *parts])


def is_dotted(text: str) -> bool:
    """Whether this may be the name of a module, or of something in one: `lib.steps:clean`."""
    return (
        len(text) <= _MAX_LENGTH
        and ("." in text or ":" in text)
        and _DOTTED.fullmatch(text) is not None
    )
