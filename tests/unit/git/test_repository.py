"""Reading a repository, and what is said where that can't be done."""

import os
from datetime import UTC, datetime

import pytest

from pivot.errors import DeniedError, NoProjectError, PivotError, UsageError
from pivot.git.errors import cannot_open
from pivot.git.repository import CommitId, Head, Repository, WorkPath
from pivot.paths import RepoPath


def paths(*names):
    return [WorkPath(name) for name in names]


def test_outside_of_any_repository_there_is_none(tmp_path):
    assert Repository.discover(str(tmp_path)) is None


def test_found_from_any_folder_below_and_through_links(work, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(work.path / "dir")
    for directory in (work.path, work.path / "dir", link):
        found = Repository.discover(str(directory))
        assert found is not None
        assert found.workdir == os.path.realpath(work.path)


def test_a_bare_repository_is_refused_with_what_to_do(tmp_path, unborn):
    unborn.git("init", "--quiet", "--bare", str(tmp_path / "bare"))
    with pytest.raises(NoProjectError, match="bare Git repository") as caught:
        Repository.discover(str(tmp_path / "bare"))
    assert "`git clone`" in str(caught.value.hint)


@pytest.mark.parametrize(
    "setting",
    [("extensions.objectFormat", "sha256"), ("extensions.refStorage", "reftable")],
)
def test_formats_that_libgit2_lacks_are_named(unborn, setting):
    unborn.git("config", "core.repositoryFormatVersion", "1")
    unborn.git("config", *setting)
    with pytest.raises(NoProjectError, match="format that Pivot can't read") as caught:
        Repository.discover(str(unborn.path))
    assert "git init" in str(caught.value.hint)


def test_another_users_repository_is_refused_with_gits_own_remedy():
    error = cannot_open(
        "/x", OSError("/x/.git/: repository path '/x' is not owned by current user")
    )
    assert isinstance(error, DeniedError)
    assert "`git config --global --add safe.directory '/x'`" in str(error.hint)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_libgit2_words_the_owner_mismatch_as_expected(work):
    for folder, _, _ in os.walk(work.path):
        os.chown(folder, 12345, -1)
    with pytest.raises(DeniedError) as caught:
        Repository.discover(str(work.path))
    assert f"safe.directory '{os.path.realpath(work.path)}'" in str(caught.value.hint)


def test_head_on_a_branch_detached_and_unborn(work, tmp_path):
    commit = CommitId(work.git("rev-parse", "HEAD").strip())
    assert work.open().head() == Head("main", commit)
    work.git("switch", "--quiet", "-c", "feature/x")
    assert work.open().head() == Head("feature/x", commit)
    work.git("pack-refs", "--all")
    assert work.open().head() == Head("feature/x", commit)
    work.git("checkout", "--quiet", "--detach")
    assert work.open().head() == Head(None, commit)
    assert work.open().head().detached
    work.git("switch", "--quiet", "--orphan", "fresh")
    assert work.open().head() == Head("fresh", None)


def test_head_is_read_anew_when_git_moves_it(work):
    repository = work.open()
    repository.head()
    moved = work.commit({"a.txt": "new\n"})
    assert repository.head().commit == moved


def test_revisions_resolve_as_git_says(work):
    work.commit({"a.txt": "two\n"})
    work.git("tag", "-a", "v1", "-m", "annotated", "HEAD~1")
    short = work.git("rev-parse", "--short", "HEAD").strip()
    for revision in ("HEAD", "HEAD~1", "main", "v1", "refs/tags/v1", short, "main^", "@"):
        expected = work.git("rev-parse", revision + "^{commit}").strip()
        assert work.open().resolve(revision) == expected


@pytest.mark.parametrize(
    "revision", ["", "nope", "HEAD~99", "-x", "a..b", "abcd", "HEAD:a.txt", "@{"]
)
def test_what_names_no_commit_is_a_usage_error(work, revision):
    with pytest.raises(UsageError) as caught:
        work.open().resolve(revision)
    assert "`" in str(caught.value.hint)


def test_files_are_read_at_a_commit_whatever_is_on_disk(work):
    (work.path / "link").symlink_to("a.txt")
    work.git("add", "link")
    commit = CommitId(work.commit({"dir/bin": "\r\n\0"}))
    work.write("a.txt", "edited")
    repository = work.open()
    assert repository.read(commit, WorkPath("a.txt")) == b"a\n"
    assert repository.read(commit, WorkPath("dir/bin")) == b"\r\n\0"
    for absent in ("dir", "nope", "dir/nope", "a.txt/x", "link"):
        assert repository.read(commit, WorkPath(absent)) is None


def test_a_folder_is_read_with_names_relative_to_it(work):
    commit = CommitId(work.commit({".pivot/stages/a.lock": "1", ".pivot/stages/x/b.lock": "2"}))
    repository = work.open()
    locks = repository.read_tree(commit, WorkPath(".pivot/stages"))
    assert locks == {"a.lock": b"1", "x/b.lock": b"2"}
    assert repository.read_tree(commit, WorkPath("nope")) == {}
    assert repository.read_tree(commit, WorkPath("a.txt")) == {}


def test_an_object_that_is_missing_is_an_error_and_no_absent_file(work):
    commit = CommitId(work.git("rev-parse", "HEAD").strip())
    blob = work.git("rev-parse", "HEAD:a.txt").strip()
    (work.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(PivotError, match=r"a\.txt can't be read from Git"):
        work.open().read(commit, WorkPath("a.txt"))


def test_tracked_are_files_and_folders_of_head_or_the_index(work):
    work.write("staged/deep/s.txt", "s")
    work.git("add", "staged")
    work.git("rm", "--quiet", "--cached", "b.txt")
    work.write("untracked/u.txt", "u")
    asked = ("a.txt", "b.txt", "dir", "di", "dir/c.txt", "staged", "staged/deep", "untracked", "x")
    found = work.open().tracked(paths(*asked))
    assert found == {"a.txt", "b.txt", "dir", "dir/c.txt", "staged", "staged/deep"}


def test_tracked_sees_what_git_stages_meanwhile(work):
    work.write("new.txt", "n\n")
    repository = work.open()
    assert repository.tracked(paths("new.txt")) == frozenset()
    work.git("add", "new.txt")
    assert repository.tracked(paths("new.txt")) == {"new.txt"}


def test_changed_are_files_that_differ_from_head_in_content_mode_or_being(work):
    work.commit({".gitattributes": "*.txt text\n"})
    work.write("a.txt", "a\r\n")  # the same after conversion
    (work.path / "b.txt").chmod(0o755)
    (work.path / "dir/c.txt").unlink()
    work.write("new.txt", "n\n")
    asked = paths("a.txt", "new.txt", "b.txt", "dir/c.txt", "gone.txt")
    assert work.open().changed(asked) == ("new.txt", "b.txt", "dir/c.txt")
    assert not (work.path / ".git/index.lock").exists()


def test_changed_sees_a_stage_that_was_staged_but_not_committed(work):
    work.write("a.txt", "staged\n")
    work.git("add", "a.txt")
    assert work.open().changed(paths("a.txt", "b.txt")) == ("a.txt",)


def test_describe_tells_author_time_and_subject(work):
    commit = CommitId(work.commit({"a.txt": "x"}, "Subject line\n\nbody"))
    info = work.open().describe(commit)
    assert (info.author, info.email, info.subject) == (
        "Author",
        "author@example.org",
        "Subject line",
    )
    assert info.time == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)


def test_a_project_below_the_root_has_its_paths_relative_to_the_root(work):
    repository = work.open()
    project = str(work.path / "dir")
    assert repository.work_path(project, RepoPath("c.txt")) == "dir/c.txt"
    assert repository.work_path(str(work.path), RepoPath("c.txt")) == "c.txt"
    assert repository.work_path(project, RepoPath.ROOT) == "dir"
    with pytest.raises(UsageError):
        repository.work_path(str(work.path), RepoPath.ROOT)
    with pytest.raises(UsageError):
        repository.work_path(str(work.path.parent), RepoPath("c.txt"))


@pytest.mark.parametrize("text", ["", "/a", "../a", "a/../b", "a//b", "./a", "a/", "a\0b"])
def test_a_work_path_stays_in_the_work_tree(text):
    with pytest.raises(ValueError, match="not a path"):
        WorkPath(text)


def test_configuration_is_read_from_the_repository_and_the_user(work):
    work.git("config", "--global", "user.name", "Global")
    work.git("config", "pivot.flag", "yes")
    repository = work.open()
    assert repository.config("user.name") == "Global"
    assert repository.config("pivot.nothing") is None
    assert repository.config_bool("pivot.flag", default=False)
    assert repository.config_bool("pivot.nothing", default=True)
    work.git("config", "pivot.flag", "perhaps")
    with pytest.raises(PivotError, match=r"pivot\.flag can't be read"):
        work.open().config_bool("pivot.flag", default=False)


def test_a_split_index_is_named_with_the_command_that_joins_it(work):
    work.git("update-index", "--split-index")
    with pytest.raises(PivotError) as caught:
        work.open().tracked(paths("a.txt"))
    assert caught.value.hint == "Run `git update-index --no-split-index`"
