"""`commit_only` beside the real `git commit --only`, whole outputs compared."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.errors import LockedError, UsageError
from pivot.git import commit as commit_module
from pivot.git.commit import clean_message, commit_only
from pivot.git.repository import Repository, WorkPath

OURS = "refs/heads/main"


def state(work: Any) -> dict[str, str]:
    """All that Git tells about a repository."""
    questions = {
        "stat data": "diff-files",  # first, since `status` refreshes it
        "status": "status --porcelain=v1 --branch --untracked-files=all --ignored",
        "staged": "diff --cached",
        "unstaged": "diff",
        "index": "ls-files --stage -t -v",
        "head": "cat-file -p HEAD",
        "tree": "ls-tree -r HEAD",
        "where": "rev-parse HEAD --symbolic-full-name HEAD",
        "reflog": "reflog show --format=%gs:%gn:%H HEAD",
        "branches": "for-each-ref",
        "check": "fsck --strict --no-dangling",
    }
    return {name: work.git(*text.split(), check=False) for name, text in questions.items()}


def with_git(work: Any, paths: Sequence[str], message: str) -> None:
    """The same by the real Git; files that it doesn't know are named to it first."""
    known = set(work.git("ls-files", "-z").split("\0"))
    known |= set(work.git("ls-tree", "-rz", "--name-only", "HEAD", check=False).split("\0"))
    new = [p for p in paths if p not in known and os.path.lexists(work.path / p)]
    if new:
        work.git("add", "--force", "--intent-to-add", "--", *new)
    named = [path for path in paths if path in known or path in new]
    if named:
        work.git("commit", "--quiet", "--only", "-m", message, "--", *named, check=False)


def with_pivot(work: Any, paths: Sequence[str], message: str = "locks") -> str | None:
    return commit_only(work.open(), [WorkPath(path) for path in paths], message)


def check_same(work: Any, paths: Sequence[str], message: str = "locks") -> str | None:
    """Commit with both, in two equal repositories, and compare everything."""
    twin = work.twin()
    with_git(twin, paths, message)
    made = with_pivot(work, paths, message)
    assert state(work) == state(twin)
    return made


def test_an_edited_file_is_committed_and_its_index_entry_moves_along(work):
    work.write("a.txt", "new\n")
    assert check_same(work, ["a.txt"]) == work.git("rev-parse", "HEAD").strip()
    assert work.git("status", "--porcelain") == ""


def test_what_else_is_staged_or_edited_stays_so(work):
    work.write("b.txt", "staged\n")
    work.git("add", "b.txt")
    work.write("b.txt", "edited after staging\n")
    work.write("new.txt", "staged new\n")
    work.git("add", "new.txt")
    work.git("rm", "--quiet", "--cached", "dir/c.txt")
    work.write("a.txt", "mine\n")
    check_same(work, ["a.txt"])
    assert work.git("show", "--name-only", "--format=", "HEAD").split() == ["a.txt"]


def test_the_work_tree_wins_over_what_is_staged_for_a_named_file(work):
    work.write("a.txt", "staged\n")
    work.git("add", "a.txt")
    work.write("a.txt", "on disk\n")
    check_same(work, ["a.txt"])
    assert work.git("show", "HEAD:a.txt") == "on disk\n"


def test_a_file_that_is_gone_is_deleted(work):
    (work.path / "dir/c.txt").unlink()
    check_same(work, ["dir/c.txt"])
    assert work.git("ls-files") == "a.txt\nb.txt\n"


def test_a_new_file_is_committed_even_where_git_ignores_it(work):
    work.commit({".gitignore": "*.json\n"})
    work.write("metrics.json", "{}\n")
    check_same(work, ["metrics.json"])
    assert work.git("ls-files", "metrics.json") == "metrics.json\n"


def test_executable_bits_and_links_are_kept(work):
    (work.path / "a.txt").chmod(0o755)
    (work.path / "link").symlink_to("a.txt")
    check_same(work, ["a.txt", "link"])
    modes = {line.split("\t")[1]: line[:6] for line in work.git("ls-tree", "HEAD").splitlines()}
    assert (modes["a.txt"], modes["link"], modes["b.txt"]) == ("100755", "120000", "100644")


def test_executable_bits_are_those_of_head_where_the_file_system_has_none(work):
    work.git("config", "core.fileMode", "false")
    (work.path / "a.txt").chmod(0o755)
    work.write("b.txt", "new\n")
    check_same(work, ["a.txt", "b.txt"])


def test_the_first_commit_of_a_branch_without_commits(unborn):
    unborn.write("a.txt", "a\n")
    unborn.write("staged.txt", "s\n")
    unborn.git("add", "staged.txt")
    assert check_same(unborn, ["a.txt"])
    assert unborn.git("reflog", "--format=%gs") == "commit (initial): locks\n"
    assert unborn.git("status", "--porcelain") == "A  staged.txt\n"


def test_a_first_commit_before_anything_was_ever_staged(unborn):
    unborn.write("deep/er/a.txt", "a\n")
    check_same(unborn, ["deep/er/a.txt"])


def test_a_detached_head_moves_alone(work):
    work.git("checkout", "--quiet", "--detach")
    work.write("a.txt", "new\n")
    check_same(work, ["a.txt"])
    assert work.git("rev-parse", OURS) != work.git("rev-parse", "HEAD")


def test_nothing_to_commit_is_none_and_changes_nothing(work):
    work.write("b.txt", "staged\n")
    work.git("add", "b.txt")
    assert check_same(work, ["a.txt", "gone.txt"]) is None
    assert work.git("rev-list", "--count", "HEAD") == "1\n"


def test_nothing_to_commit_on_a_branch_without_commits_is_none(unborn):
    assert with_pivot(unborn, ["gone.txt"]) is None
    assert unborn.git("rev-parse", "--verify", "HEAD", check=False) == ""


def test_line_ends_are_converted_as_the_attributes_say(work):
    work.commit({".gitattributes": "*.txt text\n*.lock -text\n"})
    work.write("a.txt", "one\r\ntwo\r\n")
    work.write("s.lock", "one\r\ntwo\r\n")
    check_same(work, ["a.txt", "s.lock"])
    assert work.git("show", "HEAD:a.txt") == "one\ntwo\n"
    assert work.git("show", "HEAD:s.lock") == "one\r\ntwo\r\n"


def test_names_may_have_spaces_globs_and_other_scripts(work):
    names = ["with space.txt", "star*.txt", "[x].txt", "größe/数据.txt", "-dash.txt", ":(top)x"]
    for name in names:
        work.write(name, name)
    work.git("config", "core.quotePath", "false")
    for name in names:
        with_pivot(work, [name])
    assert sorted(work.git("ls-files", "-z").split("\0")[:-1]) == sorted(
        [*names, "a.txt", "b.txt", "dir/c.txt"]
    )
    assert work.git("status", "--porcelain") == ""


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_every_version_of_the_index_keeps_its_flags(work, version):
    work.commit({f"many/{n:03}-{'x' * (n % 90)}.txt": f"{n}\n" for n in range(150)})
    work.git("update-index", "--index-version", version)
    work.git("update-index", "--skip-worktree", "b.txt")
    work.git("update-index", "--assume-unchanged", "dir/c.txt")
    work.write("a.txt", "new\n")
    work.write("many/zz.txt", "new\n")
    check_same(work, ["a.txt", "many/zz.txt"])


def test_an_edit_in_the_same_tick_as_the_index_is_still_seen(work):
    work.git("config", "core.trustCtime", "false")
    tick = 1_700_000_000_000_000_000
    for data in ("b\n", "B\n"):  # the second is an edit of the same size, inode and time
        os.utime(work.write("b.txt", data), ns=(tick, tick))
        if data == "b\n":
            work.git("update-index", "--refresh")
    os.utime(work.path / ".git/index", ns=(tick, tick))
    work.write("a.txt", "new\n")
    with_pivot(work, ["a.txt"])
    assert work.git("status", "--porcelain") == " M b.txt\n"


def test_a_linked_work_tree_commits_on_its_own_branch(work):
    linked = type(work)(work.path.with_name("linked"))
    work.git("worktree", "add", "--quiet", "-b", "side", str(linked.path))
    linked.write("a.txt", "side\n")
    before = work.git("rev-parse", OURS)
    made = with_pivot(linked, ["a.txt"])
    assert linked.git("rev-parse", "refs/heads/side").strip() == made
    assert work.git("rev-parse", OURS) == before
    assert linked.git("status", "--porcelain") == ""
    assert work.git("status", "--porcelain") == ""


def test_a_submodule_commits_in_its_own_repository(work, tmp_path):
    outer = type(work)(tmp_path / "outer")
    outer.path.mkdir()
    outer.git("init", "--quiet")
    outer.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(work.path), "in"
    )
    inner = type(work)(outer.path / "in")
    inner.write("a.txt", "inner\n")
    made = with_pivot(inner, ["a.txt"])
    assert inner.git("rev-parse", "HEAD").strip() == made
    assert inner.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("message", "stored"),
    [
        ("one", "one\n"),
        ("\n\n one  \n\n\n\ntwo\t\n\n", " one\n\ntwo\n"),
        ("ü\r\nb", "ü\nb\n"),
    ],
)
def test_messages_are_cleaned_as_git_does(work, message, stored):
    assert clean_message(message) == stored
    work.write("a.txt", "new\n")
    check_same(work, ["a.txt"], message)


def test_an_empty_message_is_refused(work):
    work.write("a.txt", "new\n")
    with pytest.raises(UsageError, match="needs a message"):
        with_pivot(work, ["a.txt"], " \n ")


@pytest.mark.parametrize("what", ["merge", "cherry-pick", "revert"])
def test_refused_while_a_merge_or_the_like_is_unfinished(work, what):
    work.git("switch", "--quiet", "-c", "side")
    work.commit({"a.txt": "side\n"})
    work.commit({"a.txt": "side two\n"})
    work.git("switch", "--quiet", "main")
    work.commit({"a.txt": "main\n"})
    arguments = {"merge": ["side"], "cherry-pick": ["side"], "revert": ["side~1"]}
    work.git(what, *arguments[what], check=False)
    before = state(work)
    with pytest.raises(UsageError, match=f"during a {what}") as caught:
        with_pivot(work, ["b.txt"])
    assert f"git {what} --continue" in str(caught.value.hint)
    assert state(work) == before


def test_refused_while_files_are_unmerged(work):
    work.write("a.txt", "stashed\n")
    work.git("stash", "--quiet")
    work.commit({"a.txt": "other\n"})
    work.git("stash", "pop", check=False)
    work.write("b.txt", "new\n")
    before = state(work)
    with pytest.raises(UsageError, match="unmerged"):
        with_pivot(work, ["b.txt"])
    assert state(work) == before


def test_head_that_moved_meanwhile_is_never_overwritten(work, monkeypatch):
    work.write("a.txt", "new\n")
    work.write("b.txt", "theirs\n")
    tree = work.git("rev-parse", "HEAD^{tree}").strip()
    theirs = work.git("commit-tree", "-p", "HEAD", "-m", "theirs", tree).strip()
    write = commit_module._write_commit

    def overtaken(*arguments):
        work.git("update-ref", "HEAD", theirs)
        return write(*arguments)

    monkeypatch.setattr(commit_module, "_write_commit", overtaken)
    before = (work.path / ".git/index").read_bytes()
    with pytest.raises(LockedError, match="HEAD moved"):
        with_pivot(work, ["a.txt"])
    assert work.git("rev-parse", "HEAD").strip() == theirs
    assert (work.path / ".git/index").read_bytes() == before
    assert not list((work.path / ".git").rglob("*.lock"))


def test_hooks_are_not_run(work):
    hook = work.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    work.write("a.txt", "new\n")
    assert with_pivot(work, ["a.txt"])


CONTENTS = st.sampled_from([None, "one\n", "two\n", "three\n"])
FILES = ("a", "b", "dir/c", "dir/d")
PLACES = st.fixed_dictionaries(dict.fromkeys(FILES, CONTENTS))


def put(work: Any, files: dict[str, str | None]) -> None:
    for name, data in files.items():
        if data is None:
            (work.path / name).unlink(missing_ok=True)
        else:
            work.write(name, data)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    head=PLACES,
    staged=PLACES,
    disk=PLACES,
    named=st.sets(st.sampled_from(FILES), min_size=1),
    born=st.booleans(),
)
def test_any_mixture_of_head_index_and_work_tree_ends_as_with_git(
    unborn, head, staged, disk, named, born
):
    folder = Path(tempfile.mkdtemp(dir=unborn.path.parent))
    try:
        work = type(unborn)(folder / "w")
        work.path.mkdir()
        work.git("init", "--quiet", "--initial-branch=main")
        if born:
            put(work, head)
            work.git("add", "--all")
            work.git("commit", "--quiet", "--allow-empty", "-m", "base")
        put(work, staged)
        work.git("add", "--all")
        put(work, disk)
        check_same(work, sorted(named))
    finally:
        shutil.rmtree(folder)


def test_commits_through_two_open_repositories_both_survive(work):
    for name in ("x", "y"):
        work.write(name, name)
    first, second = work.open(), Repository.discover(str(work.path))
    assert second is not None
    commit_only(first, [WorkPath("x")], "x")
    commit_only(second, [WorkPath("y")], "y")
    assert work.git("ls-files", "x", "y") == "x\ny\n"
    assert work.git("log", "--format=%s") == "y\nx\nbase\n"
    assert work.git("status", "--porcelain") == ""
