"""Sources and bytecode, as own modules are loaded from them."""

import os
import py_compile
import shutil
import time
from types import ModuleType

import pytest

from pivot.definition.importing import FreshLoader, read_ahead


@pytest.fixture
def source(tmp_path):
    """Writes a module whose bytecode was written long after it, as far as files can tell."""
    path = tmp_path / "lib.py"

    def write(text):
        path.write_text(text)
        later = time.time() + 60
        bytecode = py_compile.compile(str(path))
        os.utime(bytecode, (later, later))
        return str(path)

    return write


def value(path, ahead):
    """What the module's `VALUE` is when it is loaded."""
    loader = FreshLoader("lib", path, ahead)
    module = ModuleType("lib")
    loader.exec_module(module)
    return module.VALUE


def test_bytecode_that_was_read_before_is_not_read_again(source, monkeypatch):
    path = source("VALUE = 1\n")
    ahead = read_ahead([path])
    monkeypatch.setattr(FreshLoader, "get_data", lambda *_: pytest.fail("read"))
    assert value(path, ahead) == 1


def test_source_that_changed_since_is_read(source, tmp_path):
    path = source("VALUE = 1\n")
    ahead = read_ahead([path])
    assert path in ahead
    state = os.stat(path)
    shutil.rmtree(tmp_path / "__pycache__")
    with open(path, "w") as file:
        file.write("VALUE = 2\n")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert value(path, ahead) == 2
    os.unlink(path)
    with pytest.raises(FileNotFoundError):
        value(path, ahead)


def test_source_that_was_edited_just_before_it_was_compiled_is_left_out(tmp_path):
    path = tmp_path / "lib.py"
    path.write_text("VALUE = 1\n")
    py_compile.compile(str(path))
    assert read_ahead([str(path)]) == {}


def test_what_can_not_be_read_ahead_is_left_out(source, tmp_path):
    path = source("VALUE = 1\n")
    broken = tmp_path / "broken.py"
    broken.write_text("def f(:\n")
    assert read_ahead([str(broken), str(tmp_path / "gone.py"), path]).keys() == {path}


def test_bytecode_that_is_damaged_is_made_anew(source, tmp_path):
    path = source("VALUE = 1\n")
    (bytecode,) = (tmp_path / "__pycache__").iterdir()
    data = bytecode.read_bytes()
    bytecode.write_bytes(data[:16] + b"\xff" * 8)
    later = time.time() + 60
    os.utime(bytecode, (later, later))
    assert all(value(path, {p: b}) == 1 for p, b in read_ahead([path]).items())
