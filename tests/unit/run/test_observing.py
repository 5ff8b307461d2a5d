"""What the watcher in a stage's process notes; each in an interpreter that it may change."""

import json
import subprocess
import sys
import textwrap

import pytest

from pivot.run.observation import Observation

PROGRAM = """
import json, os, sys
project, declared = sys.argv[1], sys.argv[2:]
os.chdir(project)
sys.path.insert(0, project)
from pivot.definition.ownership import ownership
from pivot.run.observing import Observer
import work
observer = Observer(project, ownership(), declared)
observer.start()
work.run()
seen = observer.stop()
work.after() if hasattr(work, "after") else None
print(json.dumps(seen.to_json()))
"""


@pytest.fixture
def project(tmp_path):
    place = tmp_path / "project"
    place.mkdir()
    return place


@pytest.fixture
def observe(project):
    """Runs `run` of a module `work` and gives what was seen."""

    def run(text, *declared, **environment):
        (project / "work.py").write_text(textwrap.dedent(text))
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(project), *declared],
            capture_output=True, text=True, env={"PATH": "", **environment},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return Observation.from_json(json.loads(done.stdout.splitlines()[-1]))

    return run


def test_functions_that_run_are_noted_once_by_their_first_lines(observe):
    seen = observe("""
        def twice():
            return [inner(n) for n in range(2)]

        def inner(n):
            return (lambda: n)()

        def idle():
            pass

        class Thing:
            def method(self):
                yield 1

        def run():
            twice()
            list(Thing().method())
    """)
    assert seen.code == {"work.py": (2, 5, 6, 12, 15)}


def test_libraries_are_not_noted(observe):
    seen = observe("""
        import json, textwrap

        def run():
            textwrap.dedent(json.dumps({"a": [1]}))
    """)
    assert seen.code == {"work.py": (4,)}


def test_threads_and_coroutines_are_noted(observe):
    seen = observe("""
        import asyncio, threading

        def in_thread():
            pass

        async def later():
            pass

        def run():
            thread = threading.Thread(target=in_thread)
            thread.start()
            thread.join()
            asyncio.run(later())
    """)
    assert seen.code == {"work.py": (4, 7, 10)}


def test_code_of_an_import_is_told_from_code_that_runs_anyway(observe, project):
    (project / "late.py").write_text(
        "def build(): pass\nbuild()\ndef used(): pass\nclass Table:\n    a = build()\n"
    )
    seen = observe("""
        def run():
            import late
            late.used()
    """)
    assert seen.code == {"work.py": (2,), "late.py": (0, 3)}
    assert seen.imported == {"late.py": {"late.py": (1,)}}


def test_a_function_counts_as_run_when_it_runs_again_after_an_import(observe, project):
    (project / "late.py").write_text("def build(): pass\nbuild()\n")
    seen = observe("""
        def run():
            import late
            late.build()
    """)
    assert seen.code["late.py"] == (0, 1)


def test_modules_asked_for_by_name_are_noted_though_they_are_loaded(observe, project):
    (project / "package").mkdir()
    (project / "package/__init__.py").write_text("")
    (project / "package/part.py").write_text("VALUE = 1\n")
    seen = observe("""
        import importlib
        import package.part

        def run():
            for name, package in (("package.part", None), (".part", "package"), ("json", None)):
                importlib.import_module(name, package)
    """)
    assert seen.modules == ("json", "package.part")


def test_files_are_told_by_how_they_are_opened(observe, project):
    for name in ("read", "both", "given/a", "given/b", "seen.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("text")
    seen = observe(
        """
        import contextlib, os, pathlib

        def run():
            open("read").close()
            open(os.path.abspath("seen.py"), "rb").close()
            open("both", "r+").close()
            open("new", "w").close()
            open("appended", "a").close()
            pathlib.Path("given/a").read_text()
            os.close(os.open("created", os.O_WRONLY | os.O_CREAT))
            os.rename("created", "renamed")
            with contextlib.suppress(FileNotFoundError):
                open("absent")
            with contextlib.suppress(OSError):
                open(".")
            open("new").close()
            open("/dev/null").close()
        """,
        "given",
    )
    assert set(seen.reads) == {"read", "seen.py", "both", "absent"}
    assert seen.reads["absent"] is None
    assert seen.reads["read"].size == 4
    assert seen.writes == ("appended", "both", "created", "new", "renamed")


def test_folders_are_noted_with_the_names_that_were_in_them(observe, project):
    for name in ("data/a", "data/inner/b", "given/c", ".hidden/d"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    seen = observe(
        """
        import glob, os, pathlib

        def run():
            glob.glob("data/*.csv")
            open("data/late", "w").close()
            os.listdir("data")
            os.listdir(b"data/inner")
            list(pathlib.Path("given").iterdir())
            list(os.scandir(".hidden"))
            os.listdir("/")
            list(pathlib.Path("absent").glob("*"))
            os.listdir()
        """,
        "given",
    )
    root = seen.listings.pop(".")
    assert {"data", "given", "work.py"} <= {*root}
    assert {path: names and sorted(names) for path, names in seen.listings.items()} == {
        "absent": None, "data": ["a", "inner"], "data/inner": ["b"],
    }  # fmt: skip


def test_folders_that_the_interpreter_lists_itself_are_left_out(observe, project):
    (project / "package").mkdir()
    (project / "package/part.py").touch()
    seen = observe("""
        import importlib.metadata

        def run():
            import package.part
            list(importlib.metadata.distributions(path=["."]))
    """)
    assert seen.listings == {}


def test_very_many_names_are_bounded_and_that_is_said(observe, project):
    (project / "many").mkdir()
    (project / "few").mkdir()
    for number in range(20_001):
        (project / f"many/{number}").symlink_to("x")
    seen = observe("""
        import os

        def run():
            os.listdir("many")
    """)
    assert seen.listings == {}
    assert seen.unseen == ("folders with more than 20000 names were listed",)


def test_what_is_made_removed_or_moved_is_noted(observe, project):
    for name in ("there", "tree/a"):
        (project / name).mkdir(parents=True)
    for name in ("one", "two"):
        (project / name).touch()
    seen = observe("""
        import os, shutil

        def run():
            os.makedirs("there", exist_ok=True)
            os.makedirs("made/inner")
            os.remove("one")
            os.rename("two", "three")
            shutil.rmtree("tree")
    """)
    assert seen.changes == ("made", "made/inner", "one", "tree", "two")


@pytest.fixture
def library(project):
    """A folder for installed modules in the project, which the module `paths` makes known."""
    place = project / "env/lib/site-packages"
    place.mkdir(parents=True)
    (project / "paths.py").write_text(f"import sys\nsys.path.append({str(place)!r})\n")
    return place


def test_packages_are_noted_that_own_code_imports_by_name_or_by_data(observe, library):
    for name in ("stated", "by_call", "by_function", "by_text", "by_pickle", "there", "resolved"):
        (library / f"{name}.py").write_text("class Thing: pass\n")
    seen = observe("""
        import importlib, pickle, pkgutil
        import paths, there

        def run():
            import stated
            importlib.import_module("by_function")
            __import__("by_call")
            __import__("there")
            exec("import by_text")
            pkgutil.resolve_name("resolved:Thing")
            pickle.loads(b"cby_pickle\\nThing\\n.")
            __import__("wave")
    """)
    assert seen.packages == (
        "by_call", "by_function", "by_pickle", "by_text", "resolved", "there"
    )  # fmt: skip
    assert seen.modules == ("by_call", "by_function", "resolved", "there", "wave")


def test_what_libraries_import_by_name_is_not_noted(observe, library):
    (library / "library.py").write_text("import importlib\nimportlib.import_module('inner')\n")
    (library / "inner.py").write_text("")
    seen = observe("""
        import paths

        def run():
            import library
    """)
    assert (seen.packages, seen.modules) == ((), ("inner",))


def test_hidden_folders_and_caches_of_bytecode_are_left_out(observe, project):
    (project / "late.py").write_text("")
    seen = observe("""
        import os

        def run():
            os.makedirs(".cache/tool")
            open(".cache/tool/file", "w").close()
            open(".env", "w").close()
            import late
    """)
    assert (seen.reads, seen.writes) == ({}, ())


def test_the_same_name_is_another_file_in_another_folder(observe, project):
    for name in ("one", "two"):
        (project / name).mkdir()
        (project / name / "data").write_text("1")
    seen = observe("""
        import os

        def run():
            for name in ("one", "two"):
                os.chdir(name)
                open("data").close()
                open("data").close()
                os.listdir()
                os.chdir("..")
    """)
    assert set(seen.reads) == {"one/data", "two/data"}
    assert set(seen.listings) == {"one", "two"}


def test_a_file_counts_though_it_was_imported_before(observe, project):
    (project / "late.py").write_text("")
    seen = observe("""
        def run():
            import late
            for _ in range(2):
                open(late.__file__, "rb").close()
    """)
    assert set(seen.reads) == {"late.py"}


def test_files_of_installed_packages_are_left_out_where_these_lie_in_the_project(observe, project):
    place = project / "env/lib/python3.13/site-packages/tables"
    place.mkdir(parents=True)
    (place / "zones.dat").write_text("1")
    seen = observe("""
        def run():
            folder = "env/lib/python3.13/site-packages/tables"
            open(f"{folder}/zones.dat").close()
            open(f"{folder}/cache", "w").close()
    """)
    assert (seen.reads, seen.writes) == ({}, ())


def test_sources_that_a_warning_or_traceback_shows_are_no_reads(observe, project):
    seen = observe("""
        import traceback, warnings

        def run():
            warnings.warn("careful")
            try:
                1 / 0
            except ZeroDivisionError:
                traceback.format_exc()
    """)
    assert seen.reads == {}


def test_a_project_behind_a_link_is_the_project(observe, project, tmp_path):
    (project / "data").write_text("1")
    (tmp_path / "link").symlink_to(project)
    seen = observe(f"""
        def run():
            open("{project}/data").close()
    """)
    assert set(seen.reads) == {"data"}


@pytest.mark.parametrize(
    ("way", "seen"),
    [
        ("os.environ['NAME']", ("NAME",)),
        ("os.environ.get('UNSET', 1)", ("UNSET",)),
        ("os.getenv('NAME')", ("NAME",)),
        ("'NAME' in os.environ", ("NAME",)),
        ("os.environ.setdefault('NAME', '2')", ("NAME",)),
        ("dict(os.environ)", ()),
        ("{**os.environ, 'A': '1'}", ()),
        ("os.environ.copy()", ()),
        ("[value for name, value in os.environ.items()]", ()),
        ("os.path.expanduser('~/x')", ()),
        ("shutil.which('ls')", ()),
    ],
)
def test_variables_that_own_code_reads_itself_are_noted(observe, way, seen):
    found = observe(f"import os, shutil\ndef run():\n    {way}\n", NAME="1", HOME="/home")
    assert found.env == seen


def test_a_variable_that_the_stage_set_itself_is_not_noted(observe):
    seen = observe("""
        import os

        def run():
            os.environ["MADE"] = "1"
            os.environ["NAME"] = "other"
            os.environ["MADE"], os.environ["NAME"]
    """, NAME="1")  # fmt: skip
    assert seen.env == ()


@pytest.mark.parametrize(
    "way",
    [
        "subprocess.run([sys.executable, '-c', ''])",
        "os.system(':')",
        "multiprocessing.get_context('spawn').Process(target=print).start()",
        "os.waitpid(os.fork() or os._exit(0), 0)",
    ],
)
def test_processes_are_noted(observe, way):
    seen = observe(f"import multiprocessing, os, subprocess, sys\ndef run():\n    {way}\n")
    assert seen.processes
    assert not observe("def run(): pass").processes


def test_a_debugger_that_leaves_no_place_is_said_and_files_are_still_seen(observe, project):
    (project / "data").write_text("1")
    seen = observe("""
        import sys
        for number in (2, 3, 4):
            sys.monitoring.use_tool_id(number, "debugger")

        def run():
            open("data").close()
    """)
    assert seen.unseen == ("a debugger or profiler has all places of sys.monitoring",)
    assert (seen.code, set(seen.reads)) == ({}, {"data"})


def test_many_files_are_bounded_and_that_is_said(observe):
    seen = observe("""
        def run():
            for number in range(5_010):
                open(f"out-{number}", "w").close()
    """)
    assert len(seen.writes) == 5_000
    assert seen.unseen == ("more than 5000 files were written",)


def test_nothing_is_noted_after_the_end(observe, project):
    (project / "data").write_text("1")
    seen = observe("""
        import os

        def run():
            pass

        def after():
            open("data").close()
            os.getenv("NAME")
    """)
    assert (seen.code, seen.reads, seen.env) == ({"work.py": (4,)}, {}, ())


def test_what_was_seen_survives_the_way_as_json(observe, project):
    (project / "data").write_text("1")
    seen = observe("""
        import contextlib, os

        def run():
            open("data").close()
            os.listdir(".")
            os.mkdir("made")
            with contextlib.suppress(FileNotFoundError):
                os.listdir("absent")
            with contextlib.suppress(ImportError):
                __import__("absent")
    """)
    assert (len(seen.listings), seen.changes, seen.packages) == (2, ("made",), ("absent",))
    assert Observation.from_json(json.loads(json.dumps(seen.to_json()))) == seen
