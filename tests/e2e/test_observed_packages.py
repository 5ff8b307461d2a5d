"""Packages that only a run imports: the lock has their versions, and an upgrade runs the stage."""

import json

import pytest

from tests.e2e.schemas import conforms

BY_NAME = """
    import importlib

    @stage(deps=["in.txt"], outs=["o"])
    def make():
        with open("in.txt") as f:
            name = f.read().strip()
        value = {call}
        with open("o", "w") as f:
            f.write(str(value))
"""
BY_IMPORT_MODULE = "importlib.import_module(name).value()"


def observed(project):
    return json.loads(project.lock("make").read_text())["observed"]


def packages(project):
    return observed(project).get("packages", {})


def reasons(project):
    value = json.loads(project.pivot("status", "--json").out)
    conforms(value, "status")
    return [
        (r["kind"], r["what"], r["old"], r["new"]) for s in value["stages"] for r in s["reasons"]
    ]


@pytest.fixture
def make(site, stages):
    """Makes a stage that gets a value by a name that it reads, and two packages."""

    def made(call=BY_IMPORT_MODULE, name="readers.yaml"):
        site.install("First.Lib", "1.0", "first_lib", text="def value(): return 1\n")
        site.install("second_lib", "2.0+local", "second_lib", text="def value(): return 2\n")
        project = stages(BY_NAME.format(call=call))
        project.write("in.txt", name)
        project.write("readers/yaml.py", "from readers.parts import value\n")
        project.write("readers/parts.py", "def value():\n    import first_lib\n    return 1\n")
        project.write("readers/other.py", "import second_lib\ndef value(): return 2\n")
        return project

    return made


def test_what_only_observed_code_imports_counts_by_version(make, site):
    project = make()
    assert project.pivot("repro").statuses == {"make": "ran"}
    assert packages(project) == {"first-lib": "1.0"}
    assert project.pivot("repro").statuses == {"make": "unchanged"}
    site.install("second_lib", "3.0", "second_lib")
    assert project.pivot("repro").statuses == {"make": "unchanged"}
    site.install("First.Lib", "1.1", "first_lib")
    assert reasons(project) == [("package", "first-lib", "1.0", "1.1")]
    told = project.pivot("status", "--explain").out
    assert "package:first-lib" in told
    assert "New: 1.1" in told
    assert project.pivot("repro").statuses == {"make": "ran"}
    assert packages(project) == {"first-lib": "1.1"}
    site.install("First.Lib", "1.0", "first_lib")
    assert project.pivot("repro").statuses == {"make": "restored"}


@pytest.mark.parametrize("name", ["First.Lib", "readers.parts:value", "value"])
def test_asking_why_of_what_only_a_run_used_says_so(make, name):
    project = make()
    project.pivot("repro")
    done = project.pivot("fingerprint", "make", "--why", name, code=2)
    assert done.err.splitlines() == [
        f"error: no name in the code of stage make leads to {name!r}",
        "  why: its last run was seen to use it, by a name that was computed",
        "hint: `pivot fingerprint make` shows all",
    ]


def test_all_that_a_module_imports_counts_where_it_counts_as_a_whole(make):
    project = make(name="readers.other")
    project.pivot("repro")
    assert packages(project) == {"second-lib": "2.0"}


def test_a_package_that_is_gone_runs_the_stage(make, site):
    project = make()
    project.pivot("repro")
    site.remove("First.Lib")
    assert reasons(project) == [("package", "first-lib", "1.0", None)]


@pytest.mark.parametrize(
    "call",
    [
        BY_IMPORT_MODULE,
        "__import__(name).value()",
        'eval("__import__(name)").value()',
        "exec(f'import {name} as found', there := {}) or there['found'].value()",
        "__import__('pkgutil').resolve_name(name + ':value')()",
        "__import__('pickle').loads(f'c{name}\\nvalue\\n.'.encode())()",
    ],
)
def test_a_package_that_is_imported_by_a_computed_name_counts(make, site, call):
    project = make(call, "first_lib")
    project.pivot("repro")
    assert packages(project) == {"first-lib": "1.0"}
    site.install("First.Lib", "2", "first_lib", text="def value(): return 2\n")
    assert project.pivot("repro").statuses == {"make": "ran"}


def test_a_package_that_is_there_already_counts_as_well(make):
    project = make("__import__(name).value()", "first_lib")
    project.write("helper.py", "import first_lib\n")
    project.replace("pipeline.py", "import importlib\n", "import importlib, helper\n")
    project.pivot("repro")
    assert packages(project) == {"first-lib": "1.0"}


def test_what_a_package_imports_itself_is_its_own_matter(make, site):
    project = make(name="first_lib")
    site.install(
        "First.Lib", "1.0", "first_lib",
        text="import importlib\nvalue = importlib.import_module('second_lib').value\n",
    )  # fmt: skip
    project.pivot("repro")
    assert packages(project) == {"first-lib": "1.0"}


def test_packages_that_are_known_without_running_stand_in_the_lock_once(make):
    project = make()
    project.replace("pipeline.py", "import importlib\n", "import importlib, first_lib\n")
    project.replace("pipeline.py", "value = ", "first_lib.value()\n    value = ")
    project.pivot("repro")
    assert "packages" not in observed(project)
    assert json.loads(project.lock("make").read_text())["packages"]["first-lib"] == "1.0"


def test_the_policy_for_packages_holds_for_those_of_a_run(make, site):
    project = make()
    project.pivot("repro")
    project.pivot("config", "set", "fingerprint.package.first.lib", "ignore")
    site.install("First.Lib", "9", "first_lib")
    assert reasons(project) == []
    project.pivot("repro", "--force")
    assert "packages" not in observed(project)


def test_own_code_elsewhere_that_only_a_run_imports_counts_by_its_sources(make, site, tmp_path):
    project = make(name="ours")
    source = tmp_path / "other/ours.py"
    source.parent.mkdir()
    source.write_text("def value(): return 1\n")
    site.in_place_by_path("ours", source.parent)
    project.pivot("repro")
    assert packages(project)["ours"].startswith("source ")
    assert project.pivot("repro").statuses == {"make": "unchanged"}
    source.write_text("def value(): return 2\n")
    assert [reason[:2] for reason in reasons(project)] == [("package", "ours")]
    project.pivot("repro")
    assert project.read("o") == "2"


def test_verify_believes_the_packages_of_a_run(make, site):
    project = make()
    project.pivot("repro")
    site.install("First.Lib", "1.1", "first_lib")
    assert "good" in project.pivot("verify").out


def test_recording_takes_the_versions_that_are_installed(make, site):
    project = make()
    project.pivot("repro")
    site.install("First.Lib", "1.1", "first_lib")
    project.pivot("record", "make")
    assert packages(project) == {"first-lib": "1.1"}
    assert project.pivot("repro").statuses == {"make": "unchanged"}


def test_what_a_run_imported_is_shown_with_its_fingerprint(make):
    project = make()
    project.pivot("repro")
    assert "package:first-lib" in project.pivot("fingerprint", "make").out
    value = json.loads(project.pivot("fingerprint", "make", "--json").out)
    conforms(value, "fingerprint")
    assert value["observed"]["packages"] == {"first-lib": "1.0"}


def test_nothing_is_looked_up_twice_in_one_installation(make, site, tmp_path):
    project = make()
    project.pivot("repro")
    project.pivot("status")
    start = tmp_path / "start/sitecustomize.py"
    start.write_text(
        start.read_text()
        + "import atexit, sys\n"
        + "def tell():\n"
        + "    if 'pivot.code.packages' in sys.modules: print('LOOKED', file=sys.stderr)\n"
        + "atexit.register(tell)\n"
    )
    result = project.pivot("repro")
    assert (result.statuses, result.err) == ({"make": "unchanged"}, "")
    site.install("second_lib", "3.0", "second_lib")
    assert "LOOKED" in project.pivot("repro").err
