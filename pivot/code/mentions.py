"""Files that code names without saying where it opens them: `load("base.json")`, `DIR / NAME`.

A path that is put together from variables can't be told from the code. But its parts mostly stand
somewhere in what is reached, so these are looked for among the project's files.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from pivot.code.syntax import children

_SUFFIX: Final = (
    r"\.(?:json5?|jsonl|ya?ml|toml|ini|cfg|conf|env|properties|xml|sql|txt|md"
    r"|[ct]sv|j2|jinja2?|tmpl|tpl|mako|html|mustache|template|graphql|proto|lock)"
)
_FILE: Final = re.compile(r"[\w.*/-]*" + _SUFFIX)
_IN_SOURCE: Final = re.compile(rf"{_SUFFIX}[\"']".encode())
_FOLDER: Final = re.compile(r"[\w-][\w.-]*(?:/[\w.-]+)*/?")
_HOLE: Final = re.compile(r"\{[^{}]*\}|%[sd]|%\(\w+\)s")
_MAX_LENGTH: Final = 120
_ANY: Final = "*"


def names_files(source: bytes) -> bool:
    """A quick look at whether a source may name such a file."""
    return _IN_SOURCE.search(source) is not None


def find_mentions(nodes: Sequence[ast.AST]) -> tuple[str, ...]:
    """Texts that may name a file, `*` for what isn't known of them, and those that may a folder."""
    texts = dict.fromkeys(text for text in _texts(nodes) if len(text) <= _MAX_LENGTH)
    if not any(is_file(text) for text in texts):
        return ()
    return tuple(text for text in texts if is_file(text) or _FOLDER.fullmatch(text))


def is_file(text: str) -> bool:
    """Whether a text looks like the name of a file that people write by hand."""
    return _FILE.fullmatch(text) is not None and not text.startswith(("/", "http"))


def _texts(nodes: Sequence[ast.AST]) -> Iterator[str]:
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        text = _text(node)
        if text is None:
            stack += reversed(children(node))
            continue
        yield re.sub(r"\*+", _ANY, text)
        if not isinstance(node, ast.Constant):
            stack += [n for n in children(node) if not isinstance(n, ast.Constant)]


def _text(node: ast.AST) -> str | None:
    """A text with `*` for each part that only a run knows; None for what is no text."""
    match node:
        case ast.Constant(value=str(text)):
            return _HOLE.sub(_ANY, text)
        case ast.JoinedStr(values=values):
            return "".join(_text(value) or _ANY for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = _text(left), _text(right)
            return None if parts == (None, None) else "".join(part or _ANY for part in parts)
    return None
