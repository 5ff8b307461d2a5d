"""`git commit --only`: named files become a commit, and nothing else moves.

A commit takes the files as they are in the work tree, whatever is staged. Their index entries
move along with HEAD, since an index left behind would make the user's next commit revert them.
Everything else, staged or not, stays as it is. Hooks of the repository are not run.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pygit2

from pivot.errors import LockedError, PivotError, UsageError
from pivot.git.command import commit_by_command
from pivot.git.errors import git_errors
from pivot.git.identity import Identity, Person
from pivot.git.index import IndexLock
from pivot.git.repository import CommitId, Entry, Head, Repository, WorkPath

_UNFINISHED = {
    "MERGE_HEAD": ("merge", "git merge --continue"),
    "CHERRY_PICK_HEAD": ("cherry-pick", "git cherry-pick --continue"),
    "REVERT_HEAD": ("revert", "git revert --continue"),
}


@dataclass(frozen=True, slots=True)
class _Change:
    """What a commit takes up: entries (None: the file is gone), and files' states on disk."""

    entries: Mapping[WorkPath, Entry | None]
    stats: Mapping[WorkPath, os.stat_result]


def commit_only(
    repository: Repository,
    paths: Iterable[WorkPath],
    message: str,
    *,
    environ: Mapping[str, str] | None = None,
) -> CommitId | None:
    """Commit just these files as they are on disk; None when HEAD has them all like this.

    Files that Git ignores or doesn't know yet are committed too, files that are gone are deleted.
    Works on a branch without commits and on a detached HEAD. Where signing or an external filter
    (Git LFS) is configured the `git` command does the same.

    Args:
        repository: where to commit.
        paths: files; a folder counts as a file that is gone.
        message: cleaned up as `git commit -m` does.
        environ: where `GIT_AUTHOR_*` and `GIT_COMMITTER_*` come from; the process's by default.

    Raises:
        UsageError: for an empty message, or during a merge, cherry-pick or revert.
        LockedError: when another process holds the index or the branch, or moved HEAD meanwhile.
        PivotError: when Git's files can't be read or written; the work tree is untouched.
    """
    text = clean_message(message)
    if not text:
        raise UsageError("a commit needs a message", hint="Give one with `-m MESSAGE`")
    wanted = tuple(sorted(set(paths)))
    _refuse_unfinished(repository)
    environ = os.environ if environ is None else environ
    identity = Identity.of(repository, environ)
    if _needs_command(repository, wanted):
        return commit_by_command(repository, wanted, text, identity, environ)
    with IndexLock(repository.gitdir) as lock:
        return _commit(repository, lock, wanted, text, identity)


def clean_message(message: str) -> str:
    """`message` without blank lines around it, doubled ones, and spaces at line ends."""
    lines: list[str] = []
    for line in message.splitlines():
        text = line.rstrip()
        if text or (lines and lines[-1]):
            lines.append(text)
    return "\n".join(lines).strip("\n") + "\n" if any(lines) else ""


def _refuse_unfinished(repository: Repository) -> None:
    """Raise in the middle of a merge and the like, where the next commit means something else."""
    for name, (what, command) in _UNFINISHED.items():
        if os.path.exists(os.path.join(repository.gitdir, name)):
            raise UsageError(
                f"only some files can't be committed during a {what}",
                why=f"Git's next commit in {repository.workdir} finishes the {what}",
                hint=f"Finish it with `{command}`",
            )


def _needs_command(repository: Repository, paths: Iterable[WorkPath]) -> bool:
    """Whether libgit2 lacks what this commit takes: signatures, and filters that are programs."""
    if repository.config_bool("commit.gpgsign", default=False):
        return True
    names = {repository.attribute(path, "filter") for path in paths}
    return any(
        isinstance(name, str)
        and (
            repository.config(f"filter.{name}.clean") or repository.config(f"filter.{name}.process")
        )
        for name in names
    )


def _commit(
    repository: Repository,
    lock: IndexLock,
    paths: Iterable[WorkPath],
    message: str,
    identity: Identity,
) -> CommitId | None:
    """Objects, then the branch's lock, then the index, then the branch.

    Objects that nothing names yet are harmless. The branch is locked and compared before the
    index is replaced, so a HEAD that moved is noticed while all is as it was. A crash between the
    last two steps leaves the files staged and not committed, which the next commit takes up; the
    other order would leave the old files staged, and the user's next commit would revert ours.
    """
    _refuse_unmerged(repository)
    head = repository.head()
    change = _read(repository, head, paths)
    tree = _write_tree(repository, head, change)
    if tree == _tree_of(repository, head.commit):
        return None
    commit = _write_commit(repository, head, tree, message, identity)
    lock.prepare(change.entries, change.stats)
    subject = message.split("\n", 1)[0].strip()
    entry = f"commit{' (initial)' if head.commit is None else ''}: {subject}"
    name = "HEAD" if head.branch is None else f"refs/heads/{head.branch}"
    with git_errors(f"{name} can't be moved to the new commit {commit}"):
        # The reflog's author; pygit2 1.21 can't take one for a single transaction.
        repository.raw.set_ident(identity.committer.name, identity.committer.email)
        with repository.raw.transaction() as transaction:
            transaction.lock_ref(name)
            _refuse_moved(repository, head)
            lock.publish()
            transaction.set_target(name, pygit2.Oid(hex=commit), message=entry)
    return commit


def _refuse_unmerged(repository: Repository) -> None:
    if repository.index().conflicts is not None:
        raise UsageError(
            "nothing can be committed while files are unmerged",
            why=f"Git's index in {repository.workdir} has conflicts",
            hint="See which with `git status`, and resolve them",
        )


def _refuse_moved(repository: Repository, head: Head) -> None:
    if repository.head() != head:
        raise LockedError(
            "HEAD moved while the commit was made",
            why="another process committed or switched branches; nothing was changed",
            hint="Run the command again",
        )


def _read(repository: Repository, head: Head, paths: Iterable[WorkPath]) -> _Change:
    """Put the files into Git's object database, and say what they are now."""
    trust_modes = repository.config_bool("core.filemode", default=True)
    entries: dict[WorkPath, Entry | None] = {}
    stats: dict[WorkPath, os.stat_result] = {}
    for path in paths:
        # The state comes first: a file that changes while it is read then differs from it.
        state = _lstat(repository.absolute(path))
        known = repository.at(head.commit, path)
        entry = repository.on_disk(path, known, trust_modes=trust_modes)
        if state is not None and entry is not None and entry != known:
            entry = Entry(entry.mode, _write_blob(repository, path))
        entries[path] = entry
        if state is not None and entry is not None:
            stats[path] = state
    return _Change(entries, stats)


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise PivotError(f"{path} can't be read", why=error.strerror) from error


def _write_blob(repository: Repository, path: WorkPath) -> str:
    with git_errors(f"{path} can't be written to Git's objects"):
        return str(repository.raw.create_blob_fromworkdir(path))


def _write_tree(repository: Repository, head: Head, change: _Change) -> pygit2.Oid:
    """HEAD's tree with just these entries changed."""
    with git_errors("the commit's tree can't be written"):
        index = pygit2.Index()
        if head.commit is not None:
            index.read_tree(repository.raw[head.commit].peel(pygit2.Tree))
        for path, entry in change.entries.items():
            if entry is not None:
                mode = pygit2.enums.FileMode(entry.mode)
                index.add(pygit2.IndexEntry(path, pygit2.Oid(hex=entry.blob), mode))
            elif path in index:
                index.remove(path)
        return index.write_tree(repository.raw)


def _tree_of(repository: Repository, commit: CommitId | None) -> pygit2.Oid:
    """The tree of a commit; the empty tree of a branch that has none."""
    with git_errors("HEAD's tree can't be read"):
        if commit is None:
            return pygit2.Index().write_tree(repository.raw)
        return repository.raw[commit].peel(pygit2.Tree).id


def _write_commit(
    repository: Repository, head: Head, tree: pygit2.Oid, message: str, identity: Identity
) -> CommitId:
    """Write the commit object; no reference names it yet."""
    with git_errors("the commit can't be written"):
        oid = repository.raw.create_commit(
            None,
            _signature(identity.author),
            _signature(identity.committer),
            message,
            tree,
            [] if head.commit is None else [pygit2.Oid(hex=head.commit)],
        )
    return CommitId(str(oid))


def _signature(person: Person) -> pygit2.Signature:
    if person.when is None:
        return pygit2.Signature(person.name, person.email)
    return pygit2.Signature(person.name, person.email, person.when.seconds, person.when.offset)
