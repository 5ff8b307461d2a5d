"""Running jobs: every ending, many at once, and nothing left behind."""

import json
import os
import py_compile
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pivot.paths import RepoPath, StageName
from pivot.run.executors.executor import Executor
from pivot.run.executors.local import StartMethod
from pivot.run.outcome import Ending

HERE = Path(__file__).parent


def alive(pid):
    """Whether a process runs; the dead that nobody reaped don't count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def eventually(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def test_local_executor_is_an_executor(executor):
    seam: Executor = executor
    assert seam.wait(0) == []


def test_returned_value_is_ignored(any_executor, make_job):
    any_executor.submit(make_job("returns"))
    (outcome,) = any_executor.wait(30)
    assert (outcome.stage, outcome.ending, outcome.message) == ("returns", Ending.RETURNED, None)
    assert 0 < outcome.duration_s < 30


def test_what_a_stage_did_is_reported_but_for_what_it_declares(any_executor, make_job, tmp_path):
    (tmp_path / "data.txt").write_text("1")
    (tmp_path / "given.txt").write_text("1")
    (tmp_path / "watched.py").write_text(
        "def stage():\n    for name in ('data.txt', 'given.txt'):\n        open(name).close()\n"
    )
    job = make_job("stage", source="watched", roots=(str(tmp_path),))
    any_executor.submit(replace(job, declared=(RepoPath("given.txt"),)))
    (outcome,) = any_executor.wait(30)
    assert outcome.observation is not None
    assert set(outcome.observation.reads) == {"data.txt"}
    assert outcome.observation.code == {"watched.py": (1,)}


def test_exception_is_reported_with_the_users_frames_only(any_executor, make_job):
    any_executor.submit(make_job("raises"))
    (outcome,) = any_executor.wait(30)
    assert outcome.ending is Ending.RAISED
    assert outcome.message == "ValueError: no such column"
    files = [line for line in outcome.traceback.splitlines() if line.startswith('  File "')]
    assert [line.rsplit(", in ")[1] for line in files] == ["raises", "raise_deeper"]


def test_exception_stands_at_the_end_of_the_log(run, make_job):
    outcome = run("raises")
    assert Path(make_job("raises").log).read_text() == outcome.traceback


def test_causes_and_groups_are_reported(run):
    chained = run("raises_in_chain")
    assert "ValueError: no such column" in chained.traceback
    assert chained.message == "RuntimeError: cleaning failed"
    assert "TypeError: second" in run("raises_group").traceback


@pytest.mark.parametrize("code", [0, 1, "bye", None])
def test_sys_exit_of_any_code_is_a_failure(run, code):
    outcome = run("exits", code=code)
    shown = "" if code is None else repr(code)
    assert (outcome.ending, outcome.message) == (Ending.RAISED, f"sys.exit({shown}) was called")


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("interrupts", "KeyboardInterrupt"),
        ("raises_unspeakable", "shared_stages.UnspeakableError: <exception str() failed>"),
        ("raises_base_exception", "shared_stages.OutsideException: outside"),
        ("raises_surrogate", "ValueError: \udcff"),
        ("recurses", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_odd_exceptions_are_reported(run, stage, message):
    outcome = run(stage)
    assert (outcome.ending, outcome.message) == (Ending.RAISED, message)


def test_huge_message_is_bounded(run):
    outcome = run("raises_huge")
    assert outcome.ending is Ending.RAISED
    assert len(outcome.message) < 5_000
    assert len(outcome.traceback) < 70_000


@pytest.mark.parametrize("code", [0, 3])
def test_hard_exit_died_with_its_code(any_executor, make_job, code):
    any_executor.submit(make_job("exits_hard", code=code))
    (outcome,) = any_executor.wait(30)
    assert (outcome.ending, outcome.exit_code, outcome.signal) == (Ending.DIED, code, None)
    assert f"code {code}" in outcome.message
    assert Path(make_job("exits_hard").log).read_text() == "last words\n"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGUSR1"])
def test_killed_process_died_with_the_signal(any_executor, make_job, name):
    any_executor.submit(make_job("kills_itself", number=int(signal.Signals[name])))
    (outcome,) = any_executor.wait(30)
    assert (outcome.ending, outcome.signal, outcome.exit_code) == (Ending.DIED, name, None)
    assert ("memory" in (outcome.hint or "")) == (name == "SIGKILL")


def test_crash_in_native_code_names_the_python_line(run, make_job):
    outcome = run("reads_null_pointer")
    assert (outcome.ending, outcome.signal) == (Ending.DIED, "SIGSEGV")
    assert "in reads_null_pointer" in Path(make_job("reads_null_pointer").log).read_text()


def test_unknown_stage_is_reported_with_its_hint(run):
    outcome = run("no_such_stage")
    assert outcome.ending is Ending.RAISED
    assert outcome.message == "stage no_such_stage is gone: renamed"
    assert outcome.hint == "Run `pivot repro`"
    assert "child.py" not in (outcome.traceback or "")


def test_missing_working_directory_is_reported(executor, make_job, tmp_path):
    job = make_job("returns")
    executor.submit(type(job).from_json({**job.to_json(), "cwd": "nowhere"}))
    (outcome,) = executor.wait(30)
    assert outcome.ending is Ending.RAISED
    assert "nowhere" in outcome.message


def test_log_that_cant_be_opened_is_reported(executor, make_job, tmp_path):
    job = make_job("returns")
    executor.submit(type(job).from_json({**job.to_json(), "log": str(tmp_path)}))
    (outcome,) = executor.wait(30)
    assert (outcome.ending, outcome.message.split(":")[0]) == (Ending.RAISED, "IsADirectoryError")


def test_child_that_a_stage_forked_doesnt_report_for_it(run):
    assert run("forks_and_returns_twice").ending is Ending.RETURNED
    assert run("forks_and_raises_in_child").ending is Ending.RETURNED


def test_cancelled_stage_ends_at_once(any_executor, make_job):
    any_executor.submit(make_job("sleeps", seconds=60))
    assert any_executor.wait(0.1) == []
    any_executor.cancel(StageName("sleeps"), StageName("never_submitted"))
    (outcome,) = any_executor.wait(10)
    assert (outcome.stage, outcome.ending) == ("sleeps", Ending.CANCELLED)


def test_stage_cancelled_while_it_starts_ends_too(any_executor, make_job):
    for _ in range(10):
        any_executor.submit(make_job("sleeps", seconds=60))
        any_executor.cancel(StageName("sleeps"))
        (outcome,) = any_executor.wait(3)
        assert outcome.ending is Ending.CANCELLED


def test_cancelled_stage_that_ignores_it_is_killed(make_executor, make_job, tmp_path):
    executor = make_executor(grace_s=0.1)
    executor.submit(make_job("sleeps_deaf", ready=str(tmp_path / "ready")))
    eventually((tmp_path / "ready").exists)
    executor.cancel_all()
    (outcome,) = executor.wait(10)
    assert outcome.ending is Ending.CANCELLED


def test_same_stage_twice_at_once_is_refused(executor, make_job):
    executor.submit(make_job("sleeps", seconds=60))
    with pytest.raises(ValueError, match="already running"):
        executor.submit(make_job("sleeps", seconds=60))


def test_stages_run_at_the_same_time(any_executor, make_job, tmp_path):
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    first = make_job("meets", mine=one, other=two)
    second = type(first).from_json(
        {**make_job("meets", mine=two, other=one).to_json(), "stage": "meets_too"}
    )
    # The stub finds functions by the stage's name.
    project = tmp_path / "root"
    project.mkdir()
    (project / "both.py").write_text("from shared_stages import meets\nmeets_too = meets\n")
    for job in (first, second):
        fields = {**job.to_json(), "source": "both", "roots": [str(project), *job.roots]}
        any_executor.submit(type(job).from_json(fields))
    outcomes = []
    while pending := any_executor.wait(30):
        outcomes += pending
    assert [outcome.ending for outcome in outcomes] == [Ending.RETURNED] * 2


def test_what_a_stage_left_running_is_killed_without_delay(any_executor, make_job, tmp_path):
    started = time.monotonic()
    any_executor.submit(make_job("leaves_things_running", pids=str(tmp_path / "pids")))
    (outcome,) = any_executor.wait(30)
    assert outcome.ending is Ending.RETURNED
    assert time.monotonic() - started < 10
    pids = json.loads((tmp_path / "pids").read_text())
    eventually(lambda: not any(map(alive, pids)), 2)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pool_of_processes_works_in_a_stage(executor, make_job, method):
    executor.submit(make_job("uses_pool", method=method))
    (outcome,) = executor.wait(30)
    assert outcome.ending is Ending.RETURNED, outcome.traceback


def test_pool_of_processes_works_in_a_spawned_stage(make_executor, make_job):
    executor = make_executor(StartMethod.SPAWN)
    executor.submit(make_job("uses_pool", method="spawn"))
    (outcome,) = executor.wait(30)
    assert outcome.ending is Ending.RETURNED, outcome.traceback


def test_all_output_is_captured_in_order(any_executor, make_job):
    any_executor.submit(make_job("prints_every_way"))
    (outcome,) = any_executor.wait(30)
    assert outcome.ending is Ending.RETURNED, outcome.traceback
    assert Path(make_job("prints_every_way").log).read_text() == (
        "from print\nfrom stderr\nfrom os.system\nfrom subprocess\nfrom descriptor 1\nfrom C\n"
        "\N{SNOWMAN} \x1b[31mred\x1b[0m \\udcff\nwithout an end"
    )


def test_big_output_is_kept_whole(run, make_job):
    assert run("prints_much").ending is Ending.RETURNED
    assert Path(make_job("prints_much").log).stat().st_size == 10 << 20


def test_log_is_started_anew(run, make_job):
    Path(make_job("prints_much").log).write_text("old")
    run("raises")
    Path(make_job("raises").log).write_text("old" * 10_000)
    run("raises")
    assert "old" not in Path(make_job("raises").log).read_text()


def test_input_is_empty(run):
    assert run("reads_input").ending is Ending.RETURNED


def test_files_that_a_stage_forgot_to_close_are_written_out(run, tmp_path):
    plain, cyclic = tmp_path / "plain", tmp_path / "cyclic"
    assert run("forgets_to_close", plain=str(plain), cyclic=str(cyclic)).ending is Ending.RETURNED
    assert plain.read_text() == cyclic.read_text() == "all of it"


def test_stage_sees_a_process_of_its_own(any_executor, make_job, tmp_path):
    any_executor.submit(make_job("describes_itself", to=str(tmp_path / "facts")))
    (outcome,) = any_executor.wait(30)
    assert outcome.ending is Ending.RETURNED, outcome.traceback
    facts = json.loads((tmp_path / "facts").read_text())
    assert facts["cwd"] == str(tmp_path)
    assert facts["pid"] == facts["session"]
    assert facts["parent"] == any_executor._server.process.pid
    assert facts["path"][0] == str(HERE / "project")
    assert facts["path"].count(os.getcwd()) <= 1  # at most an editable install's entry
    assert facts["argv"] == ["shared_stages:describes_itself"]
    assert facts["main"] is None
    assert facts["term"]
    assert facts["int"]


def test_forked_stage_has_none_of_the_servers_descriptors(executor, make_job, tmp_path):
    for seconds, stage in ((60, "sleeps"), (0, "describes_itself")):
        params = {"seconds": seconds} if seconds else {"to": str(tmp_path / "facts")}
        executor.submit(make_job(stage, **params))
    executor.wait(30)
    facts = json.loads((tmp_path / "facts").read_text())
    # Its input, output, errors, the report's pipe, and the listing of /dev/fd itself.
    assert len(facts["open"]) == 5, facts["open"]


def test_server_imports_no_project_module(make_executor, make_job, tmp_path, monkeypatch):
    root = tmp_path / "root"
    root.mkdir()
    for name in ("pandas", "project_module"):
        (root / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()\n")
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", f"{HERE / 'loader'}{os.pathsep}{root}")
    executor = make_executor(preload=["pandas", "project_module"])
    executor.submit(make_job("returns"))
    assert executor.wait(60)[0].ending is Ending.RETURNED
    assert not (tmp_path / "imported").exists()


def test_bytecode_that_the_server_read_is_there_for_its_stages(executor, make_job, tmp_path):
    source = tmp_path / "lib.py"
    source.write_text("raise SystemExit('imported')\n")
    later = time.time() + 60
    os.utime(py_compile.compile(str(source)), (later, later))
    executor.read_ahead([str(source), str(tmp_path / "gone.py")])
    executor.submit(make_job("returns"))
    (outcome,) = executor.wait(30)
    assert outcome.ending is Ending.RETURNED
    assert Path(make_job("returns").log).read_text() == f"ahead: {source}\n"


def test_project_module_that_shadows_a_loaded_one_wins(make_executor, make_job, tmp_path):
    pytest.importorskip("numpy")
    root = tmp_path / "root"
    root.mkdir()
    (root / "numpy.py").touch()
    executor = make_executor(preload=["numpy"])
    executor.submit(make_job("imports_shadow", roots=(str(root),), to=str(tmp_path / "file")))
    (outcome,) = executor.wait(60)
    assert outcome.ending is Ending.RETURNED, outcome.traceback
    assert (tmp_path / "file").read_text() == str(root / "numpy.py")


def test_stages_draw_different_random_numbers(make_executor, make_job, tmp_path):
    pytest.importorskip("numpy")
    executor = make_executor(preload=["numpy"])
    drawn = []
    for _ in range(2):
        executor.submit(make_job("draws", to=str(tmp_path / "drawn")))
        assert executor.wait(60)[0].ending is Ending.RETURNED
        drawn += (tmp_path / "drawn").read_text().split()
    assert len(set(drawn)) == 4


def test_two_hundred_jobs_leak_nothing(executor, make_job):
    executor.submit(make_job("returns"))
    executor.wait(30)
    server, started = executor._server.process.pid, time.monotonic()
    before = sorted(os.listdir(f"/proc/{server}/fd")), sorted(os.listdir("/proc/self/fd"))
    for _ in range(200):
        executor.submit(make_job("returns"))
        assert executor.wait(30)[0].ending is Ending.RETURNED
    each_ms = (time.monotonic() - started) * 1000 / 200
    print(f"one job after the other: {each_ms:.1f} ms each")
    after = sorted(os.listdir(f"/proc/{server}/fd")), sorted(os.listdir("/proc/self/fd"))
    assert after == before
    assert Path(f"/proc/{server}/task/{server}/children").read_text() == ""


def test_many_outcomes_with_long_messages_dont_block(executor, make_job, tmp_path):
    """The executor sends jobs without reading, while the server has much to report."""
    (tmp_path / "many.py").write_text(
        "def fail(**params): raise ValueError('x' * 100_000)\n"
        + "".join(f"s{i} = fail\n" for i in range(40))
    )
    for i in range(40):
        job = make_job(f"s{i}", source="many", roots=(str(tmp_path),), pad="x" * 100_000)
        executor.submit(job)
    outcomes = []
    while pending := executor.wait(60):
        outcomes += pending
    assert {outcome.stage for outcome in outcomes} == {f"s{i}" for i in range(40)}


def test_server_that_dies_costs_its_jobs_only(executor, make_job):
    executor.submit(make_job("sleeps", seconds=60))
    eventually(lambda: executor.wait(0.01) == [] and executor._running["sleeps"] is not None)
    stage = executor._running["sleeps"]
    os.kill(executor._server.process.pid, signal.SIGKILL)
    (outcome,) = executor.wait(10)
    assert (outcome.stage, outcome.ending) == ("sleeps", Ending.DIED)
    assert "the process that starts stages died" in outcome.message
    eventually(lambda: not alive(stage))
    executor.submit(make_job("returns"))
    assert executor.wait(30)[0].ending is Ending.RETURNED


def test_python_that_cant_start_pivot_is_reported(make_executor, make_job):
    executor = make_executor(python="/bin/false")
    executor.submit(make_job("returns"))
    (outcome,) = executor.wait(30)
    assert outcome.ending is Ending.DIED


def test_close_ends_stages_and_server(make_executor, make_job):
    executor = make_executor()
    executor.submit(make_job("sleeps", seconds=60))
    eventually(lambda: executor.wait(0.01) == [] and executor._running["sleeps"] is not None)
    pids = [executor._running["sleeps"], executor._server.process.pid]
    executor.close()
    assert not any(map(alive, pids))
    assert executor.wait(0) == []


def test_stages_end_when_the_caller_is_killed(make_job, tmp_path):
    """Not even SIGKILL of the command leaves a stage or the server running."""
    job = make_job("sleeps", seconds=60)
    caller = textwrap.dedent("""
        import json, sys, time
        from pivot.run.executors.local import LocalExecutor
        from pivot.run.job import Job
        executor = LocalExecutor(loader="stub_loader:prepare_call")
        executor.submit(Job.from_json(json.load(sys.stdin)))
        while None in executor._running.values():
            executor.wait(0.01)
        print(executor._server.process.pid, *executor._running.values(), flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", caller], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdin.write(json.dumps(job.to_json()).encode())
        process.stdin.close()
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(alive, pids))
        process.kill()
    eventually(lambda: not any(map(alive, pids)))


def test_interrupt_in_the_terminal_doesnt_reach_stages(executor, make_job):
    executor.submit(make_job("sleeps", seconds=60))
    eventually(lambda: executor.wait(0.01) == [] and executor._running["sleeps"] is not None)
    pids = (executor._running["sleeps"], executor._server.process.pid)
    eventually(lambda: all(os.getsid(pid) != os.getsid(0) for pid in pids))
    assert all(map(alive, pids))
