"""`pivot commit` and `repro --commit` touch their own files, and nothing of the user's."""

import pytest


def staged(project):
    return project.git("diff", "--cached")


def unstaged(project):
    return project.git("diff", "--", "notes.txt", "a.txt")


@pytest.fixture
def edited(story):
    """The story with a staged change, an unstaged one, and one of each kind in one file."""
    story.pivot("commit", "-m", "Results")
    story.write("notes.txt", "one\n")
    story.write("staged.txt", "staged\n")
    story.commit_all()
    story.write("notes.txt", "one\nstaged\n")
    story.write("new.txt", "new\n")
    story.git("rm", "-q", "--cached", "staged.txt")
    story.git("add", "notes.txt", "new.txt")
    story.write("notes.txt", "one\nstaged\nunstaged\n")
    story.write("untracked.txt", "untracked\n")
    story.replace("lib/low.py", "2", "5")
    story.git("add", "lib/low.py")
    return story


def test_commit_takes_locks_metrics_and_managed_files_only(story):
    done = story.pivot("commit", "-m", "Results")
    assert done.out == "Committed 6 files as COMMIT\n"
    assert story.git("show", "--name-only", "--format=%s", "HEAD").split() == [
        "Results",
        ".gitattributes",
        ".gitignore",
        ".pivot/stages/alone.lock",
        ".pivot/stages/double.lock",
        ".pivot/stages/total.lock",
        "total.json",
    ]
    assert story.git("status", "--short") == ""


def test_commit_without_a_message_names_the_stages(story):
    story.pivot("commit")
    assert story.git("log", "-1", "--format=%s").strip() == (
        "Update results of alone, double, total"
    )


def test_commit_with_nothing_to_do_is_fine(story):
    story.pivot("commit")
    head = story.git("rev-parse", "HEAD")
    assert story.pivot("commit").out == (
        "Nothing to commit: HEAD has these locks, metrics and .pvt files.\n"
    )
    assert story.git("rev-parse", "HEAD") == head


@pytest.mark.parametrize("command", [("commit",), ("repro", "--commit")])
def test_what_the_user_staged_and_changed_stays_as_it_was(edited, command):
    if command == ("commit",):
        edited.pivot("repro")
    index, work = staged(edited), unstaged(edited)
    done = edited.pivot(*command)
    assert "lib/low.py" in done.err
    assert edited.git("log", "-1", "--format=%s").strip() == "Update results of double, total"
    assert (staged(edited), unstaged(edited)) == (index, work)
    assert edited.read("untracked.txt") == "untracked\n"


def test_code_is_taken_along_when_asked(edited):
    edited.pivot("repro")
    done = edited.pivot("commit", "--code")
    assert done.err == ""
    assert "lib/low.py" in edited.git("show", "--name-only", "--format=", "HEAD")
    assert "notes.txt" in staged(edited)


def test_repro_with_commit_and_message(story):
    story.replace("lib/low.py", "2", "5")
    done = story.pivot("repro", "--commit", "-m", "Faster")
    assert done.out.endswith("Committed 6 files as COMMIT\n")
    assert story.git("log", "-1", "--format=%s").strip() == "Faster"


def test_failed_run_commits_nothing(stages):
    project = stages("""
        @stage(outs=["a"])
        def good():
            open("a", "w").close()

        @stage(deps=["a"], outs=["b"])
        def bad():
            raise RuntimeError
    """)
    project.commit_all()
    head = project.git("rev-parse", "HEAD")
    project.pivot("repro", "--commit", code=1)
    assert project.git("rev-parse", "HEAD") == head


def test_lock_of_a_removed_stage_is_removed_by_the_commit(story):
    story.pivot("commit")
    text = story.read("pipeline.py")
    story.write("pipeline.py", text[: text.index('@stage(outs=["alone.txt"])')])
    story.pivot("repro")
    story.pivot("commit")
    shown = story.git("show", "--name-status", "--format=", "HEAD", "--", ".pivot/stages")
    assert shown.split() == ["D", ".pivot/stages/alone.lock"]


def test_held_index_is_said_and_nothing_is_committed(story):
    head = story.git("rev-parse", "HEAD")
    lock = story.path / ".git/index.lock"
    lock.write_text("")
    done = story.pivot("commit", code=11)
    assert done.err.startswith("error: ")
    assert "index.lock" in done.err
    assert "hint: " in done.err
    assert lock.exists()
    assert story.git("rev-parse", "HEAD") == head
    lock.unlink()
    story.pivot("commit")


def test_machine_without_an_identity_can_commit_unless_git_is_told_otherwise(story, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    story.git("config", "user.useConfigOnly", "true")
    head = story.git("rev-parse", "HEAD")
    done = story.pivot("commit", code=2)
    assert "hint: Run `git config --global user.name NAME`" in done.err
    assert story.git("rev-parse", "HEAD") == head
    story.git("config", "--unset", "user.useConfigOnly")
    story.pivot("commit")
    assert story.git("log", "-1", "--format=%an <%ae>").strip() == "Pivot <pivot@localhost>"


def test_out_that_git_tracks_is_refused(story):
    story.git("add", "--force", "alone.txt")
    story.replace("pipeline.py", '"alone\\n"', '"lonely\\n"')
    done = story.pivot("repro", code=2)
    assert done.err == (
        "error: alone.txt is tracked by Git\n"
        "  why: Pivot keeps outs in its store, and Git would see each run as a change\n"
        "hint: Take it out of Git with `git rm -r --cached alone.txt`, and commit that\n"
    )
    assert story.read("alone.txt") == "alone\n"
