"""The normal form of Python source: the bytes that a fingerprint hashes, under scheme 1.

Equal for sources that mean the same whatever their layout: comments, docstrings, positions,
parentheses, quotes and type comments don't enter. Equal on every Python version too, since each
node kind has its own tag and field list here and fields that are absent or empty are left out.

Layout of scheme 1 (ASCII marks, UTF-8 text):

    node    ( Tag  { index value }  )      index: the field's place in the table, from `a`
    list    [ { value } ]
    text    length : characters            length in characters
    number  # decimal ;
    nothing ~                              only inside lists, as in `{**x}`

A constant is the node `(K type text)`, and `(x): int` has `!` before its target. The table only
ever grows: a changed row is a new scheme.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from pivot.errors import DefinitionError

# Field names by node kind, for all Python versions at once: nodes and fields that this version
# lacks are simply never met.
_FIELDS: Final[dict[str, str]] = {
    "Module": "body",
    "Interactive": "body",
    "Expression": "body",
    "FunctionType": "argtypes returns",
    "FunctionDef": "name args body decorator_list returns type_params",
    "AsyncFunctionDef": "name args body decorator_list returns type_params",
    "ClassDef": "name bases keywords body decorator_list type_params",
    "Return": "value",
    "Delete": "targets",
    "Assign": "targets value",
    "TypeAlias": "name type_params value",
    "AugAssign": "target op value",
    "AnnAssign": "target annotation value",
    "For": "target iter body orelse",
    "AsyncFor": "target iter body orelse",
    "While": "test body orelse",
    "If": "test body orelse",
    "With": "items body",
    "AsyncWith": "items body",
    "Match": "subject cases",
    "Raise": "exc cause",
    "Try": "body handlers orelse finalbody",
    "TryStar": "body handlers orelse finalbody",
    "Assert": "test msg",
    "Import": "names",
    "ImportFrom": "module names level",
    "Global": "names",
    "Nonlocal": "names",
    "Expr": "value",
    "Pass": "",
    "Break": "",
    "Continue": "",
    "BoolOp": "op values",
    "NamedExpr": "target value",
    "BinOp": "left op right",
    "UnaryOp": "op operand",
    "Lambda": "args body",
    "IfExp": "test body orelse",
    "Dict": "keys values",
    "Set": "elts",
    "ListComp": "elt generators",
    "SetComp": "elt generators",
    "DictComp": "key value generators",
    "GeneratorExp": "elt generators",
    "Await": "value",
    "Yield": "value",
    "YieldFrom": "value",
    "Compare": "left ops comparators",
    "Call": "func args keywords",
    "FormattedValue": "value conversion format_spec",
    "Interpolation": "value str conversion format_spec",
    "JoinedStr": "values",
    "TemplateStr": "values",
    "Constant": "value",
    "Attribute": "value attr",
    "Subscript": "value slice",
    "Starred": "value",
    "Name": "id",
    "List": "elts",
    "Tuple": "elts",
    "Slice": "lower upper step",
    "comprehension": "target iter ifs is_async",
    "ExceptHandler": "type name body",
    "arguments": "posonlyargs args vararg kwonlyargs kw_defaults kwarg defaults",
    "arg": "arg annotation",
    "keyword": "arg value",
    "alias": "name asname",
    "withitem": "context_expr optional_vars",
    "match_case": "pattern guard body",
    "MatchValue": "value",
    "MatchSingleton": "value",
    "MatchSequence": "patterns",
    "MatchMapping": "keys patterns rest",
    "MatchClass": "cls patterns kwd_attrs kwd_patterns",
    "MatchStar": "name",
    "MatchAs": "pattern name",
    "MatchOr": "patterns",
    "TypeVar": "name bound default_value",
    "ParamSpec": "name default_value",
    "TypeVarTuple": "name default_value",
}
_OPERATORS: Final = """
    And Or Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv
    Invert Not UAdd USub Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn
"""
# Fields without a meaning of their own: how a name is used follows from where it stands, `u''` is
# `''`, `simple` tells brackets, the rest is comments.
_LEFT_OUT: Final = frozenset({"ctx", "kind", "simple", "type_comment", "type_ignores"})
_ROWS: Final = {
    kind: tuple((chr(ord("a") + i), field) for i, field in enumerate(fields.split()))
    for kind, fields in (_FIELDS | dict.fromkeys(_OPERATORS.split(), "")).items()
}
_DOCUMENTED: Final = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def covers(kind: type[ast.AST]) -> bool:
    """Whether the table has a row for this class of nodes."""
    return kind.__name__ in _ROWS


def unknown_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """Fields of a class of nodes that the table doesn't know, as a newer Python may add some."""
    known = {field for _, field in _ROWS.get(kind.__name__, ())} | _LEFT_OUT
    return tuple(field for field in kind._fields if field not in known)


_NOVEL: Final = {
    kind.__name__: fields
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and kind.__name__ in _ROWS
    if (fields := unknown_fields(kind))
}
# Kinds that a rule of their own is for; all others are written field by field.
_SPECIAL: Final = frozenset(
    {"JoinedStr", "Constant", "Delete", "AnnAssign", "Set", "Global", "Nonlocal"}
    | {"FormattedValue", "Interpolation"}
)
type _Form = Callable[[Any], str]


def encode(node: ast.AST, *, named: bool = True) -> bytes:
    """The normal form of `node`; without its own name where `named` is false.

    Raises `DefinitionError` for a kind of node, or a part of one, that this version of Pivot
    doesn't know.
    """
    skip = "" if named else "name"
    try:
        form = (_FORMS if named else _UNNAMED)[type(node)](node)
    except RecursionError:
        form = _flat_form(node, skip=skip)
    return form.encode("utf-8", "surrogatepass")


def _flat_form(node: ast.AST, *, skip: str) -> str:
    """The same in twice the time, for long `a + b + c ...` chains, which are too deep a tree."""
    out: list[str] = []
    stack = _expand(node, skip=skip)[::-1]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            out.append(item)
        else:
            stack += reversed(_expand(item))
    return "".join(out)


def _form(part: str | ast.AST) -> str:
    return part if isinstance(part, str) else _FORMS[type(part)](part)


def _special_form(skip: str) -> _Form:
    """What writes nodes that a rule of their own is for; `skip` is a field to leave out."""
    return lambda node: "".join(map(_form, _expand(node, skip=skip)))


def _plain_form(kind: type[ast.AST], skip: str) -> _Form:
    """What writes nodes of a kind that no rule is for, which most nodes are of."""
    opening = f"({kind.__name__}"
    fields = set(kind._fields) - {skip}
    row = [(index, field) for index, field in _ROWS[kind.__name__] if field in fields]
    if not row:
        whole = f"{opening})"
        return lambda _: whole

    def form(node: ast.AST) -> str:
        text = opening
        for index, field in row:
            value: Any = getattr(node, field, None)
            if type(value) is list:
                if field == "body":
                    value = _statements(node, value)
                if value:
                    text += f"{index}[{''.join([_FORMS[type(one)](one) for one in value])}]"
            elif value is not None:
                text += index + _FORMS[type(value)](value)
        return text + ")"

    return form


def _expand(node: ast.AST, *, skip: str = "") -> list[str | ast.AST]:
    """A node's opening, its fields that say something in table order, its end."""
    if isinstance(node, ast.JoinedStr):
        node = _joined(node)
    if isinstance(node, ast.Constant):
        return [_constant(node.value)]
    parts: list[str | ast.AST] = ["(" + type(node).__name__]
    for index, field in _row(node):
        value = _value(node, field)
        if value is None or value == [] or field == skip:
            continue
        parts.append(index)
        if isinstance(node, ast.AnnAssign) and field == "target" and _is_bracketed(node):
            parts.append("!")
        if isinstance(value, list):
            parts += _list(node, value)
        else:
            parts.append(_leaf(value))
    parts.append(")")
    return parts


def _leaf(value: Any) -> str | ast.AST:
    """The form of what has nothing below it; a node that may have is given back."""
    return value if isinstance(value, ast.AST) else _scalar(value)


def _row(node: ast.AST) -> tuple[tuple[str, str], ...]:
    """The table's row for a node: index and name of each field."""
    kind = type(node).__name__
    row = _ROWS.get(kind)
    if row is None:
        raise _unknown(kind)
    for field in _NOVEL.get(kind, ()):
        if getattr(node, field, None):
            raise _unknown(f"{kind}.{field}")
    return row


def _value(node: ast.AST, field: str) -> object:
    """What a field says; None where that is nothing."""
    value = getattr(node, field, None)
    if field == "body" and isinstance(value, list):
        return _statements(node, value)
    if field == "targets" and isinstance(node, ast.Delete):
        return _flat(node.targets)
    if field == "format_spec" and isinstance(value, ast.JoinedStr) and not value.values:
        return None  # `f"{x:}"` formats as `f"{x}"` does
    return value


def _unknown(what: str) -> DefinitionError:
    return DefinitionError(
        f"syntax of kind {what} can't be fingerprinted",
        why="this version of Pivot doesn't know it",
        hint="`pip install --upgrade pivot`",
    )


def _list(node: ast.AST, values: list[object]) -> list[str | ast.AST]:
    """The values of a list field; in a fixed order where their order has no meaning."""
    if isinstance(node, ast.Global | ast.Nonlocal):
        values = sorted(values, key=str)
    parts: list[str | ast.AST] = [*map(_leaf, values)]
    if isinstance(node, ast.Set):
        # Sets of text have another order in each process, so none can be meant. Numbers are kept
        # as they stand: `{8, 0}` and `{0, 8}` differ when they are looped over, `{1, True}` and
        # `{True, 1}` in what they hold.
        constants = [e.value for e in node.elts if isinstance(e, ast.Constant)]
        kinds = set(map(type, constants))
        if len(constants) == len(node.elts) and kinds in ({str}, {bytes}):
            parts = [*sorted(map(_constant, constants))]
    return ["[", *parts, "]"]


def _flat(targets: list[ast.expr]) -> list[ast.expr]:
    """What `del (a, b)` deletes: the same as `del a, b`, as formatters write it."""
    flat: list[ast.expr] = []
    stack = targets[::-1]
    while stack:
        target = stack.pop()
        if isinstance(target, ast.Tuple | ast.List):
            stack += target.elts[::-1]
        else:
            flat.append(target)
    return flat


def _is_bracketed(node: ast.AnnAssign) -> bool:
    """Whether this is `(x): int`, which annotates nothing: the one place where brackets count."""
    return isinstance(node.target, ast.Name) and not node.simple


def _joined(node: ast.JoinedStr) -> ast.expr:
    """`f"abc"` as the plain string that it is, and adjacent pieces of an f-string as one."""
    values: list[ast.expr] = []
    for value in node.values:
        last = values[-1] if values else None
        if isinstance(value, ast.Constant) and isinstance(last, ast.Constant):
            values[-1] = ast.Constant(str(last.value) + str(value.value))
        else:
            values.append(value)
    values = [v for v in values if not (isinstance(v, ast.Constant) and v.value == "")]
    if not values:
        return ast.Constant("")
    if len(values) == 1 and isinstance(values[0], ast.Constant):
        return values[0]
    return ast.JoinedStr(values)


def _statements(node: ast.AST, body: list[ast.stmt]) -> list[ast.stmt]:
    """A body without its docstring and without `pass`, so that both spellings of empty agree."""
    if isinstance(node, _DOCUMENTED) and body and is_text(body[0]):
        body = body[1:]
    return [statement for statement in body if not isinstance(statement, ast.Pass)]


def is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a lone string, as docstrings are."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _constant(value: object) -> str:
    """A literal with its type, so that `1`, `1.0`, `True` and `"1"` differ."""
    if isinstance(value, str):  # most are
        return f"(Kstr {len(value)}:{value})"
    match value:
        case bool() | None:
            text = str(value)
        case int():
            text = f"{value:x}"  # decimal text of huge integers is refused by Python
        case float():
            text = value.hex()
        case complex():
            text = f"{value.real.hex()} {value.imag.hex()}"
        case bytes():
            text = value.hex()
        case _:
            text = ""  # Ellipsis: its type says it all
    return f"(K{type(value).__name__} {len(text)}:{text})"


def _scalar(value: object) -> str:
    match value:
        case None:
            return "~"
        case str():
            return f"{len(value)}:{value}"
        case int():
            return f"#{int(value)};"
        case _:
            raise TypeError(f"no syntax tree holds {type(value).__name__}")


def _form_of(kind: type, skip: str) -> _Form:
    """What writes values of that class."""
    if not issubclass(kind, ast.AST):
        return _scalar
    is_plain = covers(kind) and kind.__name__ not in _SPECIAL | _NOVEL.keys()
    return _plain_form(kind, skip) if is_plain else _special_form(skip)


def _constant_form(node: ast.Constant) -> str:
    return _constant(node.value)


class _Forms(dict[type, _Form]):
    """What writes a value, by its class; worked out when one is first met."""

    def __init__(self, known: Mapping[type, _Form] | None = None, *, skip: str = "") -> None:
        super().__init__(known or {})
        self._skip = skip

    def __missing__(self, kind: type) -> _Form:
        form = self[kind] = _form_of(kind, self._skip)
        return form


_UNNAMED: Final = _Forms(skip="name")
_FORMS: Final = _Forms({str: lambda text: f"{len(text)}:{text}", ast.Constant: _constant_form})
if "Name" not in _NOVEL:  # the most frequent kind
    _FORMS[ast.Name] = lambda node: f"(Namea{len(node.id)}:{node.id})"
