"""Some cases of the corpus with the `pivot` command: run, edit, ask, run again."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pivot.errors import ExitCode
from tests.fingerprint.corpus.cases import Case, Files, read_corpus

PIVOT = Path(sys.executable).with_name("pivot")
CASES = [case for case in read_corpus() if case.end_to_end]

# Declares the function of a case that declares none itself.
DECLARED = """\
from pivot import stage
from pipeline import train

stage(name="train")(train)
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without stages, which loads them from `declared.py` too."""
    path = tmp_path_factory.mktemp("template") / "project"
    path.mkdir()
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main"],
        [str(PIVOT), "init"],
        [str(PIVOT), "config", "set", "pipeline.module", "declared"],
    ):
        subprocess.run(command, cwd=path, check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "compiled"))
    path = tmp_path / "project"
    shutil.copytree(template, path, symlinks=True)
    return path


def write(project: Path, before: Files, files: Files) -> None:
    """Bring the project from one state to the other, as an editor would."""
    for path in before.keys() - files.keys():
        (project / path).unlink()
    for path, data in files.items():
        if before.get(path) != data:
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_bytes(data)


def pivot(project: Path, *arguments: str) -> Any:
    """The exit code of a command, and the JSON that it printed last."""
    done = subprocess.run(
        [PIVOT, *arguments, "--json"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", CASES, ids=[f"{case.group}: {case.title}" for case in CASES])
def test_an_edit_runs_the_stage_if_it_must(case: Case, project: Path) -> None:
    before, after = with_declaration(case.before), with_declaration(case.after)
    write(project, {}, before)
    assert pivot(project, "repro")[1]["counts"] == {"ran": 1}

    write(project, before, after)
    code, status = pivot(project, "status", "--exit-code")
    assert code == (ExitCode.STALE if case.runs else ExitCode.DONE), (case.place, status)
    reasons = [reason for stage in status["stages"] for reason in stage["reasons"]]
    changed = {reason["what"] for reason in reasons if reason["kind"] != "observed"}
    if case.changes is not None:
        assert changed == case.changes
    assert pivot(project, "repro")[1]["counts"] == {"ran" if case.runs else "unchanged": 1}


def with_declaration(files: Files) -> Files:
    """The files of a case with a module that declares its stage, unless it does so itself."""
    declares = b"from pivot import" in files["pipeline.py"]
    return {**files, "declared.py": b"" if declares else DECLARED.encode()}
