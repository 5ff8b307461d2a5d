"""Commits that only the `git` command can make: signed ones, and files with a filter program."""

import pytest

from pivot.errors import PivotError
from pivot.git.commit import commit_only
from pivot.git.errors import GitMissingError
from pivot.git.repository import WorkPath

SIGNER = """#!/bin/sh
cat >/dev/null
echo '[GNUPG:] SIG_CREATED ' >&2
echo '-----BEGIN PGP SIGNATURE-----'
echo signed
echo '-----END PGP SIGNATURE-----'
"""


def commit(work, *names):
    return commit_only(work.open(), [WorkPath(name) for name in names], "locks")


@pytest.fixture
def signing(work, tmp_path):
    """A repository whose commits are signed by a program that always succeeds."""
    program = tmp_path / "signer"
    program.write_text(SIGNER)
    program.chmod(0o755)
    work.git("config", "commit.gpgSign", "true")
    work.git("config", "gpg.program", str(program))
    return work


def test_a_signed_commit_takes_just_the_named_files(signing):
    signing.write("a.txt", "new\n")
    signing.write("new *.txt", "new\n")
    (signing.path / "dir/c.txt").unlink()
    signing.write("b.txt", "staged\n")
    signing.git("add", "b.txt")
    hook = signing.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    made = commit(signing, "a.txt", "new *.txt", "dir/c.txt", "gone.txt")
    assert "-----BEGIN PGP SIGNATURE-----" in signing.git("cat-file", "-p", str(made))
    changed = signing.git("show", "--name-status", "--format=", "HEAD").splitlines()
    assert sorted(changed) == ["A\tnew *.txt", "D\tdir/c.txt", "M\ta.txt"]
    assert signing.git("status", "--porcelain") == "M  b.txt\n"


def test_nothing_to_sign_is_none(signing):
    assert commit(signing, "a.txt") is None


def test_a_signature_that_fails_leaves_the_index_as_it_was(signing):
    signing.git("config", "gpg.program", "false")
    signing.write("a.txt", "new\n")
    signing.write("new.txt", "new\n")
    before = signing.git("status", "--porcelain")
    with pytest.raises(PivotError, match="`git commit` failed"):
        commit(signing, "a.txt", "new.txt")
    assert signing.git("status", "--porcelain") == before


def test_a_signed_commit_ignores_the_repository_of_a_surrounding_hook(signing, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    signing.write("a.txt", "new\n")
    made = commit(signing, "a.txt")
    monkeypatch.undo()
    assert made is not None


def test_filter_programs_run(work):
    work.git("config", "filter.upper.clean", "tr a-z A-Z")
    work.commit({".gitattributes": "*.up filter=upper\n"})
    work.write("x.up", "shout\n")
    assert commit(work, "x.up")
    assert work.git("show", "HEAD:x.up") == "SHOUT\n"
    assert commit(work, "x.up") is None
    assert work.git("status", "--porcelain") == ""


def test_without_a_git_command_the_message_says_what_needs_it(signing, monkeypatch, tmp_path):
    signing.write("a.txt", "new\n")
    repository = signing.open()
    environ = {"PATH": str(tmp_path)}
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissingError, match="needed to sign"):
        commit_only(repository, [WorkPath("a.txt")], "m", environ=environ)
