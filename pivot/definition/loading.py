"""Loading user code, in a process of its own: to list the stages, and to call one of them.

As a program it reads a request (JSON) from standard input and writes the definitions, or
`{"error": {"message", "why", "hint"}}`, to standard output; what user code prints goes to
standard error. It is the loader's own boundary to user code: whatever that raises is reported.
"""

import contextlib
import gc
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from pivot.definition.declaration import Declaration
from pivot.definition.definitions import Definitions, encode
from pivot.definition.discovery import Source
from pivot.definition.importing import Bytecode, base_of, import_source, prefer_own
from pivot.definition.lookups import source_roots
from pivot.definition.ownership import Ownership, ownership
from pivot.definition.recording import Recorder
from pivot.definition.resolving import effective_params, params_file, resolve, symbol_of
from pivot.definition.trouble import describe
from pivot.errors import DefinitionError
from pivot.hashing import Json
from pivot.paths import RepoPath, StageName


def prepare_call(
    project: str,
    source: str,
    stage: StageName,
    symbol: str,
    roots: Sequence[str],
    expected_params: Mapping[str, Json] | None,
    ahead: Mapping[str, Bytecode] | None = None,
) -> Callable[[], object]:
    """Import a stage's source and give its function with its parameters bound.

    It changes this process for good: `roots` come first on `sys.path`, and own modules are loaded
    as `FreshLoader` does. The working directory is the source's folder while it is imported, and
    what it was before afterwards.

    Args:
        project: absolute path of the project root.
        source: a pipeline file below it, or `module:pkg.stages`.
        stage: the stage to call.
        symbol: the function that the plan reckoned with, `package.module:qualname`.
        roots: absolute folders that own modules are imported from, in order.
        expected_params: the parameters that the plan reckoned with; None for a stage without.
        ahead: bytecode of own modules that was read already, see `FreshLoader`.

    Raises:
        DefinitionError: the stage isn't there any more, or its function or parameters are others
            now. What the user's code raises while it is imported is passed on as it is.
    """
    project = os.path.realpath(project)
    origin = Source(source)
    prefer_own(ownership(), [os.path.realpath(root) for root in roots], ahead)
    declaration = _declared(import_source(project, origin, ahead), stage, origin)
    if symbol_of(declaration.function) != symbol:
        raise _changed(stage, "function")
    params = effective_params(declaration, params_file(project, origin), {})
    if (None if params is None else params.values) != expected_params:
        raise _changed(stage, "parameters")
    function = declaration.function
    if params is None:
        return function
    model = params.model
    return lambda: function(params=model)


def _changed(stage: StageName, what: str) -> DefinitionError:
    return DefinitionError(
        f"the {what} of stage {stage!r} changed since the run was planned",
        hint="Run it again with `pivot repro`",
    )


def _declared(found: Sequence[Declaration], stage: StageName, source: Source) -> Declaration:
    for declaration in found:
        if declaration.name == stage:
            return declaration
    raise DefinitionError(
        f"stage {stage!r} is gone",
        why=f"{source} doesn't declare it any more",
        hint="See what is declared with `pivot list`",
    )


def load(project: str, sources: Sequence[Source]) -> Definitions:
    """Load the sources into this process, with evidence of what they looked at.

    Raises what the user's code raises, and `DefinitionError`.
    """
    project = os.path.realpath(project)
    own = ownership()
    folders = [os.path.normpath(os.path.join(project, base_of(source))) for source in sources]
    prefer_own(own, list(dict.fromkeys([*folders, project])))
    recorder = Recorder(project, own)
    recorder.start()
    loaded = [(source, import_source(project, source)) for source in sources]
    gc.disable()  # this process ends soon, and has made much that stays until then
    resolution = resolve(project, loaded)  # makes parameters, by defaults and validators of users
    recorder.stop()
    for path in resolution.overrides:
        recorder.read(path)
    return Definitions(
        sources=tuple(sources),
        stages=tuple(resolution.stages[name] for name in sorted(resolution.stages)),
        roots=_roots_within(project, own),
        evidence=recorder.evidence(),
        warnings=tuple(resolution.warnings),
    )


def _roots_within(project: str, own: Ownership) -> tuple[RepoPath, ...]:
    relative = (os.path.relpath(root, project) for root in source_roots(own))
    return tuple(RepoPath(path) for path in relative if not path.startswith(".."))


class _Report:
    """Writes the one result of this process, whatever ends the block; then ends the process.

    `fd` is where the result goes. Threads and exit handlers that user code left are not awaited.
    """

    def __init__(self, fd: int, project: str) -> None:
        self._fd = fd
        self._project = project
        self.result = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            trouble = describe(error, self._project)
            self.result = json.dumps({"error": trouble}).encode()
        with open(self._fd, "wb", closefd=False) as f:
            f.write(self.result)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(0)


def main() -> None:
    """Answer one request; never returns."""
    request = json.loads(sys.stdin.buffer.read())
    fd = os.dup(1)
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    project = os.path.realpath(request["project"])
    with _Report(fd, project) as report:
        report.result = encode(load(project, tuple(map(Source, request["sources"]))))


if __name__ == "__main__":
    main()
