"""The error boundary: every end becomes an exit code, and words or one JSON object."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pivot.cli import main as module
from pivot.cli.main import main
from pivot.errors import (
    DefinitionError,
    DeniedError,
    IntegrityError,
    LockedError,
    MissingDataError,
    NoProjectError,
    PartialError,
    PivotError,
    UsageError,
)


@pytest.fixture
def ending(monkeypatch):
    """Makes `pivot list` end by an exception."""

    def make(error):
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        def ends(as_json):
            raise error

        monkeypatch.setattr(module.cli, "get_command", lambda *_: ends)

    return make


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (PivotError, 1),
        (UsageError, 2),
        (DefinitionError, 2),
        (PartialError, 3),
        (NoProjectError, 10),
        (LockedError, 11),
        (DeniedError, 12),
        (IntegrityError, 13),
        (MissingDataError, 14),
    ],
)
def test_each_kind_of_error_has_its_code(ending, capsys, kind, code):
    ending(kind("it broke", why="because", hint="Run `pivot`"))
    assert main(["list"]) == code
    assert capsys.readouterr() == ("", "error: it broke\n  why: because\nhint: Run `pivot`\n")


def test_error_as_json_is_one_object_on_stdout(ending, capsys):
    ending(UsageError("it broke", why="because", hint="Run `pivot`"))
    assert main(["list", "--json"]) == 2
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "type": "error", "code": "usage", "message": "it broke: because", "hint": "Run `pivot`"
    }  # fmt: skip


def test_error_of_the_system_names_the_file(ending, capsys):
    ending(OSError(28, "No space left on device", "/data/x"))
    assert main(["list"]) == 1
    error, why, hint = capsys.readouterr().err.splitlines()
    assert error == "error: /data/x can't be read or written"
    assert why == "  why: No space left on device"
    assert hint.startswith("hint: ")


def test_interrupt_has_its_code(ending):
    ending(KeyboardInterrupt())
    assert main(["list"]) == 130


def test_unexpected_error_leaves_a_report_and_no_traceback(ending, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("SECRET", "hunter2")
    ending(ZeroDivisionError("oh"))
    assert main(["list"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: Pivot met an error of its own: ZeroDivisionError: oh\n")
    assert "Traceback" not in err
    (report,) = tmp_path.iterdir()
    assert str(report) in err
    assert "ZeroDivisionError: oh" in report.read_text()
    assert "hunter2" not in report.read_text()


@pytest.mark.parametrize("error", [ZeroDivisionError("oh"), UsageError("no"), OSError(2, "no")])
def test_debug_shows_where_it_came_from(ending, error):
    ending(error)
    with pytest.raises(type(error)):
        main(["--debug", "list"])


def test_reader_that_has_gone_is_no_error(tmp_path):
    """As in `pivot config list | head -0`."""
    read, write = os.pipe()
    os.close(read)
    pivot = Path(sys.executable).with_name("pivot")
    done = subprocess.run(
        [pivot, "config", "list"], stdout=write, stderr=subprocess.PIPE, cwd=tmp_path, text=True
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 1


def test_folder_that_does_not_exist_is_a_usage_error(capsys):
    assert main(["-C", "/no/such/folder", "list"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_pivot_can_be_run_as_a_module_and_no_file_of_the_project_stands_in_for_imports(tmp_path):
    for name in ("click", "json", "pivot_remotes"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the project ran')\n")
    done = subprocess.run(
        [sys.executable, "-m", "pivot", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr.startswith("error: ")
    assert "pivot init" in done.stderr
