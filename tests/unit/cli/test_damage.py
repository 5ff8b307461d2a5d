"""Damage at the command line's boundary: bytes flipped and files cut, a sample of each.

Commands end with an exit code and words, never with a traceback or a wrong byte in the workspace.
"""

import json
import os
import shutil

import pytest

from pivot.cli.main import main
from pivot.code.fingerprint import SCHEME, ProjectCode
from pivot.lock.declared import Declared
from pivot.lock.folder import write_lock
from pivot.lock.lock import Lock
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.project.initialise import initialise
from pivot.project.project import Project
from pivot.project.sources import DiskSources

FILES = {"out/a": b"one\n", "out/b/c": b"two\n" * 20, "out/empty": b""}
STEP = 41
CODES = {0, 1, 4, 13, 14}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project without Git whose one stage has run."""
    root = tmp_path / "project"
    root.mkdir()
    initialise(str(root), git=False)
    (root / "pipeline.py").write_text("def make(): ...\n")
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    out = RepoPath("out")
    opened = Project.find(str(root))
    with opened.store.writer() as writer:
        content = opened.workspace.store(out, writer)
    opened.close()
    code = ProjectCode(DiskSources(str(root)), [RepoPath.ROOT]).fingerprint("pipeline:make").code
    spec = (OutSpec(out, OutKind.OUT),)
    declared = Declared(SCHEME, dict(code), {}, None, {}, RepoPath.ROOT, (), spec)
    lock = Lock(StageName("make"), "pipeline:make", declared, {}, {out: content})
    write_lock(str(root / ".pivot/stages"), lock)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PIVOT_NO_PROGRESS", "1")
    return root


@pytest.fixture
def run(capsys):
    """Runs a command in this process: its exit code; what it says is looked at."""

    def call(*arguments):
        code = main(list(arguments))
        said = capsys.readouterr()
        assert "error of its own" not in said.err
        assert "Traceback" not in said.err
        assert code in CODES
        assert code in (0, 4) or "hint: " in said.err
        return code

    return call


def look(project):
    found = {}
    for base, _, names in os.walk(project / "out"):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, project)] = file.read()
    return found


PLACES = {
    "pack": ".pivot/cache/packs/*/*.pack",
    "index": ".pivot/cache/index/*.idx",
    "store": ".pivot/cache/pivot-store.json",
    "lock": ".pivot/stages/make.lock",
}


def harmed(data):
    for at in range(0, len(data), STEP):
        yield data[:at]
        yield data[:at] + bytes([data[at] ^ 0x21]) + data[at + 1 :]


def test_sound_project_is_good(project, run):
    assert run("verify", "--data") == 0
    shutil.rmtree(project / "out")
    assert run("verify") == 4
    assert run("checkout") == 0
    assert look(project) == FILES


@pytest.mark.parametrize("kind", PLACES)
def test_no_damage_ends_in_a_traceback_or_a_wrong_byte(project, run, tmp_path, kind):
    (file,) = project.glob(PLACES[kind])
    data = file.read_bytes()
    shutil.copytree(project, tmp_path / "sound")
    for damage in harmed(data):
        shutil.rmtree(project / "out")
        os.chmod(file, 0o644)
        file.write_bytes(damage)
        found = run("verify", "--data")
        assert found not in (0, 4) or kind == "store", "an id is one of many, and without a check"
        run("checkout")
        assert look(project) in ({}, FILES)
        run("verify", "--repair")
        assert run("verify", "--data") in (({0, 4, 14}) if kind != "lock" else {13}) or (
            kind == "store" and b'"format": 1' not in damage
        )
        run("checkout")
        assert look(project) in ({}, FILES)
        restore(project, tmp_path / "sound")


def restore(project, sound):
    for name in (".pivot/cache", ".pivot/stages", "out"):
        shutil.rmtree(project / name, ignore_errors=True)
        shutil.copytree(sound / name, project / name)


def test_json_of_a_failure_is_one_object(project, run, capsys):
    (project / ".pivot/cache/pivot-store.json").write_text("[")
    assert main(["verify", "--json"]) == 13
    value = json.loads(capsys.readouterr().out)
    assert (value["type"], value["code"]) == ("error", "integrity")
