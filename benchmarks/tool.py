"""Pivot and its peer as the same steps: a project, storing, pushing, pulling."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.content import size_of
from benchmarks.workbench import Workbench

PIVOT, BY_STAGE, PEER = "pivot", "pivot, by a stage", "dvc"
DATA = "data"
# Moving prepared data into place takes the stage no time: what is left is storing.
PIPELINE = f"""\
import os

from pivot import Out, stage


@stage(outs=[Out("{DATA}")])
def place():
    os.rename("../prepared", "{DATA}")
"""

type Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """The commands that are measured, and where they find what.

    Attributes:
        name: as the report has it.
        store: puts `data` into the store of a project.
        again: the same command, for when there may be nothing to do.
        renew: the same for data that changed.
        status: says whether anything changed.
        checkout: puts `data` back where it is missing.
        push, pull: to and from the default remote.
        cache: the store, below the project.
        inbox: where data is to lie before it is stored, beside or below the project.
        start: makes a project in a repository, given the URL or folder of its remote.
    """

    name: str
    store: Words
    again: Words
    renew: Words
    status: Words
    checkout: Words
    push: Words
    pull: Words
    cache: str
    inbox: str
    start: Callable[[Path, str], None]

    def begin(self, bench: Workbench, folder: Path, remote: str | None = None) -> "Site":
        """A new project in `folder`; its remote is beside it, or at a URL."""
        site = Site(folder / "project", folder / "remote", folder / self.inbox, self)
        site.project.mkdir()
        site.remote.mkdir()
        bench.measure(("git", "init", "--quiet"), site.project)
        self.start(site.project, remote or str(site.remote))
        return site


@dataclass(frozen=True, slots=True)
class Site:
    """A project, the folder of a remote beside it, and where data is delivered."""

    project: Path
    remote: Path
    inbox: Path
    tool: Tool

    def deliver(self, source: Path) -> None:
        """Copy a file or folder to where the tool takes it from."""
        subprocess.run(["rm", "-rf", self.inbox], check=True)
        subprocess.run(["cp", "-R", source, self.inbox], check=True)

    def take_away(self) -> Path:
        """Remove the data from the project; the store keeps it. Returns where it was."""
        data = self.project / DATA
        subprocess.run(["rm", "-rf", data], check=True)
        return data

    def clone(self, bench: Workbench) -> Path:
        """Commit everything, and clone the repository beside the project."""
        clone = self.project.with_name("clone")
        bench.measure(("git", "add", "--all"), self.project)
        bench.measure(("git", "commit", "--quiet", "--message", "Store data"), self.project)
        bench.measure(("git", "clone", "--quiet", str(self.project), str(clone)), clone.parent)
        return clone

    def stored(self) -> int:
        """Bytes in the project's store."""
        return size_of(self.project / self.tool.cache)[1]


def pivot(bench: Workbench) -> Tool:
    """Pivot as the peer's equal: data that no stage makes, kept by `pivot track`."""

    def start(project: Path, remote: str) -> None:
        bench.measure((bench.pivot, "init"), project)
        words = (bench.pivot, "remote", "add", "origin", remote, "--default")
        bench.measure(words, project)

    track = (bench.pivot, "track", DATA)
    return Tool(
        name=PIVOT,
        store=track,
        again=track,
        renew=track,
        status=(bench.pivot, "status"),
        checkout=(bench.pivot, "checkout"),
        push=(bench.pivot, "push"),
        pull=(bench.pivot, "pull", "--yes"),
        cache=".pivot/cache",
        inbox=f"project/{DATA}",
        start=start,
    )


def by_stage(bench: Workbench) -> Tool:
    """Pivot with a stage whose out is the data."""
    tracking = pivot(bench)

    def start(project: Path, remote: str) -> None:
        (project / "pipeline.py").write_text(PIPELINE)
        tracking.start(project, remote)

    return replace(
        tracking,
        name=BY_STAGE,
        store=(bench.pivot, "repro"),
        again=(bench.pivot, "repro"),
        renew=(bench.pivot, "repro", "--force"),
        inbox="prepared",
        start=start,
    )


def dvc(bench: Workbench) -> Tool | None:
    """DVC with its own defaults; None to go without."""
    command = bench.dvc
    if command is None:
        return None

    def start(project: Path, remote: str) -> None:
        bench.measure((command, "init", "--quiet"), project)
        bench.measure((command, "config", "core.analytics", "false"), project)
        bench.measure((command, "config", "core.check_update", "false"), project)
        words = (command, "remote", "add", "--quiet", "--default", "origin", remote)
        bench.measure(words, project)

    add = (command, "add", "--quiet", DATA)
    return Tool(
        name=PEER,
        store=add,
        again=add,
        renew=add,
        status=(command, "status", "--quiet"),
        checkout=(command, "checkout", "--quiet"),
        push=(command, "push", "--quiet"),
        pull=(command, "pull", "--quiet"),
        cache=".dvc/cache",
        inbox=f"project/{DATA}",
        start=start,
    )


def tools(bench: Workbench) -> tuple[Tool, ...]:
    """Pivot first, then the peer where it is wanted."""
    peer = dvc(bench)
    ours = pivot(bench)
    return (ours,) if peer is None else (ours, peer)
