"""Ctrl-C, kills, and sources that change under a running stage: nothing is lost or half done."""

import os
import signal

import pytest

SLOW = """
    @stage(deps=["in"], outs=["slow.txt", "tree"])
    def slow():
        mark("started")
        os.mkdir("tree")
        with open("tree/half", "w") as f:
            f.write("half")
        with open("slow.txt", "w") as f:
            f.write("half"), f.flush()
            wait_for("go")
            f.seek(0)
            f.write(open("in").read())

    @stage(deps=["slow.txt"], outs=["after.txt"])
    def after():
        open("after.txt", "w").close()
"""


def run_once(stages):
    project = stages(SLOW)
    project.write("in", "first result")
    project.mark("go")
    project.pivot("repro")
    project.ran()
    project.write("in", "second")
    return project


def outs(project):
    return {
        name: project.read(name)
        for name in ("slow.txt", "tree/half", "after.txt")
        if project.exists(name)
    }


def test_ctrl_c_ends_the_run_and_puts_the_outs_back(stages):
    project = run_once(stages)
    before, lock = outs(project), project.lock("slow").read_bytes()
    process = project.start("repro")
    project.await_mark("started")
    os.killpg(process.pid, signal.SIGINT)
    done = project.finish(process, 130)
    assert done.statuses == {"slow": "cancelled", "after": "blocked"}
    assert done.out.endswith("1 blocked, 1 cancelled (TIME).\n")
    assert outs(project) == before
    assert project.lock("slow").read_bytes() == lock
    assert os.listdir(project.path / ".pivot/aside") in ([], ["kept"])
    project.mark("go")
    assert project.pivot("repro").statuses == {"slow": "ran", "after": "ran"}


def test_ctrl_c_with_json_still_ends_every_stage(stages):
    project = run_once(stages)
    process = project.start("repro", "--json")
    project.await_mark("started")
    os.killpg(process.pid, signal.SIGINT)
    lines = project.finish(process, 130).lines
    ends = {e["stage"]: e["status"] for e in lines if e["type"] == "stage_finished"}
    assert ends == {"slow": "cancelled", "after": "blocked"}
    assert (lines[-1]["type"], lines[-1]["exit_code"]) == ("run_finished", 130)


def test_ctrl_c_while_definitions_load(stages):
    project = stages("""
        mark("loading"), wait_for("go")

        @stage(outs=["a"])
        def make(): ...
    """)
    process = project.start("status")
    project.await_mark("loading")
    os.killpg(process.pid, signal.SIGINT)
    done = project.finish(process, 130)
    assert (done.out, done.err) == ("", "\nerror: interrupted\n")


def test_kill_in_the_middle_of_a_stage_costs_nothing(stages):
    project = run_once(stages)
    before, lock = outs(project), project.lock("slow").read_bytes()
    process = project.start("repro")
    project.await_mark("started")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert project.lock("slow").read_bytes() == lock
    project.write("in", "first result")
    done = project.pivot("repro")
    assert set(done.statuses.values()) == {"unchanged"}
    assert outs(project) == before


def test_run_after_a_kill_runs_what_was_to_be_run(stages):
    project = run_once(stages)
    process = project.start("repro")
    project.await_mark("started")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    project.ran()
    project.mark("go")
    assert project.pivot("repro").statuses == {"slow": "ran", "after": "ran"}
    assert project.read("slow.txt") == "second"
    assert not project.exists(".pivot/aside") or os.listdir(project.path / ".pivot/aside") in (
        [],
        ["kept"],
    )


def test_outs_of_a_living_run_are_not_taken_for_those_of_a_dead_one(stages):
    project = run_once(stages)
    process = project.start("repro")
    project.await_mark("started")
    project.pivot("repro", "--dry-run")
    other = project.start("repro")
    assert other.stderr.readline() == f"slow   waiting for process {process.pid} (stage slow)\n"
    project.mark("go")
    assert project.finish(process).statuses["slow"] == "ran"
    assert project.finish(other).statuses == {"slow": "unchanged", "after": "unchanged"}


def test_code_that_changes_while_the_stage_runs_writes_no_lock(stages):
    project = run_once(stages)
    lock = project.lock("slow").read_bytes()
    process = project.start("repro")
    project.await_mark("started")
    project.replace("pipeline.py", 'f.write("half"), f.flush()', 'f.write("HALF"), f.flush()')
    project.mark("go")
    done = project.finish(process, 1)
    assert "error: stage slow: code changed while it ran\n" in done.err
    assert "hint: Run `pivot repro` again\n" in done.err
    assert done.statuses == {"slow": "failed", "after": "blocked"}
    assert project.lock("slow").read_bytes() == lock
    assert project.read("slow.txt") == "second", "its outs stay"
    assert project.pivot("repro").statuses["slow"] == "ran"


TWO = """
    @stage(deps=["in"], outs=["first.txt"])
    def first():
        mark("started"), wait_for("go")
        open("first.txt", "w").close()

    @stage(deps=["first.txt"], outs=["second.txt"])
    def second():
        with open("second.txt", "w") as f:
            f.write("old code")
"""


def test_code_that_changes_before_its_stage_starts_is_what_runs(stages):
    """A stage's key is taken when it starts."""
    project = stages(TWO)
    project.write("in", "1")
    process = project.start("repro")
    project.await_mark("started")
    project.replace("pipeline.py", "old code", "new code")
    project.mark("go")
    assert project.finish(process).statuses == {"first": "ran", "second": "ran"}
    assert project.read("second.txt") == "new code"
    assert set(project.pivot("repro").statuses.values()) == {"unchanged"}


@pytest.mark.parametrize("edit", ["x = = 1\n", "raise RuntimeError('no')\n", ""])
def test_definitions_that_break_while_a_run_goes_on_break_no_lock(stages, edit):
    project = stages(TWO)
    project.write("in", "1")
    process = project.start("repro")
    project.await_mark("started")
    text = project.read("pipeline.py")
    project.write("pipeline.py", edit)
    project.mark("go")
    done = project.finish(process, 1)
    assert "report" not in done.err
    assert set(done.statuses.values()) <= {"failed", "blocked", "ran"}
    project.write("pipeline.py", text)
    assert set(project.pivot("repro").statuses.values()) <= {"ran", "unchanged"}
    assert project.read("second.txt") == "old code"


def test_change_of_meaningless_text_while_the_stage_runs_is_no_change(stages):
    project = run_once(stages)
    process = project.start("repro")
    project.await_mark("started")
    project.replace("pipeline.py", 'mark("started")\n', 'mark("started")  # now\n')
    project.mark("go")
    assert project.finish(process).statuses["slow"] == "ran"


def test_dep_that_changes_while_the_stage_runs_writes_no_lock(stages):
    project = run_once(stages)
    lock = project.lock("slow").read_bytes()
    process = project.start("repro")
    project.await_mark("started")
    project.write("in", "third!")
    project.mark("go")
    done = project.finish(process, 1)
    assert "error: stage slow: dep in changed while it ran\n" in done.err
    assert project.lock("slow").read_bytes() == lock


def test_threads_and_children_left_behind_do_not_hold_up_the_run(stages):
    project = stages("""
        import subprocess, threading

        @stage(outs=["a"])
        def leaves():
            threading.Thread(target=time.sleep, args=(60,)).start()
            child = subprocess.Popen(["sleep", "60"])
            with open("a", "w") as f:
                f.write(str(child.pid))
    """)
    assert project.pivot("repro").statuses == {"leaves": "ran"}
    pid = int(project.read("a"))
    project.eventually(lambda: not os.path.exists(f"/proc/{pid}") or _is_zombie(pid))


def _is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
