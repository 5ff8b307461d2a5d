"""`pivot commit`: locks, metrics and what is tracked become a Git commit."""

import click

from pivot.cli.terminal import emit, json_option, note, open_project, plural, say
from pivot.project.project import Project
from pivot.project.results import commit_results


@click.command()
@click.option("-m", "--message", help="The commit's message.  [default: names the stages]")
@click.option("--code", is_flag=True, help="Take the sources that results were made from along.")
@json_option
def commit(message: str | None, code: bool, as_json: bool) -> None:
    """Commit locks, metrics, .pvt files and Pivot's managed files to Git, and nothing else.

    Works like `git commit --only`: what you have staged or changed besides stays as it is. Git's
    hooks don't run.
    """
    with open_project() as project:
        commit_now(project, message, code=code, as_json=as_json)


def commit_now(
    project: Project,
    message: str | None,
    *,
    code: bool = False,
    as_json: bool = False,
    quiet: bool = False,
) -> None:
    """Commit, and say what was done: in words, as one object, or with `quiet` not at all."""
    done = commit_results(project, message, code=code)
    if as_json:
        emit({"commit": done.commit, "paths": list(done.paths), "sources": list(done.sources)})
    elif quiet:
        return
    elif done.commit is None:
        say("Nothing to commit: HEAD has these locks, metrics and .pvt files.")
    else:
        say(f"Committed {plural(len(done.paths), 'file')} as {done.commit[:10]}")
    if done.sources and not as_json:
        note(f"warning: results were made from sources that HEAD doesn't have: "
             f"{', '.join(done.sources)}")  # fmt: skip
        note("hint: Commit them with `git commit`, or take them along with `pivot commit --code`")
