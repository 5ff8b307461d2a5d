"""Which code counts because it was seen to run, beyond what is known without running."""

import textwrap
from dataclasses import dataclass

import pytest

from pivot.code.fingerprint import ProjectCode
from pivot.paths import RepoPath
from pivot.project.beyond import find_beyond
from pivot.run.observation import Observation


@dataclass(frozen=True)
class Memory:
    files: dict[str, str]

    def read(self, path):
        text = self.files.get(path)
        return None if text is None else textwrap.dedent(text).encode()

    def is_dir(self, path):
        return any(name.startswith(f"{path}/") for name in self.files)


STAGE = """
    import lib

    def run():
        lib.used()
"""
LIB = """
    import json

    def used(): pass

    FACTOR = 2

    def by_name(): return helper() * FACTOR

    def helper(): pass

    def idle(): pass
"""


@pytest.fixture
def beyond():
    """What counts beyond `stage:run`, by what was seen."""

    def find(files, **seen):
        code = ProjectCode(Memory({"stage.py": STAGE, "lib.py": LIB, **files}), (RepoPath.ROOT,))
        return find_beyond(code, code.fingerprint("stage:run"), Observation(1, **seen))

    return find


def test_what_is_known_adds_nothing(beyond):
    found = beyond({}, code={"stage.py": (4,), "lib.py": (0, 4)})
    assert found.code == {}
    assert found.sources == {"stage.py", "lib.py"}


def test_a_function_counts_with_all_that_it_uses(beyond):
    found = beyond({}, code={"lib.py": (8,)})
    assert set(found.code) == {"lib:by_name", "lib:helper", "lib:FACTOR"}
    assert set(found.places.values()) == {"lib.py"}


def test_a_module_that_nothing_is_known_to_import_counts_as_a_whole(beyond):
    files = {"plug.py": "import lib\ndef run(): lib.helper()\n"}
    found = beyond(files, code={"plug.py": (0, 2), "lib.py": (10,)})
    assert set(found.code) == {"plug:<module>", "lib:helper"}


def test_what_such_a_module_imports_counts_as_far_as_it_is_used(beyond):
    files = {
        "plug.py": "import deep\ndef run(): deep.f()\n",
        "deep.py": "def f(): pass\ndef g(): pass\n",
    }
    found = beyond(files, code={"plug.py": (0, 2), "deep.py": (0, 1)})
    assert set(found.code) == {"plug:<module>", "deep:f"}


def test_a_circle_of_imports_hides_no_module_that_was_imported_by_a_computed_name(beyond):
    files = {
        "plug.py": "import deep\nRATE = 1\ndef run(): deep.f()\n",
        "deep.py": "import plug\ndef f(): pass\ndef g(): pass\n",
    }
    found = beyond(files, code={"plug.py": (0, 3), "deep.py": (0, 2)})
    assert set(found.code) == {"plug:<module>", "deep:f"}


def test_a_module_that_was_imported_by_name_counts_though_it_was_loaded_before(beyond):
    files = {"conf.py": "RATE = 1\n"}
    assert set(beyond(files, modules=("conf", "json")).code) == {"conf:<module>"}


def test_a_known_module_that_was_imported_by_name_counts_as_a_whole_if_it_is_known_in_part(beyond):
    assert set(beyond({}, modules=("lib",)).code) == {"lib:<module>"}
    files = {"stage.py": "import lib\ndef run(): return vars(lib)\n"}
    assert beyond(files, modules=("lib",)).code == {}


def test_what_runs_for_a_known_import_is_known(beyond):
    late = {"late.py": "def build(): pass\nTABLE = build()\ndef used(): pass\n"}
    stage = {"stage.py": "def run():\n    import late\n    late.used()\n"}
    seen = {
        "code": {"stage.py": (1,), "late.py": (0, 3)},
        "imported": {"late.py": {"late.py": (1,)}},
    }
    assert beyond(late | stage, **seen).code == {}


def test_what_runs_for_an_unknown_import_counts(beyond):
    files = {"plug.py": "from lib import idle\nidle()\n"}
    seen = {"code": {"plug.py": (0,)}, "imported": {"plug.py": {"lib.py": (12,)}}}
    assert set(beyond(files, **seen).code) == {"plug:<module>", "lib:idle"}


def test_code_of_no_module_is_told_by_its_file(beyond):
    found = beyond({"my-script.py": "def f(): pass\n"}, code={"my-script.py": (0, 1)})
    assert (found.code, found.foreign) == ({}, {"my-script.py"})


def test_a_source_that_can_not_be_parsed_any_more_counts_by_its_file(beyond):
    found = beyond({"broken.py": "def f(:\n"}, code={"broken.py": (1,)})
    assert found.foreign == {"broken.py"}


HEAVY = """
    import heavy.part
    try:
        from absent import thing
    except ImportError:
        thing = None

    def used():
        import lazy
        return lazy.x

    def idle():
        import idle_only
        return idle_only.x
"""


def test_modules_from_elsewhere_that_code_beyond_imports_are_told(beyond):
    found = beyond({"extra.py": HEAVY}, code={"extra.py": (8,)})
    assert found.modules == {"lazy"}
    found = beyond({"extra.py": HEAVY}, modules=("extra",))
    assert found.modules == {"heavy", "absent", "lazy", "idle_only"}


def test_modules_that_are_known_without_running_are_left_out(beyond):
    stage = "import heavy\n\ndef run():\n    return heavy.x\n"
    files = {"stage.py": stage, "extra.py": HEAVY}
    assert beyond(files, modules=("extra",)).modules == {"absent", "lazy", "idle_only"}


def test_modules_that_were_asked_for_by_name_are_told_if_they_are_from_elsewhere(beyond):
    found = beyond({}, packages=("yaml", "lib", "json", "pivot"), modules=("numpy.linalg",))
    assert found.modules == {"yaml"}
