"""`pivot init`: make a folder a project."""

import contextlib
import os

import click

from pivot.cli.terminal import note, say
from pivot.errors import NoProjectError
from pivot.project.initialise import initialise
from pivot.project.layout import find_project


@click.command()
@click.option("--no-git", is_flag=True, help="Go without Git: locks are kept, but not shared.")
def init(no_git: bool) -> None:
    """Make this folder a Pivot project. Doing it again changes nothing.

    Writes `.pivot/` with its configuration, a block in `.gitignore` that keeps outs out of Git,
    and `.gitattributes` for locks. Commit them with `pivot commit`.
    """
    made = initialise(os.getcwd(), git=not no_git)
    if not made.changed:
        say(f"{made.root} is a Pivot project already.")
        return
    say(f"Made {made.root} a Pivot project.")
    with contextlib.suppress(NoProjectError):
        outer = find_project(os.path.dirname(made.root)).root
        note(f"warning: it lies in the project {outer}, which no longer sees what is in it")
        note(f"hint: If that wasn't meant, remove {made.root}/.pivot")
    for path in made.changed:
        say(f"  {path}")
    if not os.path.exists(os.path.join(made.root, "pipeline.py")):
        say("Define stages in `pipeline.py`, then run `pivot repro`.")
    else:
        say("Next: `pivot repro`.")
