"""What tells that HEAD and the index are as they were."""

import pytest

from pivot.git.evidence import head_and_index


def text(work):
    found = head_and_index(str(work.path))
    return None if found is None else found.text


def commit(work):
    work.commit({"b": "b"})


def stage(work):
    work.write("c", "c")
    work.git("add", "c")


def switch(work):
    work.git("switch", "--quiet", "--create", "other")


def detach(work):
    work.git("checkout", "--quiet", "--detach")


def pack(work):
    work.git("pack-refs", "--all")


@pytest.mark.parametrize("change", [commit, stage, switch, detach, pack])
def test_whatever_changes_head_or_the_index_is_seen(work, change):
    work.commit({"a": "a"})
    before = text(work)
    assert before is not None
    assert text(work) == before
    change(work)
    assert text(work) != before


def test_a_folder_below_has_the_evidence_of_its_repository(work):
    work.commit({"deep/er/a": "a"})
    assert head_and_index(str(work.path / "deep" / "er")).text == text(work)


def test_what_cannot_be_told_so_simply_is_not(work, tmp_path, monkeypatch):
    work.commit({"a": "a"})
    linked = tmp_path / "linked"
    work.git("worktree", "add", "--quiet", str(linked))
    assert head_and_index(str(linked)) is None
    outside = tmp_path / "outside"
    outside.mkdir()
    assert head_and_index(str(outside)) is None
    (work.path / ".git/refs/heads/alias").write_text("ref: refs/heads/main\n")
    work.git("symbolic-ref", "HEAD", "refs/heads/alias")
    assert head_and_index(str(work.path)) is None
    work.git("symbolic-ref", "HEAD", "refs/heads/main")
    monkeypatch.setenv("GIT_DIR", "elsewhere")
    assert head_and_index(str(work.path)) is None
