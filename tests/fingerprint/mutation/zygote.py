"""Runs stages of a project whose sources are held in memory, each in a process of its own.

Started as a script. It imports the libraries that stages need, compiles the project's sources, and
then answers requests, one line of JSON each: a fork imports `pipeline` afresh, with the changed
files of the request, and runs a stage. What the stage gives, prints, writes and raises is its
result. Forks share one hash seed, so equal code gives equal results.
"""

import contextlib
import gc
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping
from types import CodeType, ModuleType

from living import Trace, reach

CPU_LIMIT_S = 20
MEMORY_LIMIT = 4 << 30
FILE_LIMIT = 64 << 20


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the project's modules, and nothing else."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = dict(files)
        self.code: dict[str, CodeType] = {}
        self.packages = {path.rpartition("/")[0] for path in files} - {""}

    def compile_all(self) -> None:
        for path, text in self.files.items():
            self.code[path] = compile(text, path, "exec", dont_inherit=True)

    def change(self, changed: Mapping[str, str]) -> None:
        self.files |= changed
        for path in changed:
            self.code.pop(path, None)

    def path(self, name: str) -> str | None:
        base = name.replace(".", "/")
        return next((p for p in (f"{base}/__init__.py", f"{base}.py") if p in self.files), None)

    def find_spec(self, name, path=None, target=None):
        file = self.path(name)
        if file is None and name.replace(".", "/") not in self.packages:
            return None
        is_package = file is None or file.endswith("__init__.py")
        spec = importlib.machinery.ModuleSpec(name, self, origin=file, is_package=is_package)
        spec.has_location = False
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module: ModuleType) -> None:
        file = self.path(module.__name__)
        if file is None:
            return
        module.__file__ = file
        if file not in self.code:
            self.code[file] = compile(self.files[file], file, "exec", dont_inherit=True)
        exec(self.code[file], module.__dict__)  # noqa: S102


def answer(finder: Finder, inputs: str, request: Mapping[str, object]) -> dict[str, object]:
    """Fork, run, and give what the fork said before it ended."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        code = 1
        try:
            said = run(finder, inputs, request)
            with os.fdopen(sending, "w") as pipe:
                json.dump(said, pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(sending)
    with os.fdopen(receiving) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0 or not said:
        return {"loads": True, "result": f"ended by {status}", "what": f"ended by {status}"}
    return json.loads(said)


def run(finder: Finder, inputs: str, request: Mapping[str, object]) -> dict[str, object]:
    """In the fork: import, run, and describe all that came of it."""
    limit()
    folder = inputs
    if not request.get("keep"):
        folder = tempfile.mkdtemp(dir=os.path.dirname(inputs))
        shutil.copytree(inputs, folder, dirs_exist_ok=True)
    os.chdir(folder)
    output = os.open("stdout", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for fd in (1, 2):
        os.dup2(output, fd)
    finder.change(request["changed"])
    sys.meta_path.insert(0, finder)
    trace = Trace(finder.files) if request.get("trace") else None
    try:
        try:
            module = importlib.import_module("pipeline")
        except BaseException as error:
            return {"loads": False, "result": "", "what": describe(error)}
        try:
            if trace:
                trace.calling()
            value = eval(request["call"], module.__dict__)  # noqa: S307
            what = json.dumps(value, default=repr, sort_keys=False)
        except BaseException as error:
            what = describe(error)
            if is_unloadable(error, finder):
                return {"loads": False, "result": "", "what": what}
        sys.stdout.flush()
        sys.stderr.flush()
        said: dict[str, object] = {"loads": True, "result": digest(what), "what": what[:2000]}
        if trace:
            trace.stop()
            said |= reach(trace, finder)
        return said
    finally:
        os.chdir("/")
        if folder != inputs:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            os.unlink(os.path.join(folder, "stdout"))


def limit() -> None:
    """End what a mutant may start: endless loops, endless lists, endless files."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    signal.alarm(3 * CPU_LIMIT_S)  # for what waits


def is_unloadable(error: BaseException, finder: Finder) -> bool:
    """Whether it was raised while a module of the project was imported by the stage."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(
        frame.f_code.co_name == "<module>" and frame.f_code.co_filename in finder.files
        for frame, _ in frames
    )


def describe(error: BaseException) -> str:
    with contextlib.suppress(Exception):
        return "".join(traceback.format_exception_only(error))
    return type(error).__name__


def digest(what: str) -> str:
    """The value, or what was raised, and all files that are there now."""
    rows = [what]
    for base, folders, files in os.walk("."):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                rows.append(f"{path} {hashlib.sha256(f.read()).hexdigest()}")
    return hashlib.sha256("\n".join(rows).encode(errors="surrogatepass")).hexdigest()


def main() -> None:
    warnings.simplefilter("ignore")
    start = json.loads(sys.stdin.readline())
    finder = Finder(start["files"])
    finder.compile_all()
    for name in start["libraries"]:
        importlib.import_module(name)
    gc.freeze()  # so that forks share what is there
    for line in sys.stdin:
        said = answer(finder, start["inputs"], json.loads(line))
        sys.__stdout__.write(json.dumps(said) + "\n")
        sys.__stdout__.flush()


if __name__ == "__main__":
    main()
