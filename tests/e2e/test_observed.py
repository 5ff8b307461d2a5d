"""What a stage really used: it is in the lock, and a change of it runs the stage again."""

import json
import os

import pytest

from tests.e2e.schemas import conforms

PLUGINS = """
    import importlib

    import operations

    @stage(deps=["in.txt"], outs=["out.txt"])
    def apply():
        with open("in.txt") as f:
            name, text = f.read().split()
        with open("out.txt", "w") as out:
            out.write({call})
"""


def observed(project, stage="apply"):
    return json.loads(project.lock(stage).read_text())["observed"]


def reasons(project):
    (found,) = json.loads(project.pivot("status", "--json").out)["stages"]
    return [(r["kind"], r["what"]) for r in found["reasons"]], found["state"]


@pytest.fixture
def plugins(stages):
    """A stage that imports a module whose name it reads from data."""
    project = stages(PLUGINS.format(call="importlib.import_module(name).work(text)"))
    project.write("operations.py", "")
    project.write(
        "ops/upper.py", "from ops.shared import mark\n\ndef work(text): return mark(text.upper())\n"
    )
    project.write("ops/lower.py", "def work(text): return text.lower()\n")
    project.write(
        "ops/shared.py", "SIGN = '!'\n\ndef mark(text): return text + SIGN\n\ndef unused(): pass\n"
    )
    project.write("in.txt", "ops.upper abc")
    return project


def test_a_module_that_was_imported_by_a_computed_name_counts(plugins):
    assert plugins.pivot("repro").statuses == {"apply": "ran"}
    assert set(observed(plugins)["code"]) == {
        "ops.upper:<module>", "ops.shared:mark", "ops.shared:SIGN"
    }  # fmt: skip
    assert plugins.pivot("repro").statuses == {"apply": "unchanged"}
    plugins.replace("ops/upper.py", "text.upper()", "text.title()")
    found = [("observed", "code:ops.upper:<module>")], "stale"
    assert reasons(plugins) == found
    assert plugins.pivot("repro").statuses == {"apply": "ran"}
    assert plugins.read("out.txt") == "Abc!"


def test_what_such_a_module_uses_counts_and_other_modules_do_not(plugins):
    plugins.pivot("repro")
    plugins.replace("ops/lower.py", "text.lower()", "text")
    plugins.replace("ops/shared.py", "def unused(): pass", "def unused(): return 1")
    assert plugins.pivot("repro").statuses == {"apply": "unchanged"}
    plugins.replace("ops/shared.py", "'!'", "'?'")
    assert reasons(plugins)[0] == [("observed", "code:ops.shared:SIGN")]
    assert plugins.pivot("repro").statuses == {"apply": "ran"}


def test_taking_observed_code_back_restores_what_it_made(plugins):
    plugins.pivot("repro")
    before = plugins.lock("apply").read_bytes()
    plugins.replace("ops/upper.py", "text.upper()", "text.title()")
    plugins.pivot("repro")
    plugins.replace("ops/upper.py", "text.title()", "text.upper()")
    assert plugins.pivot("repro").statuses == {"apply": "restored"}
    assert plugins.read("out.txt") == "ABC!"
    assert plugins.lock("apply").read_bytes() == before
    assert plugins.pivot("repro").statuses == {"apply": "unchanged"}


def test_a_function_that_is_called_by_a_computed_name_counts(stages):
    project = stages(PLUGINS.format(call='vars(__import__("operations"))[name](text)'))
    project.write("operations.py", "def upper(text): return text.upper()\n")
    project.write("in.txt", "upper abc")
    project.pivot("repro")
    project.write("operations.py", "def upper(text): return text.title()\n")
    assert project.pivot("repro").statuses == {"apply": "ran"}


def test_code_that_is_no_module_counts_by_its_file(stages):
    project = stages("""
        import runpy

        @stage(outs=["out.txt"])
        def apply():
            with open("out.txt", "w") as out:
                out.write(str(runpy.run_path("my-script.py")["work"]()))
    """)
    project.write("my-script.py", "def work(): return 1\n")
    result = project.pivot("repro")
    assert set(observed(project)["files"]) == {"my-script.py"}
    assert "warning" not in result.err
    project.write("my-script.py", "def work(): return 2\n")
    assert project.pivot("repro").statuses == {"apply": "ran"}


READER = """
    @stage(deps=["in.txt"], outs=["out.txt"])
    def apply():
        with open("in.txt") as f, open("data/extra.csv") as extra, open("out.txt", "w") as out:
            out.write(f.read() + extra.read())
"""


@pytest.fixture
def reader(stages):
    """A stage that reads a file which it doesn't declare."""
    project = stages(READER)
    project.write("in.txt", "1")
    project.write("data/extra.csv", "2")
    return project


def test_an_undeclared_file_counts_and_is_named(reader):
    result = reader.pivot("repro")
    assert result.statuses == {"apply": "ran"}
    assert "warning: apply read data/extra.csv, which is not among its deps" in result.err
    assert 'hint: Declare what belongs to it: `deps=["data/extra.csv"]`' in result.err
    assert set(observed(reader)["files"]) == {"data/extra.csv"}
    second = reader.pivot("repro")
    assert (second.statuses, second.err) == ({"apply": "unchanged"}, "")
    reader.write("data/extra.csv", "3")
    assert reasons(reader) == ([("observed", "file:data/extra.csv")], "stale")
    assert reader.pivot("repro").statuses == {"apply": "ran"}
    reader.write("data/extra.csv", "2")
    assert reader.pivot("repro").statuses == {"apply": "restored"}
    assert reader.read("out.txt") == "12"


def test_undeclared_files_are_an_event(reader):
    events = reader.pivot("repro", "--json").lines
    (found,) = [event for event in events if event["type"] == "undeclared"]
    assert (found["stage"], found["unseen"]) == ("apply", [])
    assert (found["reads"], found["writes"]) == (["data/extra.csv"], [])
    conforms(found, "run-event")
    assert not [e for e in reader.pivot("repro", "--json").lines if e["type"] == "undeclared"]


def test_strict_makes_an_undeclared_file_a_failure(reader):
    reader.pivot("config", "set", "run.strict", "true")
    result = reader.pivot("repro", code=1)
    assert result.statuses == {"apply": "failed"}
    assert "apply: it read data/extra.csv, which is not among its deps" in result.err
    assert "native readers" in result.err
    assert not reader.lock("apply").exists()
    assert reader.read("out.txt") == "12"
    reader.replace("pipeline.py", 'deps=["in.txt"]', 'deps=["in.txt", "data/extra.csv"]')
    assert reader.pivot("repro").statuses == {"apply": "ran"}


def test_strict_lets_declared_files_pass(story):
    story.pivot("config", "set", "run.strict", "true")
    assert set(story.pivot("repro", "--force").statuses.values()) == {"ran"}


def test_a_file_that_was_looked_for_in_vain_counts(stages):
    project = stages("""
        @stage(outs=["out.txt"])
        def apply():
            try:
                with open("override.txt") as f:
                    text = f.read()
            except FileNotFoundError:
                text = "default"
            with open("out.txt", "w") as out:
                out.write(text)
    """)
    result = project.pivot("repro")
    assert "warning" not in result.err
    assert observed(project)["files"] == {"override.txt": None}
    assert project.pivot("repro").statuses == {"apply": "unchanged"}
    project.write("override.txt", "other")
    assert project.pivot("repro").statuses == {"apply": "ran"}
    assert project.read("out.txt") == "other"
    (project.path / "override.txt").unlink()
    assert project.pivot("repro").statuses == {"apply": "restored"}


WRITER = """
    @stage(outs=["out.txt"])
    def apply():
        for name in ("out.txt", "left.txt", "gone.txt", "part"):
            with open(name, "w") as out:
                out.write(name)
        with open("left.txt") as f:
            f.read()
        os.unlink("gone.txt")
        os.replace("part", "out.txt")
"""


def test_what_a_stage_wrote_itself_is_no_input_but_named_if_it_stays(stages):
    project = stages(WRITER)
    result = project.pivot("repro")
    assert "warning: apply wrote left.txt, which is not among its outs" in result.err
    assert '`outs=["left.txt"]`' in result.err
    assert not any(name in result.err for name in ("gone.txt", "part"))
    assert observed(project)["files"] == {}
    (project.path / "left.txt").unlink()
    assert project.pivot("repro").statuses == {"apply": "unchanged"}


ENVIRONMENT = """
    @stage(outs=["out.txt"])
    def apply():
        os.environ["SET_HERE"] = "1"
        text = os.getenv("FLAVOUR", "plain") + os.environ["SET_HERE"] + os.environ["HOME"]
        assert os.environ.get("APP_TOKEN") is None or text
        assert dict(os.environ) and list(os.environ.items())
        with open("out.txt", "w") as out:
            out.write(text)
"""


def test_variables_that_the_project_reads_count_by_a_hash(stages):
    project = stages(ENVIRONMENT)
    project.environment["APP_TOKEN"] = "hush"
    project.pivot("repro")
    assert observed(project)["env"] == {"FLAVOUR": None}
    assert project.pivot("repro").statuses == {"apply": "unchanged"}
    project.environment["FLAVOUR"] = "sweet-and-sour"
    assert reasons(project) == ([("observed", "env:FLAVOUR")], "stale")
    assert project.pivot("repro").statuses == {"apply": "ran"}
    assert "sweet-and-sour" not in project.lock("apply").read_text()
    assert len(observed(project)["env"]["FLAVOUR"]) == 64
    project.environment |= {"APP_TOKEN": "other", "UNREAD": "1"}
    assert project.pivot("repro").statuses == {"apply": "unchanged"}
    del project.environment["FLAVOUR"]
    assert project.pivot("repro").statuses == {"apply": "restored"}


def test_variables_can_be_said_not_to_count(stages):
    project = stages(ENVIRONMENT)
    project.pivot("config", "set", "fingerprint.ignore_env", "FLA*, OTHER")
    project.pivot("repro")
    assert observed(project)["env"] == {}


def test_variables_of_earlier_runs_can_be_said_not_to_count(stages):
    project = stages(ENVIRONMENT)
    project.pivot("repro")
    (name,) = observed(project)["env"]
    other = {name: "something else"}
    before = project.pivot("status", "--exit-code", env=other, code=4)
    assert "observed code or data changed" in before.out
    project.pivot("config", "set", "fingerprint.ignore_env", name)
    project.pivot("status", "--exit-code", env=other)
    assert "Nothing to do" in project.pivot("repro", env=other).out


def test_an_undeclared_file_that_someone_edits_meanwhile_is_not_vouched_for(stages):
    project = stages("""
        @stage(outs=["out.txt"])
        def apply():
            with open("extra.csv") as extra, open("out.txt", "w") as out:
                out.write(extra.read())
            mark("read")
            wait_for("edited")
    """)
    project.write("extra.csv", "1")
    process = project.start("repro")
    project.await_mark("read")
    project.write("extra.csv", "22")
    project.mark("edited")
    result = project.finish(process, code=1)
    assert "extra.csv changed while it ran" in result.err
    assert not project.lock("apply").exists()
    assert project.pivot("repro").statuses == {"apply": "ran"}
    assert project.read("out.txt") == "22"


def test_threads_and_coroutines_are_seen(stages):
    project = stages("""
        import asyncio, threading

        def read(name):
            with open(name) as f:
                f.read()

        async def later():
            read("b.txt")

        @stage(outs=["out.txt"])
        def apply():
            thread = threading.Thread(target=read, args=("a.txt",))
            thread.start()
            thread.join()
            asyncio.run(later())
            open("out.txt", "w").close()
    """)
    project.write("a.txt", "a")
    project.write("b.txt", "b")
    project.pivot("repro")
    assert set(observed(project)["files"]) == {"a.txt", "b.txt"}


def test_what_can_not_be_seen_is_said(stages):
    project = stages("""
        import subprocess

        @stage(outs=["out.txt"])
        def apply():
            subprocess.run(["cp", "in.txt", "out.txt"], check=True)
            open("side.txt", "w").close()
    """)
    project.write("in.txt", "1")
    events = project.pivot("repro", "--json").lines
    (found,) = [event for event in events if event["type"] == "undeclared"]
    assert (found["reads"], found["unseen"]) == ([], ["child processes"])


def test_a_lock_with_observed_entries_is_the_same_on_every_machine(plugins, tmp_path):
    plugins.write("in.txt", "ops.upper abc")
    plugins.pivot("repro")
    first = plugins.lock("apply").read_bytes()
    os.rename(plugins.path, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", plugins.path)
    plugins.environment["PYTHONHASHSEED"] = "7"
    plugins.pivot("repro", "--force")
    assert plugins.lock("apply").read_bytes() == first


def test_a_commit_with_code_takes_observed_sources_along(plugins):
    plugins.pivot("repro")
    plugins.commit_all()
    plugins.replace("ops/upper.py", "text.upper()", "text.title()")
    plugins.pivot("repro")
    assert "ops/upper.py" in plugins.pivot("commit").err
    plugins.pivot("commit", "--code")
    assert "ops/upper.py" in plugins.git("show", "--name-only", "--format=", "HEAD")


def test_verify_compares_what_was_observed(plugins):
    plugins.environment["REGION"] = "eu"
    plugins.pivot("repro")
    assert "good" in plugins.pivot("verify").out
    plugins.replace("ops/shared.py", "'!'", "'?'")
    result = plugins.pivot("verify", "--json", code=4)
    (stage,) = json.loads(result.out)["stages"]
    assert [(f["kind"], f["what"]) for f in stage["findings"]] == [
        ("observed", "code:ops.shared:SIGN")
    ]
    conforms(json.loads(result.out), "verify")


def test_a_run_with_nothing_to_do_parses_no_observed_code(plugins, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(
        "import atexit, sys\n"
        "def tell():\n"
        "    if 'pivot.code.fingerprint' in sys.modules: print('PARSED', file=sys.stderr)\n"
        "atexit.register(tell)\n"
    )
    plugins.environment["PYTHONPATH"] = str(tmp_path / "site")
    assert "PARSED" in plugins.pivot("repro").err
    plugins.pivot("repro")
    result = plugins.pivot("repro")
    assert (result.statuses, result.err) == ({"apply": "unchanged"}, "")
