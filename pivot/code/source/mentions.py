"""Files that code names without saying where it opens them: `load("base.json")`, `DIR / NAME`.

A path that is put together from variables can't be told from the code. But its parts mostly stand
somewhere in what is reached, so these are looked for among the project's files.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from pivot.code.source.syntax import children

_SUFFIX: Final = (
    r"\.(?:json5?|jsonl|ya?ml|toml|ini|cfg|conf|env|properties|xml|sql|txt|md"
    r"|[ct]sv|j2|jinja2?|tmpl|tpl|mako|html|mustache|template|graphql|proto|lock)"
)
_FILE: Final = re.compile(r"[\w.*/-]*" + _SUFFIX)
_OTHER: Final = re.compile(r"[\w*-][\w.*/-]*\.(?!py$)[a-z][a-z0-9]{1,7}")
_BARE: Final = re.compile(_SUFFIX)
_IN_SOURCE: Final = re.compile(rb"\.[a-z][a-z0-9]{1,9}[\"']")
_AS_FOLDERS: Final = (
    *(b'/ "', b"/ '", b'/ f"', b"/ f'"),
    *(b'/"', b"/'", b"/{"),
    *(b"Path(", b"path.join(", b"joinpath(", b"files("),
)
_JOINING: Final = frozenset({"Path", "PurePath", "join", "joinpath", "files"})
_DATA: Final = (".csv", ".tsv", ".jsonl", ".lock", ".md", ".html", ".proto")
_WITHIN: Final = re.compile(rf"(?<![\w.*/-]){_FILE.pattern}(?![\w.-]*\w)".encode())
_NAME: Final = re.compile(rb"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?![\w.])")
_FOLDER: Final = re.compile(r"[\w-][\w.-]*(?:/[\w.-]+)*/?")
_HOLE: Final = re.compile(r"\{[^{}]*\}|%[sd]|%\(\w+\)s")
# The only kinds of nodes that are texts, or that texts in them are looked at for their sake.
_TELLING: Final = frozenset(
    {ast.Constant, ast.JoinedStr, ast.BinOp, ast.Call}
    | {ast.Compare, ast.Set, ast.List, ast.Tuple, ast.Dict}
)
_MAX_LENGTH: Final = 120
_MAX_READ: Final = 1 << 18
_ANY: Final = "*"
_ASKING: Final = frozenset({"endswith", "removesuffix", "startswith"})


def names_files(source: bytes) -> bool:
    """A quick look at whether code may name a file, or the folder of one."""
    return any(mark in source for mark in _AS_FOLDERS) or _IN_SOURCE.search(source) is not None


def find_mentions(nodes: Sequence[ast.AST]) -> tuple[str, ...]:
    """Texts that may name a file, `*` for what isn't known of them, and those that may a folder."""
    texts = dict.fromkeys(text for text in _texts(nodes) if len(text) <= _MAX_LENGTH)
    starts = {start: None for text in texts if (start := _start(text))}
    if not starts and not any(may_be_file(text) for text in texts):
        return tuple(dict.fromkeys(_folders(nodes)))
    texts.update(starts)
    return tuple(text for text in texts if may_be_file(text) or _FOLDER.fullmatch(text))


def _folders(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Texts that paths are put together from."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        operands: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            operands = [node.right]
        elif isinstance(node, ast.Call) and _last_name(node.func) in _JOINING:
            operands = node.args
        for operand in operands:
            text = getattr(operand, "value", None)
            if isinstance(text, str) and _FOLDER.fullmatch(text):
                yield text
        stack += reversed(children(node))


def _start(text: str) -> str:
    """The folder that a path of which the rest isn't known begins with."""
    known, _, rest = text.partition(_ANY)
    return known.rpartition("/")[0] if not rest else ""


def names_within(data: bytes) -> frozenset[str]:
    """Files that the text of a configuration names, such as the one that it extends.

    Files of data are left out: a configuration says where they are, for the stages.
    """
    found = {match.group().decode() for match in _WITHIN.finditer(data[:_MAX_READ])}
    return frozenset(name for name in found if is_file(name) and not name.endswith(_DATA))


def words_within(data: bytes) -> frozenset[str]:
    """Names in the text of a configuration, dotted or not, that modules may have."""
    return frozenset(match.group().decode() for match in _NAME.finditer(data[:_MAX_READ]))


def may_name_files(path: str) -> bool:
    """Whether a file is one of text that people write, and so may name others."""
    return is_file(path) and not path.endswith(_DATA)


def may_be_file(text: str) -> bool:
    """Whether a text may be the name of a file at all, with a suffix that nobody knows."""
    return is_file(text) or (_OTHER.fullmatch(text) is not None and not text.startswith("http"))


def is_file(text: str) -> bool:
    """Whether a text looks like the name of a file that people write by hand."""
    return _FILE.fullmatch(text) is not None and not text.startswith(("/", "http"))


def _texts(nodes: Sequence[ast.AST]) -> Iterator[str]:
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        if type(node) not in _TELLING:
            stack += reversed(children(node))
            continue
        text = _text(node)
        if text is None:
            if (joined := _joined(node)) is not None:
                yield joined
            below = reversed(children(node))
            stack += filter(_is_no_suffix, below) if _asks(node) else below
            continue
        yield _ANY + text if _BARE.fullmatch(text) else re.sub(r"\*+", _ANY, text)
        if not isinstance(node, ast.Constant):
            stack += [n for n in children(node) if not isinstance(n, ast.Constant)]


def _joined(node: ast.AST) -> str | None:
    """The end of a path of several parts, `*/*.yaml` in `FOLDER / group / f"{name}.yaml"`."""
    parts: list[ast.expr] = []
    match node:
        case ast.BinOp(left=ast.BinOp(op=ast.Div(), right=first), op=ast.Div(), right=last):
            parts = [first, last]
        case ast.Call(func=ast.Attribute(attr="join"), args=[_, *rest]):
            parts = rest
        case ast.Call(func=ast.Attribute(attr="joinpath"), args=args):
            parts = args
    return "/".join(_text(part) or _ANY for part in parts) if len(parts) > 1 else None


def _asks(node: ast.AST) -> bool:
    """Whether texts in it are only compared, or listed to be."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in _ASKING
    return isinstance(node, ast.Compare | ast.Set | ast.List | ast.Tuple | ast.Dict)


def _is_no_suffix(node: ast.AST) -> bool:
    return not (isinstance(node, ast.Constant) and _BARE.fullmatch(str(node.value)))


def _last_name(node: ast.expr) -> str:
    """`join` of `os.path.join`; empty for what is no name."""
    name: str = getattr(node, "attr", getattr(node, "id", ""))
    return name


def _text(node: ast.AST) -> str | None:
    """A text with `*` for each part that only a run knows; None for what is no text."""
    match node:
        case ast.Call(func=ast.Attribute(attr="with_suffix"), args=[ast.Constant(value=str(text))]):
            return f"{_ANY}{text}"
        case ast.Constant(value=str(text)):
            return _HOLE.sub(_ANY, text)
        case ast.JoinedStr(values=values):
            return "".join(_text(value) or _ANY for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = _text(left), _text(right)
            return None if parts == (None, None) else "".join(part or _ANY for part in parts)
    return None
