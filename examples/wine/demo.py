"""Play Pivot's whole story on this example, in a temporary repository.

Each step types a command as a person would, shows what it prints and how long it took, and then
checks what must be true by `--json` and by the files themselves. The first step that is not as
it should be ends the demo with exit code 1. Only the standard library is used; neither HOME nor
a Git identity is needed. `make demo` runs it.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

EXAMPLE = Path(__file__).resolve().parent
LEFT_BEHIND = shutil.ignore_patterns(
    "demo.py", "ruff.toml", "build", ".*_cache", ".pivot", "__pycache__"
)
OUTS: Mapping[str, tuple[str, ...]] = {
    "prepare": ("build/wines.csv",),
    "split": ("build/train.csv", "build/test.csv"),
    "train": ("build/model.pkl",),
    "evaluate": ("build/predictions.csv", "metrics.json"),
    "plot": ("confusion.png",),
}
ALL = frozenset(OUTS)
NONE: frozenset[str] = frozenset()
SCALED = frozenset({"train", "evaluate", "plot"})
COMMAND_LIMIT_S = 120
STANDARD_DEVIATION = "spread=values.std(axis=0)"
RANGE = "spread=values.max(axis=0) - values.min(axis=0)"


class StoryError(Exception):
    """Something is not as the story says it must be."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A shell in `folder` that starts with `env` and knows nothing of the real HOME."""

    folder: Path
    env: Mapping[str, str]

    def type(self, command: str) -> str:
        """Run `command` for all to see; return what it printed, or raise `StoryError`."""
        print(f"\n$ {command}", flush=True)
        started = time.perf_counter()
        done = self._start(shlex.split(command), errors=subprocess.STDOUT)
        took = time.perf_counter() - started
        print(f"{done.stdout}[{took:.2f} s]", flush=True)
        if done.returncode != 0:
            raise StoryError(f"`{command}` ended with exit code {done.returncode}, expected 0")
        return done.stdout

    def ask(self, command: str) -> Any:
        """What `command` answers as JSON; not shown."""
        done = self._start(shlex.split(command), errors=subprocess.PIPE)
        if done.returncode != 0:
            raise StoryError(f"`{command}` failed:\n{done.stdout}{done.stderr}")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise StoryError(f"`{command}` printed no JSON:\n{done.stdout}") from None

    def _start(self, words: list[str], *, errors: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            timeout=COMMAND_LIMIT_S,
            check=False,
        )


def expect(what: str, *, found: object, wanted: object) -> None:
    """Go on if `found` is `wanted`, and say so; raise `StoryError` otherwise."""
    if found != wanted:
        raise StoryError(f"{what}\n  expected: {_plain(wanted)}\n  found:    {_plain(found)}")
    print(f"  ✓ {what}")


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else value


def stages_in(terminal: Terminal, state: str) -> frozenset[str]:
    """The stages that `pivot status` says are in `state`."""
    stages = terminal.ask("pivot status --json")["stages"]
    return frozenset(entry["stage"] for entry in stages if entry["state"] == state)


def recorded(project: Path) -> dict[str, dict[str, str]]:
    """What became of each stage in each run so far, by run; a run with nothing to do has none."""
    records = sorted(project.glob(".pivot/runs/*/record.json"))
    return {path.parent.name: _endings(json.loads(path.read_text())) for path in records}


def _endings(record: dict[str, Any]) -> dict[str, str]:
    return {stage["stage"]: stage["status"] for stage in record["stages"]}


def stamps(project: Path) -> dict[str, tuple[int, ...]]:
    """For each stage, what changes whenever one of its outs is written anew."""
    return {stage: tuple(_stamp(project / out) for out in outs) for stage, outs in OUTS.items()}


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every out in `folder`."""
    return {out: (folder / out).read_bytes() for outs in OUTS.values() for out in outs}


def repro(
    terminal: Terminal, what: str, *, ran: frozenset[str] = NONE, restored: frozenset[str] = NONE
) -> None:
    """Type `pivot repro`; exactly `ran` may run, exactly `restored` be restored.

    Pivot's own record has to say so, and the files: no other stage's outs are touched.
    """
    runs, written = recorded(terminal.folder), stamps(terminal.folder)
    terminal.type("pivot repro")
    news = {
        stage: status
        for run, endings in recorded(terminal.folder).items()
        if run not in runs
        for stage, status in endings.items()
        if status != "unchanged"
    }
    touched = frozenset(s for s, stamp in stamps(terminal.folder).items() if stamp != written[s])
    wanted = dict.fromkeys(ran, "ran") | dict.fromkeys(restored, "restored")
    expect(what, found=news, wanted=wanted)
    expect("no other output was touched", found=touched, wanted=ran | restored)
    expect("nothing is left to do", found=stages_in(terminal, "unchanged"), wanted=ALL)


def replace(path: Path, old: str, new: str) -> None:
    """Edit the file at `path`, and show the edit."""
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise StoryError(f"{path.name} should have {old!r} once")
    path.write_text(text.replace(old, new), encoding="utf-8")
    print(f"\n# edit {path.name}")
    for sign, lines in (("-", old), ("+", new)):
        for line in lines.strip().splitlines():
            print(f"#   {sign} {line.strip()}")


def chapter(title: str) -> None:
    """Begin a part of the story."""
    print(f"\n\n=== {title} ===")


def first_runs(terminal: Terminal) -> None:
    """A repository becomes a project; everything runs, once."""
    chapter("Define stages, run them")
    terminal.type("git init --quiet --initial-branch=main")
    terminal.type("git add --all")
    terminal.type("git commit --quiet -m 'The wine pipeline'")
    terminal.type("pivot init")
    repro(terminal, "all five stages ran", ran=ALL)
    repro(terminal, "no stage ran again")


def edit_helper(terminal: Terminal) -> None:
    """A function that `pipeline.py` calls through another module changes."""
    chapter("Change a helper two modules away")
    scaling = terminal.folder / "features" / "scaling.py"
    replace(scaling, STANDARD_DEVIATION, RANGE)
    shown = terminal.type("pivot status --explain")
    expect("the helper is named as the reason", found="learn_scale" in shown, wanted=True)
    unchanged = stages_in(terminal, "unchanged")
    expect("prepare and split need not run", found=unchanged, wanted=ALL - SCALED)
    repro(terminal, "only what depends on the helper ran", ran=SCALED)


def edit_comment(terminal: Terminal) -> None:
    """Text that no result can depend on changes."""
    chapter("Change a comment")
    scaling = terminal.folder / "features" / "scaling.py"
    replace(scaling, "    return Scale(", "    # outliers weigh more now\n    return Scale(")
    repro(terminal, "no stage ran")


def revert_helper(terminal: Terminal, first: Mapping[str, bytes]) -> None:
    """Code is again what it was; so are the results, from the store."""
    chapter("Take it back")
    terminal.type("git checkout --quiet -- features")
    repro(terminal, "the earlier results were restored, nothing ran", restored=SCALED)
    expect("byte for byte", found=contents(terminal.folder) == first, wanted=True)


def share(terminal: Terminal) -> None:
    """Locks and metrics go to Git, data to a remote."""
    chapter("Commit and push")
    terminal.type("pivot remote add storage ../storage --default")
    terminal.type("pivot commit -m 'First results'")
    dirty = terminal.type("git status --short")
    expect("Git has nothing left to commit", found=dirty, wanted="")
    terminal.type("pivot push")
    again = terminal.ask("pivot push --json")
    expect("a second push has nothing to send", found=again["objects"], wanted=0)


def clone(terminal: Terminal, first: Mapping[str, bytes]) -> Terminal:
    """A colleague gets everything, and runs nothing."""
    chapter("Clone it elsewhere")
    beside = Terminal(terminal.folder.parent, terminal.env)
    beside.type("git clone --quiet wine colleague")
    theirs = Terminal(beside.folder / "colleague", terminal.env)
    theirs.type("pivot pull --yes")
    expect("the clone has the same outs", found=contents(theirs.folder) == first, wanted=True)
    repro(theirs, "no stage ran")
    return theirs


def compare(terminal: Terminal) -> None:
    """A parameter changes, and with it the metrics."""
    chapter("Try an idea, compare the metrics")
    replace(terminal.folder / "params.yaml", "regularisation: 1.0", "regularisation: 0.01")
    repro(terminal, "only what depends on the parameter ran", ran=SCALED)
    terminal.type("pivot metrics diff")
    changes = terminal.ask("pivot metrics diff --json")
    keys = frozenset(change["key"] for change in changes)
    expect("the log loss differs from the committed one", found="log_loss" in keys, wanted=True)


def play(folder: Path) -> None:
    """The story, from an empty `folder`; raises `StoryError` where it goes wrong."""
    project = folder / "wine"
    shutil.copytree(EXAMPLE, project, ignore=LEFT_BEHIND)
    (folder / "home").mkdir()
    terminal = Terminal(project, environment(folder / "home"))
    first_runs(terminal)
    first = contents(project)
    edit_helper(terminal)
    edit_comment(terminal)
    revert_helper(terminal, first)
    share(terminal)
    compare(clone(terminal, first))


def environment(home: Path) -> dict[str, str]:
    """This process's environment without the user's own settings of Git, Pivot and Python."""
    private = ("GIT_", "PIVOT_", "PYTHON", "XDG_", "AWS_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(private)}
    binaries = Path(sys.executable).parent
    return env | {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(binaries), env.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": sys.prefix,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
    }


def fail(error: StoryError) -> NoReturn:
    """End the demo loudly."""
    print(f"\nThe demo FAILED: {error}", file=sys.stderr)
    raise SystemExit(1)


def main() -> None:
    """Play the story in a temporary folder that is removed afterwards."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a pipe in the C locale
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="pivot-demo-") as folder:
        try:
            play(Path(folder).resolve())
        except StoryError as error:
            fail(error)
        except subprocess.TimeoutExpired as late:
            fail(StoryError(f"{shlex.join(late.cmd)} took over {COMMAND_LIMIT_S} s"))
    print(f"\n\nAll of it is as it should be, in {time.perf_counter() - started:.0f} s.")
    print("Where to go next:")
    print("  examples/wine/README.md             the example, to try by hand")
    print("  docs/getting-started/quickstart.md  a pipeline of your own in five minutes")
    print("  docs/concepts.md                    how Pivot knows what to run")


if __name__ == "__main__":
    main()
