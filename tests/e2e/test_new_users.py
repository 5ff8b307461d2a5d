"""What people do who haven't read everything: odd places, forgotten steps, batch systems."""

import signal

import pytest


@pytest.fixture
def tracked(empty):
    """A tracked directory and a tracked file, committed."""
    empty.write("data/raw/1", "1\n")
    empty.write("weights.bin", "weights\n")
    empty.pivot("track", "data/raw", "weights.bin")
    empty.commit_all()
    return empty


def test_targets_that_begin_with_a_dot_are_those_of_the_folder_one_is_in(tracked):
    tracked.write("data/raw/1", "mine\n")
    tracked.write("weights.bin", "mine too\n")
    done = tracked.pivot("checkout", "--force", ".", cwd="data/raw")
    assert done.out.splitlines() == ["restored data/raw", "Restored 1 path, 0 unchanged."]
    assert tracked.read("data/raw/1") == "1\n"
    assert tracked.read("weights.bin") == "mine too\n"
    tracked.pivot("checkout", "--force", "../weights.bin", cwd="data")
    assert tracked.read("weights.bin") == "weights\n"
    tracked.write("weights.bin", "mine again\n")
    tracked.pivot("checkout", "--force", str(tracked.path / "weights.bin"), cwd="data")
    assert tracked.read("weights.bin") == "weights\n"
    done = tracked.pivot("checkout", "../..", code=2, cwd="data")
    assert "'../..' is no stage, no out and no tracked path" in done.err


def test_a_project_inside_another_is_made_with_a_warning(tracked):
    done = tracked.pivot("init", cwd="data")
    assert "warning: it lies in the project PROJECT, which no longer sees what is in it" in done.err
    assert "remove PROJECT/data/.pivot" in done.err


def test_tracking_warns_where_gits_rules_undo_it(tracked):
    with open(tracked.path / ".gitignore", "a") as f:
        f.write("!*.bin\nhidden/\n")
    done = tracked.pivot("track", "weights.bin")
    assert "warning: Git does not ignore weights.bin" in done.err
    tracked.write("hidden/x", "x\n")
    done = tracked.pivot("track", "hidden/x")
    assert "warning: Git ignores hidden/x.pvt, so `git add` leaves it out" in done.err
    tracked.pivot("commit", "-m", "x")
    assert "hidden/x.pvt" in tracked.git("ls-files")


def test_results_of_tracked_data_that_was_changed_are_made_with_a_warning(stages):
    project = stages(
        """
        @stage(deps=["raw"], outs=["out.txt"])
        def make():
            with open("out.txt", "w") as out:
                out.write("".join(sorted(os.listdir("raw"))))
        """
    )
    project.write("raw/1", "1")
    project.pivot("track", "raw")
    assert "was changed" not in project.pivot("repro").err
    project.write("raw/2", "2")
    done = project.pivot("repro")
    assert "warning: raw was changed since it was tracked, and results were made of it" in done.err
    assert "`pivot track raw`" in done.err


def test_a_run_that_is_terminated_puts_its_outs_back(stages):
    project = stages(
        """
        @stage(deps=["in.txt"], outs=["out.txt"])
        def make():
            with open("in.txt") as f:
                text = f.read()
            with open("out.txt", "w") as out:
                out.write(text)
                out.flush()
                if text == "slow":
                    mark("begun")
                    time.sleep(60)
        """
    )
    project.write("in.txt", "quick")
    project.pivot("repro")
    project.write("in.txt", "slow")
    running = project.start("repro")
    project.await_mark("begun")
    running.send_signal(signal.SIGTERM)
    project.finish(running, 130)
    assert project.read("out.txt") == "quick"


def test_checkout_puts_back_what_a_killed_run_had_moved_aside(stages):
    project = stages(
        """
        @stage(deps=["in.txt"], outs=["out.txt"])
        def make():
            with open("in.txt") as f:
                text = f.read()
            with open("out.txt", "w") as out:
                out.write("half")
                out.flush()
                if text == "slow":
                    mark("begun")
                    time.sleep(60)
                out.write(text)
        """
    )
    project.write("in.txt", "quick")
    project.pivot("repro")
    project.write("in.txt", "slow")
    running = project.start("repro")
    project.await_mark("begun")
    running.kill()
    project.finish(running, -signal.SIGKILL)
    done = project.pivot("checkout")
    assert "out.txt was put back: the run that was to write it did not end" in done.err
    assert project.read("out.txt") == "halfquick"


def test_a_dry_run_of_a_forced_checkout_says_what_it_would_overwrite(tracked):
    tracked.write("weights.bin", "mine\n")
    asked = tracked.pivot("checkout", "--dry-run")
    assert "would stop at weights.bin, which was edited" in asked.out
    forced = tracked.pivot("checkout", "--dry-run", "--force")
    assert "would overwrite weights.bin, which was edited" in forced.out


def test_letting_go_is_committed_under_its_name(tracked):
    tracked.pivot("untrack", "weights.bin")
    tracked.pivot("commit")
    assert tracked.git("log", "-1", "--format=%s").strip() == "Untrack weights.bin"


def test_data_that_git_took_meanwhile_is_not_overwritten(tracked):
    """Git isn't asked again while nothing changed in it, and is as soon as something did."""
    (tracked.path / "weights.bin").unlink()
    tracked.pivot("checkout")
    tracked.pivot("checkout")
    (tracked.path / "weights.bin").unlink()
    tracked.write("weights.bin", "git's\n")
    tracked.git("add", "--force", "weights.bin")
    done = tracked.pivot("checkout", "--force", code=2)
    assert "weights.bin is tracked by Git" in done.err
    assert tracked.read("weights.bin") == "git's\n"


def test_a_pipeline_without_stages_says_so_whatever_is_asked(stages):
    project = stages("X = 1\n")
    for command in ("repro", "status", "list", "record"):
        assert project.pivot(command).out == "No stages.\n"
