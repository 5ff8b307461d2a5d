"""Packages: installed ones by version and by policy, the team's own ones as sources."""

import json
from pathlib import Path

import pytest

from pivot.lock.lock import decode

# As setuptools writes it, but for what it does with namespaces.
SETUPTOOLS_FINDER = """
import sys
from importlib.machinery import PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path

MAPPING: dict[str, str] = {mapping!r}


class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        parent, _, rest = fullname.partition(".")
        if parent not in MAPPING:
            return None
        place = Path(MAPPING[parent], *rest.split(".")) if rest else Path(MAPPING[parent])
        for candidate in (place / "__init__.py", place.with_suffix(".py")):
            if candidate.exists():
                return spec_from_file_location(fullname, candidate)
        return None


def install():
    sys.meta_path.append(_EditableFinder)
"""
# As the `editables` package writes it, for hatchling and pdm.
EDITABLES_FINDER = """
import importlib.util
import sys


class RedirectingFinder:
    _redirections = {{}}

    @classmethod
    def map_module(cls, name, path):
        cls._redirections[name] = path

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if "." in fullname or path is not None or fullname not in cls._redirections:
            return None
        return importlib.util.spec_from_file_location(fullname, cls._redirections[fullname])


def install():
    sys.meta_path.append(RedirectingFinder)
    for name, place in {mapping!r}.items():
        RedirectingFinder.map_module(name, place + "/__init__.py")
"""
# Some hook that nobody knows.
UNKNOWN_FINDER = SETUPTOOLS_FINDER.replace("MAPPING", "PLACES")


def lock(project, stage="make"):
    return decode(project.lock(stage).read_bytes(), stage)


def reasons(project):
    value = json.loads(project.pivot("status", "--json").out)
    return [(r["kind"], r["what"]) for s in value["stages"] for r in s["reasons"]]


THROUGH_HELPER = """
    import helper

    @stage(outs=["o"])
    def make():
        open("o", "w").write(str(helper.value()))
"""
HELPER = """
    def value():
        from first_lib import VALUE as one
        from second_lib import VALUE as two
        return one + two
"""


@pytest.fixture
def two(site, stages):
    """A stage that imports two packages, through a helper and within a function."""
    site.install("First.Lib", "1.0", "first_lib")
    site.install("second_lib", "2.0+local", "second_lib")
    project = stages(THROUGH_HELPER)
    project.write("helper.py", HELPER)
    project.pivot("repro")
    return project


def versions(project):
    return {n: v for n, v in lock(project).declared.packages.items() if n != "python"}


def test_packages_that_only_a_helper_imports_count_by_version(two, site):
    assert versions(two) == {"first-lib": "1.0", "second-lib": "2.0"}
    site.install("second_lib", "2.1", "second_lib")
    assert reasons(two) == [("package", "second-lib")]
    assert two.pivot("repro").statuses == {"make": "ran"}


def test_explain_and_why_say_through_what_a_package_counts(two, site):
    site.install("second_lib", "2.1", "second_lib")
    told = two.pivot("status", "--explain").out
    assert "package:second-lib\n      Old: 2.0\n      New: 2.1\n      File: helper.py:1\n" in told
    assert "      Via: make -> helper.value -> second-lib\n" in told
    (stage,) = json.loads(two.pivot("status", "--explain", "--json").out)["stages"]
    assert stage["reasons"][0]["chain"] == ["pipeline:make", "helper:value", "second-lib"]
    for name in ("first-lib", "First_Lib", "first_lib"):
        rows = two.pivot("fingerprint", "make", "--why", name).out.splitlines()
        assert [row.split()[0] for row in rows] == ["func:make", "func:value"]


def test_a_package_can_be_ignored_under_any_spelling(two, site):
    two.pivot("config", "set", "fingerprint.package.First_Lib", "ignore")
    assert 'first-lib = "ignore"' in two.read(".pivot/config.toml")
    assert reasons(two) == [("package", "first-lib")]
    assert "Note: the configuration says to ignore it" in two.pivot("status", "--explain").out
    two.pivot("repro")
    assert versions(two) == {"second-lib": "2.0"}
    site.install("First.Lib", "7", "first_lib")
    assert two.pivot("repro").statuses == {"make": "unchanged"}
    two.pivot("config", "unset", "fingerprint.package.first.lib")
    assert reasons(two) == [("package", "first-lib")]


def test_one_package_can_count_where_others_do_not(two, site):
    two.write(
        ".pivot/config.toml",
        '[fingerprint]\npackages = "ignore"\n[fingerprint.package]\nSecond_Lib = "version"\n',
    )
    two.pivot("repro")
    assert versions(two) == {"second-lib": "2.0"}
    site.install("second_lib", "3", "second_lib")
    assert reasons(two) == [("package", "second-lib")]


def test_a_policy_that_is_none_is_refused(two):
    told = two.pivot("config", "set", "fingerprint.package.torch", "no", code=2).err
    assert "it must be one of version, ignore" in told
    two.write(".pivot/config.toml", '[fingerprint.package]\ntorch = "minor"\n')
    assert "setting fingerprint.package.torch" in two.pivot("repro", code=2).err


PACKAGE = {
    "__init__.py": "from .core import work\n",
    "core.py": "def work():\n    return 1\n\n\ndef unused():\n    return 1\n",
}
USER = """
    @stage(outs=["o"])
    def make():
        from ours import work
        open("o", "w").write(str(work()))
"""


def write_package(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, text in PACKAGE.items():
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("kind", "folder"),
    [
        ("path", "packages/ours/src/ours"),
        ("__editable__ " + SETUPTOOLS_FINDER, "packages/ours/flat/ours"),
        ("_editable_impl " + EDITABLES_FINDER, "packages/ours/flat/ours"),
    ],
    ids=["path", "setuptools", "editables"],
)
def test_an_editable_install_in_the_project_is_followed_symbol_by_symbol(
    site, stages, kind, folder
):
    """Also where the package is imported by no code but that of a stage."""
    project = stages(USER)
    place = project.path / folder
    write_package(place)
    if kind == "path":
        site.in_place_by_path("ours", place.parent)
    else:
        site.in_place_by_hook(kind, "ours", "ours", place)
    project.pivot("repro")
    assert project.read("o") == "1"
    assert "ours.core:work" in lock(project).declared.code
    assert versions(project) == {}
    project.replace(
        f"{folder}/core.py", "def unused():\n    return 1", "def unused():\n    return 2"
    )
    assert reasons(project) == []
    project.replace(f"{folder}/core.py", "def work():\n    return 1", "def work():\n    return 2")
    assert reasons(project) == [("code", "ours.core:work")]
    project.pivot("repro")
    assert project.read("o") == "2"


def test_a_package_in_the_project_that_an_unknown_hook_finds_counts_as_a_whole(site, stages):
    project = stages(USER)
    place = project.path / "lib/strange/ours"
    write_package(place)
    site.in_place_by_hook("_strange " + UNKNOWN_FINDER, "ours", "ours", place)
    project.pivot("repro")
    assert versions(project).keys() == {"ours"}
    project.replace("lib/strange/ours/core.py", "return 1", "return 2")
    assert ("package", "ours") in reasons(project)


def test_an_editable_install_outside_counts_as_a_whole_unless_it_is_ignored(site, stages, tmp_path):
    project = stages(USER)
    write_package(tmp_path / "other/ours")
    site.in_place_by_path("ours", tmp_path / "other")
    project.pivot("repro")
    assert versions(project)["ours"].startswith("source ")
    assert f"ours    {versions(project)['ours'][:15]}\n" in project.pivot("fingerprint", "make").out
    core = tmp_path / "other/ours/core.py"
    core.write_text(core.read_text().replace("1", "2"))
    assert reasons(project) == [("package", "ours")]
    project.pivot("config", "set", "fingerprint.package.ours", "ignore")
    project.pivot("repro")
    assert versions(project) == {}
    core.write_text(core.read_text().replace("2", "3"))
    assert reasons(project) == []
