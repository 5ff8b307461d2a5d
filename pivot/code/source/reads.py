"""Which files code reads or looks for, as far as their paths are written in it.

A path is followed through `pathlib`, `os.path`, `/`, f-strings, `importlib.resources` and names
that are bound to paths. What only names a file reads nothing: outs and deps are named like that.
"""

import ast
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final

from pivot.code.source.scopes import Origin, Place
from pivot.code.source.statements import own_nodes
from pivot.code.source.uses import Reference
from pivot.code.source.writes import WRITING, named_by, writes

PROGRAM: Final = "what a program that is run by its file imports"
"""What is said of such a program, of which only the file itself is known."""

UP: Final = ".."
"""A step to the parent of what comes before it."""

SUFFIX: Final = "/"
"""What a step begins with that gives what comes before it another suffix: `/.json`."""

# Calls that give the path which they are given, or one that starts from it.
_SAME: Final = frozenset(
    {"Path", "PurePath", "PosixPath", "PurePosixPath", "fspath", "str", "fsdecode"}
    | {"resolve", "absolute", "expanduser", "abspath", "realpath", "normpath", "as_posix"}
    | {"joinpath", "join", "sorted", "list", "enumerate", "as_file"}
)
_LISTING: Final = frozenset({"glob", "rglob", "iterdir", "listdir", "scandir", "walk"})
_ASKING: Final = frozenset({"exists", "is_file", "isfile", "is_dir", "isdir", "stat", "getsize"})
_READING: Final = re.compile(
    "(?:.*_)?(?:open|read|load|parse|get_data|run_path|fileConfig|fromfile|genfromtxt)(?:_.*)?"
    "|(?:from|read|load|open|parse)_?.+|.+[a-z](?:Config|Data)?Reader"
)
_RESOURCES: Final = frozenset(
    {"read_text", "read_binary", "open_text", "open_binary", "get_data", "path", "is_resource"}
)
_RUNNING: Final = frozenset(
    {"run", "call", "check_call", "check_output", "Popen", "system", "popen", "getoutput"}
    | {"create_subprocess_exec", "create_subprocess_shell"}
    | {"run_path", "spec_from_file_location", "SourceFileLoader"}
)
_MODULES: Final = frozenset(
    {"os", "path", "pathlib", "resources", "glob", "pkgutil", "builtins", "codecs"}
)
_BINDING: Final = frozenset({ast.comprehension, ast.For, ast.Assign, ast.NamedExpr})
_SPECIAL: Final = _LISTING | _ASKING | _RESOURCES | _RUNNING
_PROGRAM: Final = re.compile(r".+\.(?:py|sh|bash|R|r|jl|pl|js)")
_PROGRAM_TEXT: Final = re.compile(rb"\.(?:py|sh|bash|R|r|jl|pl|js)[\"'\s]")
_MODES: Final = frozenset({"r", "rb", "rt", "r+", "rb+", "r+b", "b", "t"})
_FILE_NAME: Final = re.compile(r"[^\s:*?\"'<>|{}%]+")
_MAX_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path as code writes it.

    Attributes:
        steps: from its start: names to go down to, and `UP`. The last may be a pattern, as in
            `*.sql`.
        start: what it starts from: a name that is bound to a path, or for a package's resources
            the package. None for the file of the module itself where `is_own`, and else for the
            working directory.
        is_own: it starts from the module's `__file__`.
    """

    steps: tuple[str, ...]
    start: Reference | None = None
    is_own: bool = False

    def then(self, *steps: str) -> "FilePath":
        """The path that goes on from this one."""
        return FilePath((*self.steps, *steps), self.start, self.is_own)


@dataclass(frozen=True, slots=True)
class Read:
    """A file that is read, or looked for.

    Attributes:
        names_only: what is read of a folder are the names in it, and not its files.
        is_program: the file is run; what it imports itself isn't followed.
    """

    path: FilePath
    line: int
    names_only: bool = False
    is_program: bool = False


def names_programs(source: bytes) -> bool:
    """A quick look at whether a source may name the file of a program."""
    return _PROGRAM_TEXT.search(source) is not None


def may_read(called: Collection[str]) -> bool:
    """Whether calls of these names may read or run a file."""
    return not _SPECIAL.isdisjoint(called) or any(map(_is_reading, called))


def reads_by_name(called: Iterable[str]) -> bool:
    """Whether a call of one of these names may read a file, whichever."""
    return any(map(_is_reading, called))


@lru_cache(maxsize=4096)
def _is_reading(name: str) -> bool:
    return _READING.fullmatch(name) is not None


def may_open(nodes: Iterable[ast.AST]) -> bool:
    """Whether a call among `nodes` may read a file, whichever."""
    calls = (node for node in nodes if isinstance(node, ast.Call))
    return any(_is_reading(_last_name(call.func)) for call in calls)


def find_reads(
    nodes: Sequence[ast.AST], place: Place, *, names_programs: bool = True
) -> tuple[Read, ...]:
    """What `nodes` read when they run, without the functions that they define or call.

    `names_programs`: whether the source may name the file of a program.
    """
    finder = _Finder(place)
    every = own_nodes(nodes)
    for node in every:
        if type(node) in _BINDING:
            finder.bind(node)
    for node in every:
        if isinstance(node, ast.Call) and (names_programs or may_read([_last_name(node.func)])):
            finder.call(node)
    if any(read.names_only for read in finder.found) and may_open(every):
        finder.open_listed()
    return tuple(finder.found)


def bound_path(node: ast.stmt, name: str, place: Place) -> FilePath | None:
    """The path that an assignment binds `name` to; None if it binds something else."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=target)], value=value)
            | ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value)
        ) if target == name:
            return _Finder(place).path(value)
    return None


def path_of(node: ast.AST, place: Place) -> FilePath | None:
    """The path that an expression gives; None if it is none, or can't be told."""
    return _Finder(place).path(node)


@dataclass(slots=True)
class _Finder:
    place: Place
    found: dict[Read, None] = field(default_factory=dict)
    _local: dict[str, FilePath] = field(default_factory=dict)
    _written: set[int] = field(default_factory=set)

    def bind(self, node: ast.AST) -> None:
        """Note a name that a loop or an assignment binds to a path."""
        match node:
            case (
                ast.comprehension(target=ast.Name(id=name), iter=value)
                | ast.For(target=ast.Name(id=name), iter=value)
                | ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ):
                path = self.path(value)
                if path is not None:
                    self._local[name] = path

    def call(self, node: ast.Call) -> None:
        """Note what a call reads."""
        func = node.func
        name = _last_name(func)
        is_reading = name in _ASKING or _is_reading(name)
        if is_reading or name in WRITING:
            self._note_written(node, name)
        if id(node) in self._written:
            return
        if name in _LISTING:
            path = self.path(node)
            if path is not None:
                self._note(path, node, names_only=True)
            return
        if name in _RESOURCES and (path := self._resource(node)) is not None:
            self._note(path, node)
        self._programs(node, is_running=name in _RUNNING)
        if not is_reading:
            return
        if isinstance(func, ast.Attribute) and (path := self.path(func.value)) is not None:
            self._note(path, node)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            path = self.path(argument)
            if path is not None:
                self._note(path, node)

    def _note_written(self, node: ast.Call, name: str) -> None:
        """Note a call that writes a file, and those in it that only name this file."""
        if writes(node, name, is_method=self._is_path_method(node.func)):
            self._written.add(id(node))
            self._written.update(id(part) for part in named_by(node) if self.path(part) is not None)

    def open_listed(self) -> None:
        """Note all files of folders that are listed: what opens files mostly opens these."""
        for read in [read for read in self.found if read.names_only]:
            path = read.path
            if path.steps[-1:] == ("*",):
                path = FilePath((*path.steps[:-1], "**", "*"), path.start, path.is_own)
            self.found[Read(path, read.line)] = None

    def _programs(self, node: ast.Call, *, is_running: bool) -> None:
        """Note files of programs among the arguments of a call, which may run them."""
        operands: list[ast.expr] = []
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            match argument:
                case ast.List(elts=elements) | ast.Tuple(elts=elements):
                    operands += elements
                case ast.Constant(value=str(text)) if is_running:
                    operands += map(ast.Constant, text.split())
                case _:
                    operands.append(argument)
        for flag, operand in pairwise(operands):
            name = getattr(operand, "value", None)
            if is_running and getattr(flag, "value", None) == "-m" and is_module(name):
                named = FilePath((), Reference((), 0, Origin(str(name))))
                self.found[Read(named, node.lineno, is_program=True)] = None
        for operand in operands:
            if is_running or _may_name_program(operand):
                path = self.path(operand)
                if path is not None and (path.start is not None or is_program(path.steps)):
                    self.found[Read(path, node.lineno, is_program=True)] = None

    def _is_path_method(self, func: ast.expr) -> bool:
        return isinstance(func, ast.Attribute) and self.path(func.value) is not None

    def _note(self, path: FilePath, node: ast.Call, *, names_only: bool = False) -> None:
        if path.steps or path.start is not None:
            self.found[Read(path, node.lineno, names_only)] = None

    def path(self, node: ast.AST) -> FilePath | None:
        """The path that an expression gives; None if it is none, or can't be told."""
        match node:
            case ast.Constant(value=str(text)):
                return _literal(text)
            case ast.Name(id="__file__"):
                return FilePath((), is_own=True)
            case ast.Name(id=name):
                known = self._local.get(name)
                return known or FilePath((), Reference((name,), 0))
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript(
                value=ast.Attribute(value=of, attr="parents"), slice=ast.Constant(value=int(up))
            ):
                return self._on(of, *[UP] * (up + 1))
            case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=str(text))):
                return self._on(left, *_steps(text))
            case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=str(text))):
                return self._on(left, *_steps(text)) if text.startswith("/") else None
            case ast.JoinedStr(
                values=[ast.FormattedValue(value=first), ast.Constant(value=str(text))]
            ):
                return self._on(first, *_steps(text)) if text.startswith("/") else None
            case ast.Call():
                return self._call(node)
        return None

    def _on(self, start: ast.AST, *steps: str) -> FilePath | None:
        path = self.path(start)
        return None if path is None else path.then(*steps)

    def _attribute(self, node: ast.Attribute) -> FilePath | None:
        if node.attr == "parent":
            return self._on(node.value, UP)
        names = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            names.append(value.attr)
            value = value.value
        if not isinstance(value, ast.Name) or value.id in self._local:
            return None
        return FilePath((), Reference((value.id, *reversed(names)), 0))

    def _call(self, node: ast.Call) -> FilePath | None:
        """The path that a call gives, of those which compute paths only."""
        func = node.func
        name = _last_name(func)
        is_method = isinstance(func, ast.Attribute) and not _is_module(func.value)
        operands: list[ast.AST] = [*node.args]
        if is_method and isinstance(func, ast.Attribute):
            operands.insert(0, func.value)
        if not operands:
            return None
        first, *rest = operands
        if name == "files":
            return self._files(first if not is_method else rest[0] if rest else first)
        texts = [n.value for n in rest if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        if name in _SAME and (len(texts) == len(rest) or name in ("sorted", "enumerate")):
            return self._on(first, *(step for text in texts for step in _steps(text)))
        if name == "dirname":
            return self._on(first, UP)
        if name == "with_name" and texts:
            return self._on(first, UP, *texts)
        if name == "with_suffix" and texts:
            return self._on(first, f"{SUFFIX}{texts[0]}")
        if name == "with_stem" and texts:
            return self._on(first, UP, f"{texts[0]}.*")
        if name in ("glob", "rglob") and texts and is_method:
            return self._on(first, *(("**",) if name == "rglob" else ()), *_steps(texts[0]))
        if name in _LISTING:
            return self._on(first, "*") if name != "glob" else self.path(first)
        return None

    def _files(self, of: ast.AST) -> FilePath | None:
        """The folder of a package that is given by its name, or as a module."""
        package = self._package(of)
        if package is not None:
            return FilePath((), Reference((), 0, Origin(package)))
        return FilePath((), Reference((of.id,), 0)) if isinstance(of, ast.Name) else None

    def _resource(self, node: ast.Call) -> FilePath | None:
        """The path of `read_text("package", "name")` and its like."""
        texts = [a.value for a in node.args[1:] if isinstance(a, ast.Constant)]
        package = self._package(node.args[0]) if len(node.args) > 1 else None
        if package is None or not all(isinstance(text, str) for text in texts):
            return None
        steps = (step for text in texts for step in _steps(str(text)))
        return FilePath(tuple(steps), Reference((), 0, Origin(package)))

    def _package(self, node: ast.AST) -> str | None:
        match node:
            case ast.Constant(value=str(name)) if name:
                return name
            case ast.Name(id="__package__"):
                return self.place.package or None
            case ast.Name(id="__name__"):
                return self.place.module
        return None


def is_program(steps: Sequence[str]) -> bool:
    """Whether a path ends as those of programs do."""
    return bool(steps) and _PROGRAM.fullmatch(steps[-1]) is not None


def is_module(name: object) -> bool:
    """Whether this may be the name of a module."""
    return isinstance(name, str) and all(part.isidentifier() for part in name.split("."))


def _may_name_program(node: ast.expr) -> bool:
    """A quick look at whether an expression ends with such a name."""
    match node:
        case ast.Constant(value=text) | ast.BinOp(right=ast.Constant(value=text)):
            return isinstance(text, str) and is_program([text])
        case ast.Call(func=ast.Attribute() | ast.Name(), args=[*_, last]):
            return _may_name_program(last)
    return False


def _last_name(node: ast.expr) -> str:
    """`load` of `json.load`; empty for what is no name."""
    name: str = getattr(node, "attr", getattr(node, "id", ""))
    return name


def _is_module(node: ast.expr) -> bool:
    """Whether functions of this are called with their path as an argument: `os.path.join`."""
    return _last_name(node) in _MODULES


def _literal(text: str) -> FilePath | None:
    if len(text) > _MAX_LENGTH or not _FILE_NAME.fullmatch(text.replace("*", "")):
        return None
    is_path = not text.startswith(("/", "~")) and text not in _MODES
    return FilePath(_steps(text)) if is_path else None


def _steps(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("/") if part not in ("", "."))
