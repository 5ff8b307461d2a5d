"""`@stage`: declare a function as a stage.

Imported by users' stage modules, so it is light and has no effect beyond the declaration: the
function stays what it was and can be called and tested as before.
"""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

from pivot.definition.declaration import Declaration, declare, location
from pivot.definition.extra import read_entry
from pivot.definition.function import check_function
from pivot.errors import DefinitionError
from pivot.outputs import Out

if TYPE_CHECKING:
    from pydantic import BaseModel

type PathLike = str | os.PathLike[str]
type Code = PathLike | Callable[..., object] | ModuleType


def stage[F: Callable[..., object]](
    deps: Sequence[PathLike] = (),
    outs: Sequence[PathLike | Out] = (),
    params: "type[BaseModel] | BaseModel | None" = None,
    mutex: Sequence[str] = (),
    name: str | None = None,
    cwd: PathLike | None = None,
    extra_code: Sequence[Code] = (),
    version: int | str | None = None,
) -> Callable[[F], F]:
    """Declare a function as a stage of the pipeline.

    Paths are relative to the project's root, where the pipeline file stands, or to `cwd`. The code
    that the stage uses needs no declaration.

    Args:
        deps: files and directories that the stage reads.
        outs: what it writes; a bare path means `Out(path)`.
        params: a Pydantic model, class or instance, passed to the function as `params` after the
            stage's section of `params.yaml` is applied.
        mutex: groups of which only one stage runs at a time; `*` means alone.
        name: the stage's name; the function's own by default.
        cwd: folder in which the stage runs and to which its paths are relative.
        extra_code: code that the stage uses without naming it, so that analysis can't find it: a
            function, class or module, or its name as text (`"package.module:name"`); a file or
            folder (`"sql/"`), or a pattern (`"sql/**/*.sql"`).
        version: changed by hand, it makes the stage run though nothing else changed: a whole
            number or text.

    Returns:
        A decorator that returns the function unchanged.

    Raises:
        DefinitionError: an argument has the wrong type, or the function can't be run in another
            process (a lambda, a nested function, one of `__main__`).

    Example:
        >>> @stage(deps=["data.csv"], outs=["clean.csv"])
        ... def clean(): ...
    """
    if callable(deps):
        raise _without_parentheses(deps)

    def register(function: F) -> F:
        label = _text(name, function)
        checked = check_function(function, label, takes_params=params is not None)
        stage_name = label or checked.__name__
        declare(
            Declaration(
                name=stage_name,
                function=function,
                deps=tuple(_path(d, "deps", stage_name) for d in _items(deps, "deps", stage_name)),
                outs=tuple(_out(out, stage_name) for out in _items(outs, "outs", stage_name)),
                params=_model(params, stage_name),
                mutex=_groups(mutex, stage_name),
                cwd=None if cwd is None else _path(cwd, "cwd", stage_name),
                location=location(function),
                extra_code=_extra(extra_code, stage_name),
                computed=frozenset(_computed([*deps, *outs, cwd, *extra_code])),
                version=_version(version, stage_name),
            )
        )
        return function

    return register


def _without_parentheses(function: object) -> DefinitionError:
    return DefinitionError(
        f"stage {getattr(function, '__name__', '')!r} can't be defined",
        why="@stage needs parentheses",
        hint="Write `@stage()` above the function",
    )


def _wrong(stage: str, argument: str, why: str, hint: str) -> DefinitionError:
    return DefinitionError(f"stage {stage!r}: {argument} can't be used", why=why, hint=hint)


def _text(name: object, function: object) -> str | None:
    if name is None or (isinstance(name, str) and name):
        return name
    label = getattr(function, "__name__", "")
    raise _wrong(label, "name", f"{name!r} is no name", "Give `name` as text, or leave it out")


def _items(value: object, argument: str, stage: str) -> Sequence[object]:
    """A sequence, refused where one item was given instead (a text is a sequence of letters)."""
    if isinstance(value, (str, bytes, Out, os.PathLike)):
        hint = f"Put it into a list: `{argument}=[{value!r}]`"
        raise _wrong(stage, argument, "it is one item, not a list of them", hint)
    if not isinstance(value, Sequence):
        why = f"it is of type {type(value).__name__}, whose order may differ in another process"
        raise _wrong(stage, argument, why, f"Give a list: `{argument}=[...]`")
    return value


def _path(value: object, argument: str, stage: str) -> str:
    if isinstance(value, (str, os.PathLike)):
        text = os.fspath(value)
        if isinstance(text, str):
            return text
    why = f"{value!r} is of type {type(value).__name__}, not a path"
    hint = f"Give `{argument}` as text or `pathlib.Path`"
    if isinstance(value, Out):
        why, hint = f"{value!r} is an output", "Give the path alone"
    raise _wrong(stage, argument, why, hint)


def _out(value: object, stage: str) -> Out:
    if not isinstance(value, Out):
        return Out(_path(value, "outs", stage))
    return replace(value, path=_path(value.path, "outs", stage))


def _computed(values: Iterable[object]) -> list[str]:
    paths = (value.path if isinstance(value, Out) else value for value in values)
    return [os.fspath(p) for p in paths if isinstance(p, os.PathLike)]


def _groups(values: object, stage: str) -> tuple[str, ...]:
    groups: set[str] = set()
    for value in _items(values, "mutex", stage):
        if not (isinstance(value, str) and value.strip()):
            hint = 'Name groups by text: `["gpu"]`'
            raise _wrong(stage, "mutex", f"{value!r} is no group name", hint)
        groups.add(value)
    return tuple(sorted(groups))


def _extra(value: object, stage: str) -> tuple[str, ...]:
    def refuse(why: str, hint: str) -> DefinitionError:
        return _wrong(stage, "extra_code", why, hint)

    if isinstance(value, ModuleType) or callable(value):
        raise refuse("it is one item, not a list of them", "Put it into a list")
    return tuple(read_entry(item, refuse) for item in _items(value, "extra_code", stage))


def _version(value: object, stage: str) -> int | str | None:
    if value is None or (isinstance(value, int | str) and not isinstance(value, bool)):
        return value
    why = f"{value!r} is neither a whole number nor text"
    raise _wrong(stage, "version", why, "Count it up by hand: `version=2`")


def _model(params: object, stage: str) -> object:
    """`params` if it is a Pydantic model; the class exists only once pydantic was imported."""
    pydantic = sys.modules.get("pydantic")
    if params is None:
        return None
    if pydantic is not None:
        kind = params if isinstance(params, type) else type(params)
        if issubclass(kind, pydantic.BaseModel):
            return params
    raise _wrong(
        stage,
        "params",
        f"{params!r} is no Pydantic model",
        "Derive it from BaseModel: `class Params(pydantic.BaseModel)`",
    )
