"""Importing a project's own modules, as the loader and every stage's process do it.

Bytecode is trusted only if it was surely made from the present source. Python compares the
source's size and its time in whole seconds, so after two quick edits of equal size, or one that
sets the time back (as `rsync -t` and `cp -p` do), it would run the first one; Pivot would record
the result under the second one's fingerprint. When a file's status changed nobody can set.
"""

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import PathEntryFinder
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import cache_from_source, module_from_spec, spec_from_file_location
from types import CodeType, ModuleType

from pivot.definition.declaration import Declaration, collecting
from pivot.definition.discovery import Source
from pivot.definition.ownership import Ownership
from pivot.errors import DefinitionError
from pivot.files import Stat
from pivot.paths import RepoPath

# Python stores a source's time in seconds; one more covers file systems with coarse times.
_SETTLED_NS = 2_000_000_000
_AHEAD = "ahead"  # the name of a module doesn't matter to its code


@dataclass(frozen=True, slots=True)
class Bytecode:
    """What a source was compiled to, and the state that the source was in: it says if it still is.

    States differ after every edit, for it was made well after the last one.
    """

    state: Stat
    code: CodeType

    def is_of(self, path: str) -> bool:
        try:
            return self.state.is_that_of(os.stat(path))
        except OSError:
            return False


class FreshLoader(SourceFileLoader):
    """Loads a source, and its bytecode only where that was written well after the last edit."""

    def __init__(
        self, fullname: str, path: str, ahead: Mapping[str, Bytecode] | None = None
    ) -> None:
        """`ahead` is what was read before, by the absolute path of the source."""
        super().__init__(fullname, path)
        self._ahead = ahead or {}

    def get_code(self, fullname: str) -> CodeType | None:
        known = self._ahead.get(self.path)
        if known is not None and known.is_of(self.path):
            return known.code
        return super().get_code(fullname)

    def get_data(self, path: str) -> bytes:
        if path.endswith(".pyc") and not _settled(self.path, path):
            raise FileNotFoundError(path)  # the import system compiles the source then
        return super().get_data(path)


def _settled(source: str, bytecode: str) -> bool:
    try:
        state = os.stat(source)
        changed = max(state.st_mtime_ns, state.st_ctime_ns)
        return os.stat(bytecode).st_mtime_ns >= changed + _SETTLED_NS
    except OSError:
        return False


def read_ahead(paths: Iterable[str]) -> dict[str, Bytecode]:
    """The bytecode of sources (absolute paths) that has been written and can be trusted.

    Nothing is imported. What is left out is for whoever imports it.
    """
    found: dict[str, Bytecode] = {}
    for path in paths:
        with contextlib.suppress(OSError, SyntaxError, ValueError, EOFError):
            state = Stat.of(os.stat(path))
            if _settled(path, cache_from_source(path)):
                code = FreshLoader(_AHEAD, path).get_code(_AHEAD)
                if code is not None:
                    found[path] = Bytecode(state, code)
    return found


def base_of(source: Source) -> RepoPath:
    """The folder that a source's paths are relative to, and that is current while it loads."""
    return RepoPath.ROOT if source.module is not None else RepoPath(source).parent


def prefer_own(
    own: Ownership, roots: Sequence[str], ahead: Mapping[str, Bytecode] | None = None
) -> None:
    """Search `roots` first, and load own modules, wherever they lie, through `FreshLoader`.

    It holds for the rest of the process: functions import lazily when they run.
    """

    class Loader(FreshLoader):
        def __init__(self, fullname: str, path: str) -> None:
            super().__init__(fullname, path, ahead)

    finder = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (Loader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )

    def is_own(path: str) -> bool:
        return own.is_own(os.path.join(path, ""))

    def own_finder(path: str) -> PathEntryFinder:
        if not is_own(path):
            raise ImportError(f"{path} is not the project's")
        return finder(path)

    sys.path_hooks.insert(0, own_finder)
    for path in filter(is_own, list(sys.path_importer_cache)):
        del sys.path_importer_cache[path]
    sys.path[:] = [*roots, *(entry for entry in sys.path if entry not in roots)]


def import_source(
    project: str, source: Source, ahead: Mapping[str, Bytecode] | None = None
) -> list[Declaration]:
    """Import a source and give what it declared, in order.

    Raises `DefinitionError` where there is no such module; what the user's code raises is passed
    on as it is.
    """
    with (
        collecting() as declarations,
        contextlib.chdir(os.path.join(project, base_of(source))),
    ):
        if source.module is not None:
            _import_module(source.module)
        else:
            _import_file(os.path.join(project, source), ahead)
    return declarations


def _import_module(name: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name + ".").startswith(error.name + "."):
            raise DefinitionError(
                f"module {name} can't be found",
                why="[pipeline] module in .pivot/config.toml names it",
                hint="Correct it with `pivot config set pipeline.module NAME`",
            ) from error
        raise


def _import_file(path: str, ahead: Mapping[str, Bytecode] | None) -> ModuleType:
    """Import exactly this file; a package or an installed module of its name can't hide it."""
    name = os.path.basename(path).removesuffix(".py")
    spec = spec_from_file_location(name, path, loader=FreshLoader(name, path, ahead))
    if spec is None or spec.loader is None or not os.path.isfile(path):
        raise DefinitionError(f"{path} is gone")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
