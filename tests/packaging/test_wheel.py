"""What users install: the built wheel, in an environment of its own, away from the checkout."""

import email.parser
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SOURCES = ("pivot", "remotes", "hooks", "pyproject.toml", "README.md", "LICENSE")
TOP_LEVEL = {"pivot", "pivot_remotes", "pivot_hooks"}

PIPELINE = """
from pathlib import Path

from pivot import Out, stage


@stage(deps=["word.txt"], outs=[Out("shout.txt")])
def shout():
    Path("shout.txt").write_text(Path("word.txt").read_text().upper())
"""


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """What `command` prints; its failure is the test's."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=170,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that was built from a copy, so that nothing untracked beside the sources counts."""
    copy = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (CHECKOUT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(CHECKOUT / name, copy / name, ignore=ignored)
        else:
            shutil.copy(CHECKOUT / name, copy / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "built", cwd=copy)
    (built,) = (copy / "built").iterdir()
    return built


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The `bin` of an environment with the wheel and the locked dependencies, but no checkout."""
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    borrow_dependencies(site)
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        home,
        "install",
        "--isolated",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=home,
    )
    yield home / "bin"
    shutil.rmtree(home)


def borrow_dependencies(site: Path) -> None:
    """Link everything but Pivot from this environment into `site`.

    A path file to the whole folder would run the path file of the editable install in it, and so
    lead back to the checkout.
    """
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("pivot-", "pivot_", "_editable_impl_pivot")):
            target = site / entry.name
            if not target.exists():
                target.symlink_to(entry)


def outside(home: Path) -> dict[str, str]:
    """An environment in which nothing points at the checkout or at the user's settings."""
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(home / "bin"), os.environ["PATH"]]),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def test_wheel_top_level_names_are_exactly_the_three_packages(wheel: Path) -> None:
    """No `remotes`, `hooks` or `tests` may leak into anyone's site-packages."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == TOP_LEVEL
    assert len(tops) == len(TOP_LEVEL) + 1


def test_wheel_is_typed_licensed_and_has_its_two_commands(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = set(archive.namelist())
    assert {f"{package}/py.typed" for package in TOP_LEVEL} <= names
    (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    metadata = email.parser.BytesParser().parsebytes(archive.read(f"{info}/METADATA"))
    assert metadata["License-Expression"] == "Apache-2.0"
    assert f"{info}/licenses/LICENSE" in names
    commands = archive.read(f"{info}/entry_points.txt").decode()
    assert "pivot = " in commands
    assert "git-pivot = " in commands


def test_installed_pivot_tells_its_version_and_comes_from_the_wheel(binaries: Path) -> None:
    home = binaries.parent
    where = run(
        binaries / "python",
        "-c",
        "import pivot; print(pivot.__file__)",
        cwd=home,
        env=outside(home),
    )
    assert Path(where.strip()).is_relative_to(home)
    assert "0.1.0" in run(binaries / "pivot", "--version", cwd=home, env=outside(home))


def test_installed_pivot_runs_a_stage_once(binaries: Path, tmp_path: Path) -> None:
    """The smoke story, from outside the checkout: run, then nothing to run."""
    env = outside(binaries.parent)
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "word.txt").write_text("pivot")
    run("git", "init", "--quiet", cwd=tmp_path, env=env)
    run(binaries / "pivot", "init", cwd=tmp_path, env=env)
    first = run(binaries / "pivot", "repro", "--json", cwd=tmp_path, env=env)
    second = run(binaries / "pivot", "repro", "--json", cwd=tmp_path, env=env)
    assert '"ran"' in first
    assert (tmp_path / "shout.txt").read_text() == "PIVOT"
    assert '"unchanged"' in second
    assert '"ran"' not in second
