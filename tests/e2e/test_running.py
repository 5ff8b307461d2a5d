"""How stages run: where, with what around them, at once or one by one."""

import json
import os
import stat


def test_paths_are_relative_to_cwd_which_is_where_the_stage_runs(stages):
    project = stages("""
        @stage(deps=["in.txt"], outs=["deep/down/out.txt"], cwd="sub")
        def copy():
            assert os.path.basename(os.getcwd()) == "sub"
            with open("in.txt") as f, open("deep/down/out.txt", "w") as out:
                out.write(f.read())
    """)
    project.write("sub/in.txt", "hello\n")
    project.pivot("repro")
    assert project.read("sub/deep/down/out.txt") == "hello\n"


def test_incremental_out_starts_from_what_the_last_run_left(stages):
    project = stages("""
        @stage(deps=["in.txt"], outs=[IncrementalOut("log.txt")])
        def append():
            with open("in.txt") as f, open("log.txt", "a") as out:
                out.write(f.read())
    """)
    project.write("in.txt", "one\n")
    project.pivot("repro")
    project.write("in.txt", "two\n")
    project.pivot("repro")
    assert project.read("log.txt") == "one\ntwo\n"
    assert set(project.pivot("repro").statuses.values()) == {"unchanged"}
    (project.path / "log.txt").unlink()
    assert project.pivot("repro").statuses == {"append": "restored"}
    assert project.read("log.txt") == "one\ntwo\n"
    project.write("in.txt", "one\n")
    assert project.pivot("repro").statuses == {"append": "ran"}
    assert project.read("log.txt") == "one\ntwo\none\n"


def test_incremental_directory_keeps_its_files(stages):
    project = stages("""
        @stage(deps=["in.txt"], outs=[IncrementalOut("days")])
        def add():
            os.makedirs("days", exist_ok=True)
            with open("in.txt") as f:
                name = f.read().strip()
            with open(f"days/{name}", "w") as out:
                out.write(name)
    """)
    for name in ("mon", "tue"):
        project.write("in.txt", name + "\n")
        project.pivot("repro")
    assert sorted(os.listdir(project.path / "days")) == ["mon", "tue"]


def test_ordinary_out_of_the_last_run_is_gone_when_a_stage_starts(stages):
    project = stages("""
        @stage(deps=["in.txt"], outs=["out", "file"])
        def make():
            assert not os.path.exists("out") and not os.path.exists("file")
            os.mkdir("out")
            with open("in.txt") as f:
                name = f.read().strip()
            for path in (f"out/{name}", "file"):
                open(path, "w").close()
    """)
    for name in ("one", "two"):
        project.write("in.txt", name)
        project.pivot("repro")
    assert os.listdir(project.path / "out") == ["two"]


def test_directory_out_is_stored_and_restored_whole(stages):
    project = stages("""
        @stage(outs=["tree"])
        def grow():
            os.makedirs("tree/empty")
            os.makedirs("tree/deep/er")
            for name in ("tree/a", "tree/deep/b", "tree/deep/er/ü c"):
                with open(name, "w") as f:
                    f.write(name)
            os.chmod("tree/a", 0o755)

        @stage(deps=["tree/deep"], outs=["names"])
        def names():
            with open("names", "w") as f:
                f.write(" ".join(sorted(os.listdir("tree/deep"))))
    """)
    project.pivot("repro")
    before = project.snapshot()
    project.git("clean", "-xdfq", "tree", "names")
    assert project.pivot("repro").statuses == {"grow": "restored", "names": "restored"}
    after = project.snapshot()
    assert {k: (v[0], v[2]) for k, v in before.items()} == {
        k: (v[0], v[2]) for k, v in after.items()
    }
    assert (project.path / "tree/empty").is_dir()


def test_executable_out_stays_executable(stages):
    project = stages("""
        @stage(outs=["tool.sh"])
        def tool():
            with open("tool.sh", "w") as f:
                f.write("#!/bin/sh\\n")
            os.chmod("tool.sh", 0o755)
    """)
    project.pivot("repro")
    (project.path / "tool.sh").unlink()
    project.pivot("repro")
    assert stat.S_IMODE((project.path / "tool.sh").stat().st_mode) & 0o111


def test_independent_stages_run_at_once(stages):
    project = stages("""
        @stage(outs=["a"])
        def first():
            mark("first"), wait_for("second")
            open("a", "w").close()

        @stage(outs=["b"])
        def second():
            mark("second"), wait_for("first")
            open("b", "w").close()
    """)
    assert set(project.pivot("repro", "--jobs", "2").statuses.values()) == {"ran"}


def test_one_job_means_one_stage_at_a_time(stages):
    project = stages(PAIR.format(one="a", other="b", third="alone('c')"))
    assert set(project.pivot("repro", "--jobs", "1").statuses.values()) == {"ran"}


PAIR = """
def alone(name):
    os.mkdir(os.environ["MARKS"] + "/lock")
    time.sleep(0.1)
    os.rmdir(os.environ["MARKS"] + "/lock")
    open(name, "w").close()

@stage(outs=["a"], mutex=["{one}"])
def first():
    alone("a")

@stage(outs=["b"], mutex=["{other}"])
def second():
    alone("b")

@stage(outs=["c"])
def third():
    {third}
    open("c", "w").close()
"""


def test_stages_of_a_mutex_group_never_run_at_once(stages):
    project = stages(PAIR.format(one="gpu", other=" GPU ", third="pass"))
    done = project.pivot("repro", "--jobs", "3")
    assert set(done.statuses.values()) == {"ran"}
    assert "waiting" not in done.err


def test_star_means_alone(stages):
    project = stages(PAIR.format(one="*", other="*", third="alone('c')"))
    done = project.pivot("repro", "--jobs", "3")
    assert set(done.statuses.values()) == {"ran"}
    assert "waiting" not in done.err


def test_mutex_group_holds_between_invocations(stages):
    project = stages("""
        @stage(outs=["a"], mutex=["gpu"])
        def first():
            mark("started"), wait_for("go")
            open("a", "w").close()

        @stage(outs=["b"], mutex=["gpu"])
        def second():
            assert os.path.exists("a")
            open("b", "w").close()
    """)
    one = project.start("repro", "first")
    project.await_mark("started")
    other = project.start("repro", "second")
    line = other.stderr.readline()
    assert line == f"second  waiting for process {one.pid} (stage first)\n"
    project.mark("go")
    assert project.finish(one).statuses == {"first": "ran"}
    assert project.finish(other).statuses == {"second": "ran"}


def test_star_waits_for_another_invocation(stages):
    project = stages("""
        @stage(outs=["a"])
        def first():
            mark("started"), wait_for("go")
            open("a", "w").close()

        @stage(outs=["b"], mutex=["*"])
        def second():
            assert os.path.exists("a")
            open("b", "w").close()
    """)
    one = project.start("repro", "first")
    project.await_mark("started")
    other = project.start("repro", "second")
    assert other.stderr.readline() == "second  waiting for another process\n"
    project.mark("go")
    project.finish(one)
    assert project.finish(other).statuses == {"second": "ran"}


def test_second_invocation_waits_for_the_stage_and_then_finds_it_unchanged(stages):
    project = stages("""
        @stage(outs=["a"])
        def first():
            mark("first"), wait_for("go")
            open("a", "w").close()

        @stage(deps=["a"], outs=["b"])
        def second():
            mark("second")
            open("b", "w").close()
    """)
    one = project.start("repro")
    project.await_mark("first")
    other = project.start("repro", "--json")
    plain = project.start("repro")
    assert plain.stderr.readline() == f"first   waiting for process {one.pid} (stage first)\n"
    project.mark("go")
    assert project.finish(one).statuses["first"] == "ran"
    events = [line for line in project.finish(other).lines if line["type"] == "stage_finished"]
    assert {e["stage"]: e["status"] for e in events}["first"] == "unchanged"
    project.finish(plain)
    assert project.ran() == ["first", "go", "second"], "each stage ran once"


def test_stage_that_depends_on_one_that_another_invocation_runs(stages):
    """Its upstream's new out is known only after the wait."""
    project = stages("""
        @stage(deps=["in"], outs=["a"])
        def first():
            mark("first"), wait_for("go")
            with open("in") as f, open("a", "w") as out:
                out.write(f.read())

        @stage(deps=["a"], outs=["b"])
        def second():
            with open("a") as f, open("b", "w") as out:
                out.write(f.read())
    """)
    project.write("in", "1")
    project.mark("go")
    project.pivot("repro")
    project.ran()
    project.write("in", "2")
    one = project.start("repro", "first")
    project.await_mark("first")
    other = project.start("repro", "second")
    assert "waiting for" in other.stderr.readline()
    project.mark("go")
    project.finish(one)
    assert project.finish(other).statuses == {"first": "unchanged", "second": "ran"}
    assert project.read("b") == "2"


def test_keep_going_runs_what_a_failure_leaves(stages):
    text = """
        @stage(outs=["a"])
        def bad():
            raise RuntimeError("no")

        @stage(deps=["a"], outs=["b"])
        def below():
            open("b", "w").close()

        @stage(outs=["c"])
        def other():
            open("c", "w").close()
    """
    project = stages(text)
    done = project.pivot("repro", "--keep-going", "--jobs", "1", code=1)
    assert done.statuses == {"bad": "failed", "below": "blocked", "other": "ran"}
    done = project.pivot("repro", "--force", "--jobs", "1", code=1)
    assert done.statuses == {"bad": "failed", "below": "blocked", "other": "not started"}


def test_parameters_arrive_as_the_plan_reckoned_with_them(stages):
    project = stages("""
        from pydantic import BaseModel

        class Params(BaseModel):
            rate: float = 0.5
            names: list[str] = ["a"]

        @stage(outs=[Metric("by_class.json")], params=Params)
        def by_class(params: Params):
            with open("by_class.json", "w") as f:
                f.write(params.model_dump_json())

        @stage(outs=[Metric("by_instance.json")], params=Params(rate=2.0))
        def by_instance(params: Params):
            with open("by_instance.json", "w") as f:
                f.write(params.model_dump_json())
    """)
    project.write("params.yaml", "by_class:\n  names: [x, y]\n")
    project.pivot("repro")
    assert json.loads(project.read("by_class.json")) == {"rate": 0.5, "names": ["x", "y"]}
    assert json.loads(project.read("by_instance.json")) == {"rate": 2.0, "names": ["a"]}
