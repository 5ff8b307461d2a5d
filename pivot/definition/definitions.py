"""The stages of a project with the evidence for them: a value that is cached as JSON."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pivot.definition.discovery import Source
from pivot.definition.evidence import Evidence
from pivot.definition.stage import Stage
from pivot.errors import DefinitionError
from pivot.files import temporary_name
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName

_OUTPUT_LIMIT = 64 * 1024
_FORMAT = 5

# `-P` and the clean `__main__` keep the project's files from standing in for Pivot's own imports.
_BOOTSTRAP = """\
import sys
sys.path.insert(0, sys.argv.pop())
from pivot.definition.loading import main
del sys.path[0]
main()
"""


@dataclass(frozen=True, slots=True)
class Definitions:
    """What loading a project's sources gave.

    Attributes:
        sources: what was loaded, in order.
        stages: sorted by name.
        roots: the entries of `sys.path` within the project, in order, those of editable
            installs included: where the project's modules are found.
        evidence: what the stages depend on beside the sources' names.
        warnings: sentences for the user.
        output: what user code printed while it was loaded, bounded.
    """

    sources: tuple[Source, ...]
    stages: tuple[Stage, ...]
    roots: tuple[RepoPath, ...]
    evidence: Evidence
    warnings: tuple[str, ...] = ()
    output: str = ""


def encode(definitions: Definitions) -> bytes:
    """Compact JSON, for a cache that this machine alone reads."""
    value = {
        "format": _FORMAT,
        "sources": definitions.sources,
        "stages": [_stage_json(stage) for stage in definitions.stages],
        "roots": definitions.roots,
        "evidence": definitions.evidence.to_json(),
        "warnings": definitions.warnings,
        "output": definitions.output,
    }
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def decode(data: bytes) -> Definitions:
    """The inverse of `encode`; raises `ValueError` for anything else.

    Paths and names were checked before they were encoded and are not checked again.
    """
    try:
        value = json.loads(data)
        if value["format"] != _FORMAT:
            raise ValueError("definitions were written by another version of Pivot")
        return Definitions(
            sources=tuple(map(Source, value["sources"])),
            stages=tuple(_stage_of(stage) for stage in value["stages"]),
            roots=tuple(map(_path, value["roots"])),
            evidence=Evidence.from_json(value["evidence"]),
            warnings=tuple(value["warnings"]),
            output=value["output"],
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not the definitions of a project: {error!r}") from error


def _stage_json(stage: Stage) -> list[object]:
    return [
        stage.name,
        stage.symbol,
        stage.source,
        stage.file,
        stage.line,
        stage.deps,
        [[out.path, out.kind] for out in stage.outs],
        stage.params,
        stage.cwd,
        stage.mutex,
        stage.tags,
        stage.secrets,
        stage.extra,
        stage.version,
    ]


def _stage_of(value: list[Any]) -> Stage:
    name, symbol, source, file, line, deps, outs, params, cwd, mutex, tags, secrets = value[:12]
    return Stage(
        name=str.__new__(StageName, name),
        symbol=symbol,
        source=source,
        file=_path(file),
        line=line,
        deps=tuple(map(_path, deps)),
        outs=tuple(OutSpec(_path(path), OutKind(kind)) for path, kind in outs),
        params=params,
        cwd=_path(cwd),
        mutex=tuple(mutex),
        tags=tuple(tags),
        secrets=tuple(secrets),
        extra=tuple(value[12]),
        version=value[13],
    )


def _path(text: str) -> RepoPath:
    return str.__new__(RepoPath, text)


def load_definitions(
    project: str, sources: Sequence[Source], meanwhile: Callable[[], None] = lambda: None
) -> Definitions:
    """Load the sources in a fresh process: user code never runs in this one.

    Args:
        project: absolute path of the project root.
        sources: as `discover` gives them.
        meanwhile: done while that process loads them.

    Raises:
        DefinitionError: a source can't be loaded or declares something that can't be.
    """
    request = json.dumps({"project": project, "sources": sources}).encode()
    with _scratch() as stdin, _scratch() as stdout, _scratch() as stderr:
        os.write(stdin, request)
        os.lseek(stdin, 0, os.SEEK_SET)
        status = _run_child(stdin, stdout, stderr, meanwhile)
        result, output = _content(stdout), _content(stderr)
    return _answer(sources, status, result, output[-_OUTPUT_LIMIT:].decode(errors="replace"))


@contextlib.contextmanager
def _scratch() -> Iterator[int]:
    """A file without a name: unlike a pipe, a process left behind by user code can't hold it up."""
    path = temporary_name(os.path.join(os.environ.get("TMPDIR") or "/tmp", "load"))  # noqa: S108
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.unlink(path)
    except OSError as error:
        raise DefinitionError(
            "no temporary file can be written",
            why=f"{path}: {error.strerror}",
            hint="Set `TMPDIR` to a folder that can be written to",
        ) from error
    try:
        yield fd
    finally:
        os.close(fd)


def _content(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def _run_child(stdin: int, stdout: int, stderr: int, meanwhile: Callable[[], None]) -> int:
    """Run the loader with these as its standard streams; its exit code, negative for a signal."""
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-c", _BOOTSTRAP, home],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, fd, n) for n, fd in enumerate((stdin, stdout, stderr))],
    )
    try:
        meanwhile()
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _answer(sources: Sequence[Source], status: int, result: bytes, output: str) -> Definitions:
    """The child's result as a value, or the error that it reports."""
    try:
        value: Mapping[str, Any] = json.loads(result)
    except ValueError:
        raise _died(sources, status, output) from None
    if "error" in value:
        raise DefinitionError(**value["error"])
    definitions = decode(result)
    return Definitions(
        definitions.sources,
        definitions.stages,
        definitions.roots,
        definitions.evidence,
        definitions.warnings,
        output,
    )


def _died(sources: Sequence[Source], status: int, output: str) -> DefinitionError:
    how = f"with exit code {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
    last = output.strip().splitlines()[-5:]
    return DefinitionError(
        f"the process that loads {', '.join(sources)} ended {how}",
        why="\n".join(last) or "code at the top level of a module ended it",
        hint="Move what ends the process into a stage's function",
    )
