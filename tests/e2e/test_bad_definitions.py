"""Definitions that can't be: the message says what, why and what helps, and nothing is touched."""

import pytest

MAKE = "\n@stage({arguments})\ndef {name}():\n    mark({name!r})\n    open('{name}', 'w').close()\n"


def define(*stages):
    return "".join(MAKE.format(name=name, arguments=arguments) for name, arguments in stages)


CASES = {
    "an out of two stages": (
        define(("one", "outs=['same']"), ("two", "outs=['same']")),
        (
            "error: same is an out of both one (pipeline.py:6) and two (pipeline.py:11)\n"
            "  why: only one stage can say what a path holds\n"
            "hint: Give each out a path of its own, then run `pivot list`\n"
        ),
    ),
    "a dep that is an out of two stages": (
        define(("one", "outs=['same']"), ("two", "outs=['same']"), ("use", "deps=['same']")),
        (
            "error: same is an out of both one (pipeline.py:6) and two (pipeline.py:11)\n"
            "  why: only one stage can say what a path holds\n"
            "hint: Give each out a path of its own, then run `pivot list`\n"
        ),
    ),
    "overlapping outs": (
        define(("one", "outs=['data']"), ("two", "outs=['data/part.csv']")),
        (
            "error: out data/part.csv of two (pipeline.py:11) overlaps out data of one"
            " (pipeline.py:6)\n"
            "  why: only one stage can say what a path holds\n"
            "hint: Give each out a path of its own, then run `pivot list`\n"
        ),
    ),
    "a cycle": (
        define(
            ("one", "deps=['c'], outs=['a']"),
            ("two", "deps=['a'], outs=['b']"),
            ("three", "deps=['b'], outs=['c']"),
        ),
        (
            "error: stages depend on each other in a circle\n"
            "  why: one -> two -> three -> one\n"
            "hint: Take one of these deps away, then run `pivot list`\n"
        ),
    ),
    "a stage that reads its own out": (
        define(
            ("one", "deps=['a'], outs=['a']"),
        ),
        None,
    ),
    "duplicate names": (
        define(("one", "outs=['a']"), ("two", "outs=['b'], name='one'")),
        None,
    ),
    "names that differ in case": (
        define(("one", "outs=['a']"), ("two", "outs=['b'], name='ONE'")),
        None,
    ),
    "a path outside of the project": (
        define(
            ("one", "outs=['../a']"),
        ),
        None,
    ),
    "an absolute path": (
        define(
            ("one", "outs=['/a/b']"),
        ),
        None,
    ),
    "a path in .git": (
        define(
            ("one", "outs=['.git/hooks/post-commit']"),
        ),
        None,
    ),
    "a path in .pivot": (
        define(
            ("one", "outs=['.PIVOT/stages/x.lock']"),
        ),
        None,
    ),
    "a name that is none": (
        define(
            ("one", "outs=['a'], name='../x'"),
        ),
        None,
    ),
    "a text instead of a list": (
        define(
            ("one", "outs='a'"),
        ),
        None,
    ),
    "a decorator without parentheses": ("@stage\ndef one(): ...\n", None),
    "parameters that are no model": ("@stage(params=dict)\ndef one(params): ...\n", None),
    "a syntax error": (
        "def broken(:\n    pass\n",
        (
            "error: pipeline.py:5 has a syntax error\n"
            "  why: invalid syntax\n"
            "  def broken(:\n"
            "             ^\n"
            "hint: Correct pipeline.py:5\n"
        ),
    ),
    "a syntax error in a helper": ("import broken_helper\n", None),
    "a missing module": ("import no_such_module\n", None),
    "an exception": ("print('noise')\nraise RuntimeError('because')\n", None),
    "an exit": ("sys.exit(0)\n", None),
    "a hard exit": ("os._exit(0)\n", None),
    "a crash": ("os.kill(os.getpid(), signal.SIGSEGV)\n", None),
}
MENTIONED = {
    "a stage that reads its own out": "a is a dependency and an output of it",
    "duplicate names": "one",
    "names that differ in case": "ONE",
    "a path outside of the project": "../a",
    "an absolute path": "/a/b",
    "a path in .git": ".git",
    "a path in .pivot": ".PIVOT",
    "a name that is none": "../x",
    "a text instead of a list": "one item",
    "a decorator without parentheses": "parentheses",
    "parameters that are no model": "Pydantic",
    "a syntax error in a helper": "broken_helper.py:2 has a syntax error",
    "a missing module": "no_such_module",
    "an exception": "RuntimeError: because",
    "an exit": "sys.exit(0)",
    "a hard exit": "ended with exit code 0",
    "a crash": "SIGSEGV",
}


@pytest.mark.parametrize("case", CASES)
def test_definition_is_refused_and_nothing_is_touched(stages, case):
    text, expected = CASES[case]
    project = stages(text)
    project.write("broken_helper.py", "import os\nx = = 1\n")
    before = project.snapshot()
    for command in (["repro"], ["list", "--json"]):
        done = project.pivot(*command, code=2)
        if "--json" in command:
            assert done.err == ""
            assert done.lines[0]["hint"]
            continue
        assert done.out == ""
        assert done.err.startswith("error: ")
        assert "\nhint: " in done.err
        assert "Traceback" not in done.err
        assert expected is None or done.err == expected
        assert MENTIONED.get(case, "") in done.err
    assert project.snapshot() == before
    assert project.ran() == []


def test_mended_definition_works_again(stages):
    project = stages("x = = 1\n")
    project.pivot("repro", code=2)
    project.replace("pipeline.py", "x = = 1", define(("a", "outs=['a']")))
    assert project.pivot("repro").statuses == {"a": "ran"}


def test_project_without_definitions_says_what_to_write(empty):
    done = empty.pivot("repro", code=2)
    assert done.err.startswith("error: no stages are defined here\n")
    assert "pipeline.py" in done.err
    assert "hint: " in done.err


def test_unknown_stage_is_named_with_the_nearest(story):
    done = story.pivot("repro", "totl", code=2)
    assert done.err == (
        "error: there is no stage 'totl'\nhint: Did you mean 'total'? `pivot list` shows all\n"
    )


def test_unknown_command_is_named_with_the_nearest(story):
    done = story.pivot("stats", code=2)
    assert done.err == "error: there is no command 'stats'\nhint: Did you mean `pivot status`?\n"


def test_missing_dep_is_said_before_anything_runs(story):
    story.replace("lib/low.py", "2", "5")
    story.replace("pipeline.py", 'outs=["alone.txt"]', 'deps=["a.text"], outs=["alone.txt"]')
    before = story.snapshot()
    done = story.pivot("repro", code=14)
    assert done.out == ""
    assert done.err.startswith(
        "error: dep a.text of stage alone doesn't exist\n"
        "  why: no stage makes it, and it isn't on disk\n"
        "hint: "
    )
    assert story.snapshot() == before
    assert story.pivot("status").statuses["alone"] == "stale"


def test_missing_dep_is_named_with_the_nearest_file_beside_it(empty):
    empty.write("data/wines.csv", "1")
    text = 'from pivot import stage\n\n@stage(deps=["data/wine.csv"])\ndef look(): ...\n'
    empty.write("pipeline.py", text)
    empty.pivot("init")
    done = empty.pivot("repro", code=14)
    assert done.err.endswith("hint: Did you mean data/wines.csv? The stage is at pipeline.py:3\n")
    status = empty.pivot("status", "--explain", "look").out
    assert "Status: STOPPED" in status
    assert "Missing: data/wine.csv" in status
    assert empty.pivot("status").out.endswith("1 stage: 1 stopped\n")


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("total: {offset: many}\n", "offset"),
        ("total: [1\n", "params.yaml"),
        ("- 1\n", "params.yaml"),
    ],
    ids=["wrong type", "no YAML", "no mapping"],
)
def test_bad_parameters_are_named_with_their_file(story, text, mentioned):
    story.write("params.yaml", text)
    done = story.pivot("repro", code=2)
    assert mentioned in done.err
    assert "hint: " in done.err
    assert story.read("total.json") == '{"total": 7}'


def test_unknown_parameter_is_warned_of(story):
    story.write("params.yaml", "total: {offsets: 1}\n")
    done = story.pivot("repro")
    assert "warning: params.yaml sets offsets for stage total" in done.err


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("[run\n", ".pivot/config.toml is no valid TOML"),
        ("[run]\njob = 1\n", "run.job"),
        ("[run]\njobs = 0\n", "run.jobs"),
        ("[run]\njobs = 1.5\n", "run.jobs"),
    ],
)
def test_bad_configuration_is_named_with_its_file(story, text, mentioned):
    story.write(".pivot/config.toml", text)
    story.replace("lib/low.py", "2", "5")
    done = story.pivot("repro", code=2)
    assert mentioned in done.err
    assert story.read("total.json") == '{"total": 7}'
