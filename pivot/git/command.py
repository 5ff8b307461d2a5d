"""The `git` command, for commits that libgit2 can't make: signed ones, and external filters."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from pivot.errors import PivotError
from pivot.git.addresses import REDIRECTIONS
from pivot.git.errors import GitMissingError
from pivot.git.identity import Identity
from pivot.git.repository import CommitId, Repository, WorkPath


def commit_by_command(
    repository: Repository,
    paths: Sequence[WorkPath],
    message: str,
    identity: Identity,
    environ: Mapping[str, str],
) -> CommitId | None:
    """`git commit --only` of these files, hooks off, as `commit_only` does it through libgit2.

    Raises `GitMissingError` without a `git` command, and `PivotError` with what Git said.
    """
    changed = repository.changed(paths)
    if not changed:
        return None
    env = {name: value for name, value in environ.items() if name not in REDIRECTIONS}
    env.update(identity.environment())
    known = repository.tracked(changed)
    new = [path for path in changed if path not in known]
    before = repository.head().commit
    if new:
        _git(repository, ["add", "--force", "--intent-to-add"], new, env)
    result = _run(repository, ["commit", "--only", "--quiet", "-m", message], changed, env)
    after = repository.head().commit
    if after is not None and after != before:
        return after
    if new:
        _git(repository, ["rm", "--cached", "--quiet", "--force"], new, env)
    if before is not None and _unchanged(repository, changed, env):
        return None
    raise PivotError("`git commit` failed", why=_said(result))


def _unchanged(repository: Repository, paths: Sequence[WorkPath], env: Mapping[str, str]) -> bool:
    """Whether Git, which applies its external filters, sees no change in files that it knows."""
    tracked = [path for path in paths if path in repository.tracked(paths)]
    arguments = ["diff", "--quiet", "HEAD", "--", *tracked]
    return tracked == list(paths) and _start(repository, arguments, b"", env).returncode == 0


def _git(
    repository: Repository, arguments: list[str], paths: Sequence[WorkPath], env: Mapping[str, str]
) -> None:
    result = _run(repository, arguments, paths, env)
    if result.returncode != 0:
        raise PivotError(f"`git {arguments[0]}` failed", why=_said(result))


def _run(
    repository: Repository, arguments: list[str], paths: Sequence[WorkPath], env: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """Run a command on paths; they go through standard input, where no limit cuts them off."""
    names = b"".join(os.fsencode(path) + b"\0" for path in paths)
    arguments = [*arguments, "--pathspec-from-file=-", "--pathspec-file-nul"]
    return _start(repository, arguments, names, env)


def _start(
    repository: Repository, arguments: list[str], data: bytes, env: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "--literal-pathspecs", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        return subprocess.run(
            command,
            cwd=repository.workdir,
            env=env,
            input=data,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise GitMissingError(
            "the `git` command is needed to sign commits and to run filters, and isn't found",
            hint="Install Git, or turn signing off with `git config commit.gpgsign false`",
        ) from None


def _said(result: subprocess.CompletedProcess[bytes]) -> str:
    text = (result.stderr or result.stdout).decode(errors="replace").strip()
    return text or f"it ended with exit code {result.returncode}"
