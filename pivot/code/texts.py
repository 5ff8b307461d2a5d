"""Names in texts that libraries evaluate with the variables of their callers, or import by."""

import ast
import re
from typing import Final

# What is looked up by whom: `@limit` by pandas, tables by DuckDB and Polars, all names by numexpr
# and by what takes formulas (patsy, formulaic).
_MARKED: Final = re.compile(r"@([A-Za-z_]\w*)")
_TABLE: Final = re.compile(r"\b(?:from|join)\s+([A-Za-z_]\w*)", re.IGNORECASE)
_NAME: Final = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
_QUERIES: Final = frozenset({"query", "sql", "execute"})
_EXPRESSIONS: Final = frozenset({"eval", "evaluate"})
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


def is_dotted(text: str) -> bool:
    """Whether this may be the name of a module, or of something in one: `lib.steps:clean`."""
    return (
        len(text) <= _MAX_LENGTH
        and ("." in text or ":" in text)
        and _DOTTED.fullmatch(text) is not None
    )
