"""Turning what was written into stages: names and paths checked, parameters made effective."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from pivot.definition.declaration import Declaration, Function, origin
from pivot.definition.discovery import Source
from pivot.definition.extra import PATH, is_path
from pivot.definition.importing import base_of
from pivot.definition.stage import Stage
from pivot.errors import DefinitionError
from pivot.outputs import OutSpec
from pivot.paths import PathError, RepoPath, StageName

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pivot.params import Effective, Overrides


@dataclass(slots=True)
class Resolution:
    """The stages of all sources by name, and what came up on the way.

    `overrides` are the `params.yaml` files that were consulted, missing ones included, by
    absolute path; `warnings` are sentences for the user.
    """

    stages: dict[str, Stage] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    overrides: "dict[str, Overrides]" = field(default_factory=dict)


def resolve(project: str, loaded: Iterable[tuple[Source, Sequence[Declaration]]]) -> Resolution:
    """Check all declarations together.

    Args:
        project: absolute path of the project root, without links.
        loaded: each source with what it declared.

    Raises:
        DefinitionError: names are taken twice or malformed, paths can't be used, parameters don't
            fit their model.
    """
    result = Resolution()
    places: dict[str, Declaration] = {}
    for source, declarations in loaded:
        for declaration in declarations:
            _check_unique(declaration, places, project)
            stage = _stage(project, source, declaration, result)
            result.stages[stage.name] = stage
    return result


def params_file(project: str, source: Source) -> str:
    """The absolute path of the overrides for a source's stages: they lie beside it."""
    return os.path.join(project, base_of(source) / "params.yaml")


def effective_params(
    declaration: Declaration, path: str, known: "dict[str, Overrides]"
) -> "Effective | None":
    """A declaration's parameters under the overrides in the file at `path`; None without any.

    `known` keeps what was read, so that a file is read once.
    """
    if declaration.params is None:
        return None
    if path not in known:
        # pydantic and YAML cost more than the rest of loading together, and many need neither.
        from pivot.params import read_overrides  # noqa: PLC0415

        known[path] = read_overrides(path)
    params = cast("type[BaseModel] | BaseModel", declaration.params)
    return known[path].effective(declaration.name, params)


def _check_unique(declaration: Declaration, places: dict[str, Declaration], project: str) -> None:
    other = places.setdefault(declaration.name.casefold(), declaration)
    if other is declaration:
        return
    here, there = (_short(d.location, project) for d in (declaration, other))
    same = other.name == declaration.name
    raise DefinitionError(
        f"two stages are called {declaration.name!r}"
        if same
        else f"stages {other.name!r} and {declaration.name!r} differ by case alone",
        why=f"{there} and {here}" + ("" if same else "; their lock files would collide"),
        hint='Give one of them another name: `@stage(name="...")`',
    )


def _short(location: str, project: str) -> str:
    return location.removeprefix(project.rstrip("/") + "/")


def symbol_of(function: Function) -> str:
    """A stage's function as the fingerprint names it, `package.module:qualname`."""
    return f"{function.__module__}:{function.__qualname__}"


def _stage(project: str, source: Source, declaration: Declaration, result: Resolution) -> Stage:
    name, cwd, deps, outs = _checked(project, base_of(source), declaration)
    file, line = _file(declaration, project)
    params = effective_params(declaration, params_file(project, source), result.overrides)
    if params is not None:
        result.warnings += [
            f"params.yaml sets {key} for stage {name}, whose model has no such field."
            for key in params.unknown
        ]
    return Stage(
        name=name,
        symbol=symbol_of(declaration.function),
        source=source,
        file=file,
        line=line,
        deps=deps,
        outs=outs,
        params=None if params is None else params.values,
        cwd=cwd,
        mutex=declaration.mutex,
        secrets=() if params is None else params.secrets,
        extra=_extra(project, cwd, declaration),
        version=declaration.version,
    )


def _checked(
    project: str, base: RepoPath, declaration: Declaration
) -> tuple[StageName, RepoPath, tuple[RepoPath, ...], tuple[OutSpec, ...]]:
    """Name, working folder, dependencies and outputs, all checked; the last two sorted."""
    try:
        name = StageName(declaration.name)
        cwd = base
        if declaration.cwd is not None:
            cwd = _repo_path(declaration, declaration.cwd, base, project)
        deps = _unique(_repo_path(declaration, dep, cwd, project) for dep in declaration.deps)
        paths = _unique(_repo_path(declaration, o.path, cwd, project) for o in declaration.outs)
    except PathError as error:
        raise _at(declaration, project, str(error), error.hint) from error
    _check_overlap(declaration, project, [*deps, *paths])
    outs = map(OutSpec, paths, (out.kind for out in declaration.outs))
    return name, cwd, tuple(sorted(deps)), tuple(sorted(outs, key=lambda out: out.path))


def _extra(project: str, cwd: RepoPath, declaration: Declaration) -> tuple[str, ...]:
    """What `extra_code` names, sorted; its paths are relative to the project now."""
    found: set[str] = set()
    for entry in declaration.extra_code:
        if not is_path(entry):
            found.add(entry)
            continue
        try:
            path = _repo_path(declaration, entry.removeprefix(PATH), cwd, project)
        except PathError as error:
            raise _at(declaration, project, f"extra_code: {error}", error.hint) from error
        if path == RepoPath.ROOT:
            why = "extra_code can't be the whole project, whose outs are in it"
            raise _at(declaration, project, why, "Name the files or folders in it")
        found.add(PATH + path)
    return tuple(sorted(found))


def _at(declaration: Declaration, project: str, why: str, hint: str | None) -> DefinitionError:
    place = _short(declaration.location, project)
    return DefinitionError(
        f"stage {declaration.name!r} can't be defined",
        why=f"{why} ({place})",
        hint=hint or f"Correct {place}, then run `pivot list`",
    )


def _repo_path(declaration: Declaration, written: str, base: RepoPath, project: str) -> RepoPath:
    """A written path as one of the project's.

    A `pathlib.Path` may be absolute if it leads into the project: it was computed from
    `__file__`, so it means the same on another machine. A text that is absolute doesn't.
    """
    if "://" in written:
        raise PathError(
            f"path {written!r} can't be used",
            why="it is a URL, and stages read and write files",
            hint="Fetch it in a stage of its own and declare the file that it writes",
        )
    if written in declaration.computed and os.path.isabs(written):
        inside = os.path.relpath(os.path.realpath(written), project)
        return RepoPath.resolve(inside, base=RepoPath.ROOT)
    return RepoPath.resolve(written, base=base)


def _unique(paths: Iterable[RepoPath]) -> list[RepoPath]:
    """The paths in their order; raises `PathError` where one comes twice."""
    seen: list[RepoPath] = []
    for path in paths:
        if path in seen:
            raise PathError(f"path {str(path)!r} is written twice", hint="Remove one of them")
        if path == RepoPath.ROOT:
            raise PathError(
                "the whole project can't be a dependency or an output",
                hint="Name the files or folders in it",
            )
        seen.append(path)
    return seen


def _check_overlap(declaration: Declaration, project: str, paths: Sequence[RepoPath]) -> None:
    """Refuse a path that is both a dependency and an output."""
    both = sorted({path for path in paths if paths.count(path) > 1})
    if both:
        why = f"{both[0]} is a dependency and an output of it"
        hint = f'Remove it from `deps`, or write `IncrementalOut("{both[0]}")` to add to it'
        raise _at(declaration, project, why, hint)


def _file(declaration: Declaration, project: str) -> tuple[RepoPath, int]:
    """The file and the line of a stage's function; it must be the project's."""
    code = origin(declaration.function).__code__
    inside = os.path.relpath(os.path.realpath(code.co_filename), project)
    if inside.startswith("../"):
        raise _at(
            declaration,
            project,
            "the function is defined outside of the project",
            "Write a function in the project that calls it",
        )
    return RepoPath(inside), code.co_firstlineno
