"""What libgit2 and the operating system say about a repository, as Pivot's errors."""

import contextlib
import errno
from collections.abc import Iterator

import pygit2

from pivot.errors import DeniedError, LockedError, NoProjectError, PivotError

_FAILED_TO_LOCK = "failed to lock file '"
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


class GitMissingError(PivotError):
    """The `git` command is needed and isn't on PATH."""

    code = "git_missing"


def lock_held(path: str) -> LockedError:
    """The error for a lock file of Git that another process holds, or left behind."""
    return LockedError(
        f"Git's lock file {path} exists",
        why="another Git process is at work in this repository, or one has crashed",
        hint=f"When no Git process is running, remove it with `rm '{path}'`",
    )


def cannot_open(directory: str, error: Exception) -> PivotError:
    """Why libgit2 refused the repository of `directory`, with the remedy that Git itself names."""
    text = str(error)
    if "is not owned by current user" in text:
        owned = text.rsplit("repository path '", 1)[-1].split("'", 1)[0]
        return DeniedError(
            f"the Git repository {owned} can't be used",
            why="it belongs to another user",
            hint=f"If you trust it, run `git config --global --add safe.directory '{owned}'`",
        )
    if "unknown object format" in text or "unsupported extension" in text:
        return NoProjectError(
            f"the Git repository of {directory} has a format that Pivot can't read",
            why=text.rsplit(": ", 1)[-1],
            hint="Use a repository made by `git init --object-format=sha1 --ref-format=files`",
        )
    return NoProjectError(f"the Git repository of {directory} can't be opened", why=text)


def bare(directory: str) -> NoProjectError:
    """The error for a repository without a work tree."""
    return NoProjectError(
        f"{directory} is in a bare Git repository",
        why="a bare repository has no files for stages to read or write",
        hint="Run `git clone` to make one with a work tree, and run Pivot there",
    )


def _translate(error: Exception, what: str) -> PivotError:
    """`error` as the error that a user can act on; `what` says what failed."""
    text = str(error)
    if _FAILED_TO_LOCK in text:
        return lock_held(text.split(_FAILED_TO_LOCK, 1)[1].split("'", 1)[0])
    if "unsupported mandatory extension" in text and "'link'" in text:
        return PivotError(
            what,
            why="the index is split, which libgit2 can't read",
            hint="Run `git update-index --no-split-index`",
        )
    if "unsupported mandatory extension" in text and "'sdir'" in text:
        return PivotError(
            what,
            why="the index is sparse, which libgit2 can't read",
            hint="Run `git sparse-checkout reapply --no-sparse-index`",
        )
    if isinstance(error, OSError) and error.errno in _DENIED:
        return DeniedError(what, why=text)
    return PivotError(what, why=text)


@contextlib.contextmanager
def git_errors(what: str) -> Iterator[None]:
    """Turn errors of libgit2 and the file system in the block into a `PivotError` saying `what`.

    `KeyError` and `ValueError` are how pygit2's C half reports absent and malformed things, so
    keep the block to its calls.
    """
    try:
        yield
    except (pygit2.GitError, OSError, KeyError, ValueError) as error:
        raise _translate(error, what) from error
