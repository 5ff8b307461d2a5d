"""The files that code reads when it is imported: found, listed and told apart by what they hold."""

import fnmatch
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from pivot.code.findings import FileRead
from pivot.code.modules import Modules
from pivot.code.source.facts import Module, Part
from pivot.code.source.mentions import may_be_file, may_name_files, names_within, words_within
from pivot.code.source.reads import SUFFIX, UP, FilePath, Read, is_program
from pivot.paths import PathError, RepoPath

_MAX_DEPTH = 20
_MAX_NAMED = 200


class DataFiles:
    """Files of a project that are no modules, by the paths that its code writes."""

    def __init__(self, modules: Modules, outs: Collection[RepoPath] = ()) -> None:
        """`outs` are written by stages, and left out with all below them."""
        self._modules = modules
        self._outs = tuple(outs)

    def read(self, module: Module, reads: Sequence[Read]) -> list[str]:
        """What `reads`, standing in `module`, find: a line for each file or list of names.

        Files that aren't there have none, so that the lines change when they appear.
        """
        found = {line for read in reads for line in self._lines(module, read)}
        return sorted(found)

    def mentioned(self, parts: Sequence[tuple[Module, Part]]) -> list[str]:
        """The files that code which opens some may mean, a line for each."""
        texts = dict.fromkeys(text for _, part in parts for text in part.mentions)
        names = [text for text in texts if may_be_file(text)]
        if not names:
            return []
        texts.update(dict.fromkeys(word for _, part in parts for _, word in part.given))
        bases = dict.fromkeys(b for module, _ in parts for b in _ancestors(module.file.parent))
        inner = (_walk(base, _steps(text)) for base in bases for text in texts)
        folders = [f for f in inner if f is not None and f not in bases and self._modules.is_dir(f)]
        found: set[str] = set()
        for name in names:
            is_loose = name.startswith("*") and (bool(folders) or name.startswith("*/"))
            for start in folders if is_loose else (*bases, *folders):
                place = _walk(start, _steps(name))
                if place is not None:
                    found.update(self._files_at(place))
        return sorted(found)

    def named_by(self, lines: Iterable[str]) -> list[str]:
        """The files that found ones name in what they hold, and so on, a line for each.

        As a configuration does which extends another. Paths start from the file's folder or root.
        """
        found: dict[str, None] = {}
        left = file_reads(lines)
        while left and len(found) < _MAX_NAMED:
            paths = [RepoPath(r.path) for r in left if r.is_file and may_name_files(r.path)]
            lines = {line for path in paths for line in self._named_in(path)} - found.keys()
            found.update(dict.fromkeys(sorted(lines)))
            left = file_reads(lines)
        return list(found)

    def words(self, lines: Iterable[str]) -> frozenset[str]:
        """Names in found configurations that modules may have."""
        paths = (RepoPath(r.path) for r in file_reads(lines) if r.is_file)
        texts = (self._modules.data(path) for path in paths if may_name_files(path))
        return frozenset().union(*map(words_within, texts))

    def _named_in(self, path: RepoPath) -> Iterator[str]:
        for name in names_within(self._modules.data(path)):
            for base in (path.parent, RepoPath.ROOT):
                place = _walk(base, _steps(name))
                if place is not None:
                    yield from self._files_at(place)

    def _files_at(self, place: RepoPath) -> Iterator[str]:
        for file in self._expanded(place):
            is_left = self._is_out(file) or not self._modules.is_dir(file.parent)
            id_ = None if is_left else self._modules.file_id(file)
            if id_ is not None:
                yield f"{file}: {id_.hex()}"

    def programs(self, module: Module, reads: Sequence[Read]) -> list[str]:
        """The modules that stand in the files of programs which `reads` run."""
        files = (p for read in reads if read.is_program for p in self._programs(module, read.path))
        found = (self._modules.at(file) for file in files if self._modules.file_id(file))
        return [module.place.module for module in found if module is not None]

    def _programs(self, module: Module, path: FilePath) -> Iterator[RepoPath]:
        return (p for p in self._places(module, path, 0) if is_program(p.split("/")))

    def _lines(self, module: Module, read: Read) -> Iterator[str]:
        for path in self._places(module, read.path, 0):
            if read.is_program and not is_program(path.split("/")):
                continue
            if read.names_only:
                folder = path if not _is_pattern(path) else _fixed(path)
                if self._modules.is_dir(folder):
                    yield f"{folder}/: {' '.join(self._names(folder, path))}"
                continue
            for file in self._expanded(path):
                if self._is_out(file):
                    continue
                id_ = self._modules.file_id(file)
                if id_ is not None:
                    yield f"{file}: {id_.hex()}"
                elif self._modules.is_dir(file):
                    yield f"{file}/"

    def _names(self, folder: RepoPath, path: RepoPath) -> list[str]:
        inner = folder / "*" if folder == path else path
        return sorted(file for file in self._expanded(inner) if not self._is_out(file))

    def _is_out(self, path: RepoPath) -> bool:
        return any(out.contains(path) for out in self._outs)

    def _expanded(self, path: RepoPath) -> list[RepoPath]:
        """The files that a path with patterns stands for; itself if it has none."""
        if not _is_pattern(path):
            return [path]
        folder = _fixed(path)
        return list(self._matching(folder, path.removeprefix(f"{folder}/").split("/")))

    def _matching(self, folder: RepoPath, steps: Sequence[str]) -> Iterator[RepoPath]:
        if not steps:
            yield folder
            return
        first, *rest = steps
        if first == "**":
            yield from self._matching(folder, rest)
        for name in self._modules.listed(folder) if self._modules.is_dir(folder) else ():
            inner = _walk(folder, [name])
            if inner is not None and first == "**" and self._modules.is_dir(inner):
                yield from self._matching(inner, steps)
            elif inner is not None and fnmatch.fnmatchcase(name, first):
                yield from self._matching(inner, rest)

    def _places(self, module: Module, path: FilePath, depth: int) -> Iterator[RepoPath]:
        """Where in the project a path may lead to."""
        for start in self._starts(module, path, depth):
            place = _walk(start, path.steps)
            if place is not None:
                yield place

    def _starts(self, module: Module, path: FilePath, depth: int) -> Iterator[RepoPath]:
        if path.is_own:
            yield module.file
        elif path.start is None:
            # A module runs in its pipeline's folder, which is nearly always one of these.
            yield RepoPath.ROOT
            if module.file.parent != RepoPath.ROOT:
                yield module.file.parent
        elif depth < _MAX_DEPTH:
            targets = self._modules.resolve(module, path.start)
            for symbol in targets.symbols:
                place = self._modules.get(symbol.module)
                bound = place.symbols[symbol.name].path if place is not None else None
                if place is not None and bound is not None:
                    yield from self._places(place, bound, depth + 1)
            if path.start.origin is None:
                packages = map(self._modules.find, targets.modules)
                yield from (f for found in packages if found is not None for f in found.folders)
            else:
                package = self._modules.find(path.start.origin.module)
                if package is not None and not path.steps:
                    main = [folder / "__main__.py" for folder in package.folders]
                    yield from main or ([package.file] if package.file is not None else [])
                elif package is not None and package.folders:
                    yield from package.folders
                elif package is not None and package.file is not None:
                    yield package.file.parent


def file_reads(lines: Iterable[str]) -> tuple[FileRead, ...]:
    """What lines of `DataFiles.read` say."""
    found: list[FileRead] = []
    for line in lines:
        folder, is_listing, names = line.partition("/: ")
        path, _, id_ = line.rpartition(": ")
        if line.endswith("/"):
            found.append(FileRead(line, ""))
        elif is_listing:
            found.append(FileRead(f"{folder}/", names))
        else:
            found.append(FileRead(path, id_))
    return tuple(found)


def _walk(start: RepoPath, steps: Sequence[str]) -> RepoPath | None:
    """The place that steps lead to from a start; None if it lies outside of the project."""
    place = start
    for step in steps:
        try:
            if step == UP:
                if place == RepoPath.ROOT:
                    return None
                place = place.parent
            elif step.startswith(SUFFIX):
                place = place.parent / f"{PurePosixPath(place).stem}{step.removeprefix(SUFFIX)}"
            else:
                place = place / step
        except PathError:
            return None
    return place


def _steps(text: str) -> list[str]:
    return [step for step in text.split("/") if step not in ("", ".")]


def _ancestors(folder: RepoPath) -> Iterator[RepoPath]:
    """A folder and all around it, the project's own included."""
    yield folder
    while folder != RepoPath.ROOT:
        folder = folder.parent
        yield folder


def _is_pattern(path: str) -> bool:
    return "*" in path or "?" in path


def _fixed(path: RepoPath) -> RepoPath:
    """The folder before the first pattern."""
    while _is_pattern(path):
        path = path.parent
    return path
