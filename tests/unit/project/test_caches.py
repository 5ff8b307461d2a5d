"""What is remembered never changes a plan: it is compared with that of one who remembers nothing.

A project is edited in all the ways in which editors, Git and users change sources, and what Pivot
remembers is damaged, between plans. After each step a planner with the project's accelerator and
one with an empty one must come to the same decisions, the same fingerprints, or the same error.
"""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pivot.errors import PivotError
from pivot.project.initialise import initialise
from pivot.project.planner import Planner
from pivot.project.project import Project
from pivot.project.reproducing import reproduce
from pivot.state import State

SOAKS = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
EXAMPLES, STEPS = (300, 20) if SOAKS else (5, 9)

# The digit is what edits change, so that sizes stay the same.
SOURCES = {
    "pipeline.py": """
import os
from pivot import stage
from pkg import early, late
KIND = os.environ.get("CACHES_KIND", "csv")

@stage(deps=["data.csv"], outs=[f"first{early.suffix(1)}"])
def first():
    with open("first" + early.suffix(1), "w") as f:
        f.write(str(late.compute(1)))

@stage(deps=["data.csv"], outs=["second.txt"])
def second():
    import helper
    with open("second.txt", "w") as f:
        f.write(str(helper.VALUE))
""",
    "pkg/__init__.py": "NUMBER = 1\n",
    "pkg/early.py": "def suffix(number):\n    return f'-{number + 1}.txt'\n",
    "pkg/late.py": "from helper import VALUE\n\ndef compute(n):\n    return n + VALUE + 1\n",
    "helper.py": "VALUE = 1\n",
    "data.csv": "1",
}
EDITED = tuple(SOURCES)
PACKAGE = "helper/__init__.py"
NAMESPACE = "helper/other.py"
ELSEWHERE = "elsewhere.py"


def variant(name, number):
    return SOURCES[name].replace("1", str(number))


def outcome(project):
    """All that planning says, or how it fails."""
    planner = Planner(project)
    try:
        plan, _ = planner.plan()
        code = {name: s.declared.code for name, s in plan.survey.stages.items()}
        locations = {name: dict(s.locations) for name, s in plan.survey.stages.items()}
    except PivotError as error:
        return type(error), error.message, error.why
    return plan.decisions, code, locations, tuple(plan.graph.stages.values())


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """No configuration of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory, home):
    """A project whose stages ran."""
    root = tmp_path_factory.mktemp("caches") / "project"
    for name, text in SOURCES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    initialise(str(root), git=False)
    project = Project.find(str(root))
    planner = Planner(project)
    plan, _ = planner.plan()
    reproduce(planner, plan, lambda _: None, jobs=2, keep_going=False)
    project.close()
    return root


class CachesMachine(RuleBasedStateMachine):
    template: Path

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name).resolve() / "project"
        shutil.copytree(self.template, self.root, symlinks=True)
        os.environ.pop("CACHES_KIND", None)

    def teardown(self):
        os.environ.pop("CACHES_KIND", None)
        self.folder.cleanup()

    # -- edits --------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(EDITED),
        number=st.integers(1, 4),
        way=st.sampled_from(["written", "replaced", "with its old time", "touched"]),
    )
    def edit(self, name, number, way):
        path = self.root / name
        before = path.stat().st_mtime_ns if path.exists() else 10**18
        path.parent.mkdir(exist_ok=True)
        if way == "touched" and path.exists():
            path.touch()
            return
        if way == "replaced":
            beside = path.with_name("editor~")
            beside.write_text(variant(name, number))
            beside.replace(path)
        else:
            path.write_text(variant(name, number))
        if way == "with its old time":
            os.utime(path, ns=(before, before))

    @rule(name=st.sampled_from(["pkg/__init__.py", "helper.py", "data.csv", "pkg/late.py"]))
    def delete(self, name):
        (self.root / name).unlink(missing_ok=True)

    @rule(which=st.sampled_from([PACKAGE, NAMESPACE]), number=st.integers(1, 3))
    def make_a_folder_of_a_modules_name(self, which, number):
        (self.root / which).parent.mkdir(exist_ok=True)
        (self.root / which).write_text(f"VALUE = {number}\n")

    @rule()
    def remove_that_folder(self):
        shutil.rmtree(self.root / "helper", ignore_errors=True)

    @rule(name=st.sampled_from(["json.py", "pkg/helper.py", "pkg/json.py"]))
    def let_a_file_appear_that_may_hide_another(self, name):
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text("VALUE = 9\n")

    @rule(number=st.integers(1, 3))
    def swap_a_source_for_a_link(self, number):
        place = self.root.parent / f"elsewhere{number}.py"
        place.write_text(variant("helper.py", number))
        path = self.root / "helper.py"
        path.unlink(missing_ok=True)
        path.symlink_to(place)

    @rule(value=st.sampled_from([None, "csv", "txt"]))
    def change_a_variable(self, value):
        os.environ.pop("CACHES_KIND", None)
        if value is not None:
            os.environ["CACHES_KIND"] = value

    @rule(name=st.sampled_from(["first-2.txt", "second.txt"]), restore=st.booleans())
    def touch_an_out(self, name, restore):
        source = self.template / name
        if restore:
            shutil.copy2(source, self.root / name)
        else:
            (self.root / name).write_bytes(b"1")

    # -- what happens to the accelerator ------------------------------------------------------

    @rule(
        way=st.sampled_from(["gone", "cut", "zeros", "flipped", "no log"]),
        share=st.floats(0, 1, exclude_max=True),
    )
    def damage(self, way, share):
        path = self.root / ".pivot/state.db"
        if not path.exists():
            return
        at = int(path.stat().st_size * share)
        if way == "gone":
            path.unlink()
        elif way == "cut":
            os.truncate(path, at)
        elif way == "no log":
            for suffix in ("-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
        else:
            with path.open("r+b") as f:
                f.seek(at)
                byte = f.read(1)
                f.seek(at)
                f.write(bytes(512) if way == "zeros" else bytes([byte[0] ^ 0x55]))

    @rule()
    def plan_twice_at_once(self):
        """As two commands that overlap: each has read before the other one writes."""
        projects = [Project.find(str(self.root)) for _ in range(2)]
        first, second = (outcome(project) for project in projects)
        for project in projects:
            project.close()
        assert first == second

    @rule(name=st.sampled_from(EDITED), number=st.integers(1, 4))
    def edit_while_a_plan_is_open(self, name, number):
        """What was found before the edit must not be kept as if it were found after it."""
        project = Project.find(str(self.root))
        planner = Planner(project)
        try:
            assert planner.definitions
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text(variant(name, number))
            planner.plan()
        except PivotError:
            pass
        finally:
            project.close()

    # -- what must hold -----------------------------------------------------------------------

    @invariant()
    def memory_changes_nothing(self):
        if not hasattr(self, "root"):
            return
        known = Project.find(str(self.root))
        fresh = Project.find(str(self.root))
        with tempfile.TemporaryDirectory() as elsewhere:
            fresh.state = State.open(f"{elsewhere}/state.db")
            expected = outcome(fresh)
            fresh.close()
        assert outcome(known) == expected
        known.close()


@pytest.fixture(autouse=True, scope="module")
def machine(template):
    CachesMachine.template = template


CachesMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_caches_and_one_who_has_none = CachesMachine.TestCase
