import os
import py_compile
import subprocess
import sys
import textwrap
import time

import pytest

from pivot.definition.stage import OutSpec
from pivot.errors import DefinitionError
from pivot.outputs import OutKind

HEADER = "from pivot import stage, Out, Metric, Plot, IncrementalOut\n"

GUIDE = """
from pydantic import BaseModel
from pivot import stage, Out, Metric, Plot

@stage(deps=['input.csv'], outs=['output.parquet'])
def process():
    pass

class TrainParams(BaseModel):
    learning_rate: float = 0.01
    batch_size: int = 32

@stage(deps=['data.csv'], outs=[Out('model.pkl'), Metric('metrics.json'), Plot('loss.png')],
       params=TrainParams, mutex=['gpu'])
def train(params: TrainParams):
    print(f"Learning rate: {params.learning_rate}")

@stage(deps=['data.csv'], name='my_custom_name')
def some_function():
    pass

@stage(deps=['data.csv'], outs=['output.csv'], cwd='subproject/')
def in_folder():
    pass
"""


def refused(project, text, **kwargs):
    with pytest.raises(DefinitionError) as caught:
        project.load(textwrap.dedent(text), **kwargs)
    error = caught.value
    return f"{error.message}: {error.why}"


def test_stages_of_the_guide_load_as_written(project):
    project.write("params.yaml", "train:\n  learning_rate: 0.001\n")
    definitions = project.load(GUIDE)
    by_name = {s.name: s for s in definitions.stages}
    assert list(by_name) == ["in_folder", "my_custom_name", "process", "train"]
    train = by_name["train"]
    assert train.symbol == "pipeline:train"
    assert (train.file, train.line) == ("pipeline.py", 13)
    assert train.outs == (
        OutSpec("loss.png", OutKind.PLOT),
        OutSpec("metrics.json", OutKind.METRIC),
        OutSpec("model.pkl", OutKind.OUT),
    )
    assert train.params == {"learning_rate": 0.001, "batch_size": 32}
    assert train.mutex == ("gpu",)
    assert by_name["my_custom_name"].symbol == "pipeline:some_function"
    assert by_name["process"].params is None
    inner = by_name["in_folder"]
    assert (inner.cwd, inner.deps) == ("subproject", ("subproject/data.csv",))
    assert inner.outs == (OutSpec("subproject/output.csv", OutKind.OUT),)
    assert definitions.roots[0] == "."


def test_stages_of_imported_and_configured_modules_are_found(project):
    project.write("pkg/__init__.py", "")
    project.write("pkg/a.py", HEADER + "@stage(outs=['a'])\ndef a(): ...\n")
    project.write("pkg/stages.py", HEADER + "@stage(outs=['b'])\ndef b(): ...\n")
    definitions = project.load("import pkg.a", module="pkg.stages")
    found = [(s.name, s.symbol, s.file, s.outs[0].path) for s in definitions.stages]
    assert found == [("a", "pkg.a:a", "pkg/a.py", "a"), ("b", "pkg.stages:b", "pkg/stages.py", "b")]
    assert definitions.sources == ("pipeline.py", "module:pkg.stages")


def test_missing_configured_module_is_named(project):
    with pytest.raises(DefinitionError, match=r"module pkg\.stages can't be found"):
        project.load(module="pkg.stages")


def test_absolute_paths_computed_from_the_file_are_the_projects(project):
    stage = project.stage(
        HEADER + "from pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
        "@stage(deps=[HERE / 'a.csv'], outs=[Out(HERE / 'out' / 'b')], cwd='sub')\ndef f(): ..."
    )
    assert (stage.deps, stage.outs[0].path) == (("a.csv",), "out/b")


@pytest.mark.parametrize(
    ("stages", "reasons"),
    [
        (
            "@stage()\ndef f(): ...\n@stage(name='f')\ndef g(): ...",
            ["two stages are called 'f'", "pipeline.py:2 and pipeline.py:4"],
        ),
        (
            "@stage()\ndef f(): ...\n@stage(name='F')\ndef g(): ...",
            ["differ by case", "pipeline.py:2"],
        ),
        ("@stage(name='a b')\ndef f(): ...", ["'a b' can't name a stage", "pipeline.py:2"]),
        ("@stage(deps=['/etc/passwd'])\ndef f(): ...", ["'f'", "absolute"]),
        ("@stage(outs=['../x'])\ndef f(): ...", ["'f'", "leaves the project"]),
        ("@stage(cwd='..')\ndef f(): ...", ["'f'", "leaves the project"]),
        ("@stage(deps=['s3://b/k'])\ndef f(): ...", ["'f'", "URL"]),
        ("@stage(outs=['.'])\ndef f(): ...", ["'f'", "whole project"]),
        ("@stage(outs=['.git/x'])\ndef f(): ...", ["'f'", "belongs to Git"]),
        ("@stage(deps=['a', './a'])\ndef f(): ...", ["'f'", "'a' is written twice"]),
        ("@stage(outs=['a', Metric('a')])\ndef f(): ...", ["'f'", "written twice"]),
        ("@stage(deps=['a'], outs=['a'])\ndef f(): ...", ["dependency and an output"]),
        ("import textwrap\nstage()(textwrap.dedent)", ["nothing gives a value"]),
        ("import os\nstage()(os.getcwdb)", ["builtin"]),
        ("stage()(lambda: 1)", ["<lambda>"]),
        ("import os\nstage()(os.get_exec_path)", ["outside"]),
    ],
)
def test_declarations_that_can_not_be_are_refused(project, stages, reasons):
    text = refused(project, HEADER + stages)
    for reason in reasons:
        assert reason in text


def test_invalid_override_is_refused_with_the_field(project):
    project.write("params.yaml", "train: {batch_size: many}")
    text = refused(project, GUIDE)
    assert "batch_size" in text
    assert "'train'" in text


def test_override_that_no_field_takes_is_a_warning(project):
    project.write("params.yaml", "train: {bach_size: 3}")
    (warning,) = project.load(GUIDE).warnings
    assert "bach_size" in warning


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("def f(:\n  pass", ["pipeline.py:1 has a syntax error", "def f(:"]),
        ("def f():\n    return {}['x']\nf()", ["KeyError: 'x'", "pipeline.py:2, in f"]),
        ("import no_such_module", ["No module named 'no_such_module'", "pipeline.py:1"]),
        ("import sys\nsys.exit(3)", ["sys.exit(3) was called", "pipeline.py:2"]),
        ("import sys\nsys.exit(0)", ["sys.exit(0) was called", "pipeline.py:2"]),
        ("import os\nos._exit(7)", ["ended with exit code 7"]),
        ("import os\nos._exit(0)", ["ended with exit code 0"]),
        ("import os\nos.kill(os.getpid(), 9)", ["SIGKILL"]),
        ("import os, sys\nsys.stderr.write('last words')\nos.abort()", ["SIGABRT", "last words"]),
        ("class E(BaseException):\n  def __str__(self): 1/0\nraise E", ["pipeline.py:3"]),
        ("raise KeyboardInterrupt", ["KeyboardInterrupt"]),
        ("def f(): f()\nf()", ["RecursionError"]),
    ],
)
def test_code_that_can_not_be_loaded_is_reported(project, text, reasons):
    told = refused(project, text)
    for reason in reasons:
        assert reason in told
    assert "pivot/definition" not in told


def test_syntax_error_in_a_helper_names_the_helper(project):
    project.write("helper.py", "x = = 1\n")
    assert "helper.py:1 has a syntax error" in refused(project, "import helper")


def test_what_user_code_prints_is_returned_and_disturbs_nothing(project):
    definitions = project.load(
        "import os, sys\nprint('one')\nsys.stderr.write('two')\nos.write(1, b'three')\n"
        "os.system('echo four')\nsys.stdin.read()"
    )
    for word in ("one", "two", "three", "four"):
        assert word in definitions.output


def test_threads_and_exit_handlers_are_not_awaited(project):
    definitions = project.load(
        "import threading, atexit, time, os\natexit.register(lambda: os._exit(9))\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()"
    )
    assert definitions.stages == ()


def test_projects_files_do_not_stand_in_for_pivots_own_imports(project):
    for name in ("json", "pivot", "types", "blake3"):
        project.write(f"{name}.py", "raise RuntimeError('shadowed')")
    project.write("pipeline/__init__.py", "raise RuntimeError('shadowed')")
    assert len(project.load(GUIDE).stages) == 4


def test_working_directory_while_loading_is_the_projects(project):
    project.write("names.txt", "a\nb")
    definitions = project.load(
        HEADER + "for n in open('names.txt').read().split():\n"
        "    def f(): ...\n    stage(name=n)(f)"
    )
    assert [s.name for s in definitions.stages] == ["a", "b"]


def test_edit_of_equal_size_within_a_second_is_loaded(project, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    text = HEADER + "import helper\n@stage(outs=[helper.OUT])\ndef f(): ..."
    now = int(time.time()) * 1_000_000_000
    for number, name in enumerate("abc"):
        os.utime(project.write("helper.py", f"OUT = {name!r}"), ns=(now + number, now + number))
        assert project.stage(text).outs[0].path == name


def call(project, source, stage, params, prelude="", function=None):
    symbol = f"{source.removesuffix('.py').removeprefix('module:')}:{function or stage}"
    code = textwrap.dedent(f"""
        import os
        from pivot.definition.loading import prepare_call
        from pivot.errors import PivotError
        {prelude}
        try:
            call = prepare_call({str(project.root)!r}, {source!r}, {stage!r},
                                {symbol!r}, [{str(project.root)!r}], {params!r})
        except PivotError as error:
            print("refused", error.message)
        else:
            print(call(), os.getcwd())
    """)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, cwd="/"
    )
    return result.stdout.strip() or result.stderr


CALLED = (
    HEADER
    + """
import os
from pydantic import BaseModel
HERE = os.getcwd()
class P(BaseModel):
    rate: float = 1.0
@stage(params=P)
def train(params): return f"{type(params).__name__} {params.rate} {HERE}"
@stage()
def plain(): return "plain"
"""
)


def test_prepared_call_has_the_effective_parameters(project):
    project.write("pipeline.py", CALLED)
    project.write("params.yaml", "train: {rate: 0.5}")
    told = call(project, "pipeline.py", "train", {"rate": 0.5})
    assert told == f"P 0.5 {project.root} /"
    assert call(project, "pipeline.py", "plain", None) == "plain /"


def test_prepared_call_refuses_what_changed_since_the_plan(project):
    project.write("pipeline.py", CALLED)
    assert "parameters" in call(project, "pipeline.py", "train", {"rate": 0.5})
    assert "parameters" in call(project, "pipeline.py", "train", None)
    assert "function" in call(project, "pipeline.py", "plain", None, function="other")
    assert "stage 'gone' is gone" in call(project, "pipeline.py", "gone", None)


def test_prepared_call_of_a_configured_module(project):
    project.write("pkg/stages.py", CALLED)
    assert call(project, "module:pkg.stages", "plain", None) == "plain /"


def test_folders_that_own_modules_come_from_are_roots_in_order(project):
    project.write("src/pkg/__init__.py", "")
    project.write("hooked/other/__init__.py", "")
    definitions = project.load(
        "import sys, os, importlib.util\nsys.path.append(os.path.abspath('src'))\nimport pkg\n"
        "class Hook:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        file = 'hooked/other/__init__.py'\n"
        "        if name == 'other':\n"
        "            return importlib.util.spec_from_file_location(name, os.path.abspath(file))\n"
        "sys.meta_path.append(Hook())\nimport other\n"
    )
    assert definitions.roots == (".", "src", "hooked")


def test_project_may_be_reached_through_a_link(project, tmp_path):
    project.write("pipeline.py", HEADER + "@stage(deps=['a'])\ndef f(): ...")
    (tmp_path / "link").symlink_to(project.root)
    linked = type(project)(tmp_path / "link")
    definitions = linked.load()
    assert (definitions.stages[0].file, definitions.stages[0].deps) == ("pipeline.py", ("a",))
    assert linked.holds(definitions)
    project.write("pipeline.py", HEADER)
    assert not linked.holds(definitions)


def test_environment_inside_the_project_is_not_the_projects(project):
    site = project.root / ".venv/lib/python3.13/site-packages"
    project.write(".venv/lib/python3.13/site-packages/library.py", "open('LICENSE').read()")
    project.write("LICENSE", "free")
    definitions = project.load(f"import sys\nsys.path.append({str(site)!r})\nimport library\n")
    assert definitions.roots == (".",)
    assert definitions.evidence.files.keys() == {"pipeline.py"}


def test_bytecode_of_an_earlier_text_is_not_run_when_the_time_was_set_back(project):
    """As by `cp -p` or `rsync -t`: size and time are those that the bytecode was made for."""
    text = "from pivot import stage\nimport numbered\n@stage(outs=[numbered.NAME])\ndef f(): ...\n"
    source = project.write("numbered.py", "NAME = 'first'\n")
    py_compile.compile(str(source))
    assert project.stage(text).outs[0].path == "first"
    project.write("numbered.py", "NAME = 'other'\n")
    assert project.stage(text).outs[0].path == "other"
