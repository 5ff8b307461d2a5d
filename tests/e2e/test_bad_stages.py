"""Stages that end badly: said with why and what helps; their last good outs come back."""

import os
import resource
import signal

import pytest

DEATHS = {
    "exception": ("raise ValueError('no such column')", "ValueError: no such column"),
    "sys.exit(0)": ("sys.exit(0)", "sys.exit(0) was called"),
    "sys.exit()": ("sys.exit()", "sys.exit() was called"),
    "os._exit(0)": ("os._exit(0)", "its process exited with code 0 before the stage returned"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "SIGINT to itself": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", "KeyboardInterrupt"),
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", "its process was killed by SIGKILL"),
    "SIGSEGV": ("os.kill(os.getpid(), signal.SIGSEGV)", "its process was killed by SIGSEGV"),
    "out not written": ("os.unlink('a')", "it did not write a"),
    "out that can't be stored": ("os.unlink('a'); os.mkfifo('a')", "a"),
}


@pytest.mark.parametrize("death", DEATHS)
def test_stage_that_dies_gives_its_outs_back(stages, death):
    text, message = DEATHS[death]
    project = stages(f"""
        @stage(deps=["in"], outs=["a", "tree"])
        def make():
            with open("in") as f, open("a", "w") as out:
                good = f.read()
                out.write(good)
            os.mkdir("tree")
            open("tree/" + good, "w").close()
            if good == "bad":
                {text}

        @stage(deps=["a"], outs=["b"])
        def below():
            open("b", "w").close()
    """)
    project.write("in", "good")
    project.pivot("repro")
    lock = project.lock("make").read_bytes()
    project.write("in", "bad")
    done = project.pivot("repro", code=1)
    assert done.statuses == {"make": "failed", "below": "blocked"}
    assert f"error: stage make: {message}" in done.err
    assert (project.read("a"), os.listdir(project.path / "tree")) == ("good", ["good"])
    assert project.lock("make").read_bytes() == lock
    assert project.pivot("status", "--exit-code", code=4).statuses["make"] == "stale"
    project.write("in", "good")
    assert set(project.pivot("repro").statuses.values()) == {"unchanged"}


def test_traceback_shows_the_users_lines_only(stages):
    project = stages("""
        def deeper():
            raise ValueError("no such column")

        @stage(outs=["a"])
        def make():
            print("before")
            deeper()
    """)
    done = project.pivot("repro", code=1)
    assert "in deeper" in done.err
    assert "run/child.py" not in done.err
    (log,) = project.path.glob(".pivot/runs/*/logs/make.log")
    assert project.normalised(f"  log: {log}\n") in done.err
    assert log.read_text().startswith("before\nTraceback")


def test_failed_first_run_leaves_no_half_out_in_place(stages):
    project = stages("""
        @stage(outs=["a"])
        def make():
            with open("a", "w") as f:
                f.write("half")
            raise ValueError
    """)
    project.pivot("repro", code=1)
    assert not project.exists("a")
    (kept,) = project.path.glob(".pivot/aside/kept/*/0")
    assert kept.read_text() == "half", "it is kept for whoever wants to look"
    project.pivot("repro", code=1)


EDITED = """
    @stage(deps=["in"], outs=["a", "tree"])
    def make():
        with open("in") as f, open("a", "w") as out:
            text = f.read()
            out.write(text)
        os.mkdir("tree")
        for name in "xy":
            with open("tree/" + name, "w") as out:
                out.write(text)
"""


@pytest.fixture
def made(stages):
    project = stages(EDITED)
    project.write("in", "one")
    project.pivot("repro")
    return project


@pytest.mark.parametrize("path", ["a", "tree/x", "tree/new"])
def test_edited_out_in_the_way_stops_the_stage_until_forced(made, path):
    made.write(path, "mine")
    made.write("in", "two")
    out = path.partition("/")[0]
    assert f"{out} was edited and would be lost" in made.pivot("status").out
    done = made.pivot("repro", code=1)
    assert f"error: stage make: {out} would be overwritten\n" in done.err
    assert "hint: Keep a copy, then run `pivot repro --force make`" in done.err
    assert made.read(path) == "mine"
    assert made.pivot("repro", "--force", "make").statuses == {"make": "ran"}
    assert made.read("a") == "two"
    assert sorted(os.listdir(made.path / "tree")) == ["x", "y"]


@pytest.mark.parametrize("path", ["a", "tree/x"])
def test_edited_out_is_kept_where_nothing_else_changed(made, path):
    made.write(path, "mine")
    made.pivot("repro", code=1)
    assert made.read(path) == "mine"
    assert "pivot checkout --force" in made.pivot("checkout", code=None).err
    assert made.read(path) == "mine"
    made.pivot("checkout", "--force")
    assert made.read(path) == "one"
    assert made.pivot("repro").statuses == {"make": "unchanged"}


def test_dry_checkout_says_where_it_would_stop(made):
    made.write("tree/x", "mine")
    (made.path / "a").unlink()
    assert made.pivot("checkout", "--dry-run").out == (
        "would restore a\n"
        "would stop at tree/x, which was edited; `--force` overwrites it\n"
    )  # fmt: skip


def test_file_of_the_user_at_an_outs_path_is_not_overwritten(stages):
    project = stages(EDITED)
    project.write("in", "one")
    project.write("a", "mine, before any run")
    done = project.pivot("repro", code=1)
    assert "a would be overwritten" in done.err
    assert project.read("a") == "mine, before any run"


def test_older_held_version_is_replaced_freely(made):
    made.write("in", "two")
    made.pivot("repro")
    made.write("a", "one")
    assert made.pivot("repro").statuses == {"make": "restored"}
    assert made.read("a") == "two"


def test_disk_that_is_full_fails_the_stage_and_loses_nothing(made):
    lock = made.lock("make").read_bytes()
    made.write("in", "x" * 3_000_000)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = made.pivot("repro", code=1, limits=limit)
    assert "error: stage make: " in done.err
    assert "File too large" in done.err
    assert (made.read("a"), made.read("tree/x")) == ("one", "one")
    assert made.lock("make").read_bytes() == lock
    assert made.pivot("repro").statuses == {"make": "ran"}


def test_store_that_is_full_fails_the_stage_and_loses_nothing(stages):
    """The stage itself writes little to one file; the pack of all of it is too much."""
    project = stages("""
        @stage(deps=["in"], outs=["tree"])
        def make():
            os.mkdir("tree")
            for i in range(40):
                with open(f"tree/{i}", "wb") as f:
                    f.write(os.urandom(50_000) if open("in").read() == "much" else b"little")
    """)
    project.write("in", "little")
    project.pivot("repro")
    lock = project.lock("make").read_bytes()
    project.write("in", "much")

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = project.pivot("repro", code=1, limits=limit)
    assert "File too large" in done.err
    assert "hint: " in done.err
    assert project.read("tree/7") == "little"
    assert project.lock("make").read_bytes() == lock
    assert not list(project.path.glob(".pivot/cache/**/.pivot-tmp*"))
    assert project.pivot("repro").statuses == {"make": "ran"}


def test_folder_on_the_way_to_an_out_that_is_a_link_is_refused(stages, tmp_path):
    project = stages("""
        @stage(outs=["folder/a"])
        def make():
            open("folder/a", "w").close()
    """)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_text("theirs")
    (project.path / "folder").symlink_to(outside)
    done = project.pivot("repro", "--force", code=1)
    assert "link" in done.err
    assert (outside / "a").read_text() == "theirs"
