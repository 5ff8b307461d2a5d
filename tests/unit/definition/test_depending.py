"""What definitions depend on where names are looked up, and what imports may come and go."""

import pytest

from tests.unit.definition.conftest import Project

PARAMETERS = {
    "pipeline.py": """
        from parameters import LIMIT, Params, Unused
        from pivot import stage

        @stage(params=Params)
        def train(params):
            return LIMIT

        @stage(params=Params(depth=3))
        def deeper(params):
            return Unused()
        """,
    "parameters.py": """
        from pydantic import BaseModel

        DEFAULT = 5
        LIMIT = 6

        class Params(BaseModel):
            depth: int = DEFAULT
            rate: float = 0.5

        class Unused:
            seed = LIMIT
        """,
}
OF_PARAMETERS = {
    "a default": ("parameters.py", "DEFAULT = 5", "DEFAULT = 6", False),
    "a field": ("parameters.py", "rate: float = 0.5", "rate: float = 0.7", False),
    "a new field": (
        "parameters.py",
        "rate: float = 0.5",
        "rate: float = 0.5\n    e: int = 1",
        False,
    ),
    "a value": ("pipeline.py", "depth=3", "depth=4", False),
    "a constant": ("parameters.py", "LIMIT = 6", "LIMIT = 7", True),
    "another class": ("parameters.py", "seed = LIMIT", "seed = 1", True),
}


def test_parameters_depend_on_all_that_makes_them(tmp_path):
    original = Project(tmp_path)
    for name, text in PARAMETERS.items():
        original.write(name, text)
    definitions = original.cached()
    for what, (name, old, new, holds) in OF_PARAMETERS.items():
        before = (original.root / name).read_text()
        original.edit(name, old, new)
        assert (original.revise(definitions) is not None) == holds, what
        (original.root / name).write_text(before)


def reading(project, text):
    """Definitions of a project with a module that has a number, and this pipeline."""
    project.write("numbers_of.py", "LIMIT = 1\n")
    project.write("pipeline.py", f"from pivot import stage\n{text}\n@stage()\ndef train(): ...\n")
    return project.cached()


@pytest.mark.parametrize(
    "text",
    [
        "import numbers_of\nn = vars(numbers_of)",
        "import numbers_of\nn = getattr(numbers_of, 'LI' + 'MIT')",
        "import numbers_of\nprint(numbers_of)",
        "import numbers_of\nall_of_them = [numbers_of]\nprint(all_of_them)",
        "import numbers_of\ndef show(): print(numbers_of)\nshow()",
        "from numbers_of import *\nn = globals()",
        "import sys, numbers_of\nn = sys.modules['numbers_of'].LIMIT",
        "import numbers_of\neval('numbers_of.' + 'LIMIT')",
    ],
)
def test_all_names_matter_where_they_may_be_looked_up_unseen(project, text):
    definitions = reading(project, text)
    assert definitions.evidence.influence.names is None
    project.edit("numbers_of.py", "1", "2")
    assert project.revise(definitions) is None


@pytest.mark.parametrize(
    "text",
    [
        "import numbers_of\nn = len('LIMIT')",
        "from numbers_of import LIMIT\nn = 'LIMIT'.lower()",
        "from numbers_of import LIMIT\ndef more(n=LIMIT): print(n)",
        "from numbers_of import LIMIT\nclass More:\n    def more(self, n=LIMIT): ...",
        "from numbers_of import *",
        "import numbers_of\nprint(numbers_of.__name__)",
    ],
)
def test_a_name_does_not_matter_only_because_it_is_imported(project, text):
    definitions = reading(project, text)
    project.edit("numbers_of.py", "1", "2")
    now = project.revise(definitions)
    assert now is not None
    assert now.stages == project.load().stages


def test_a_file_that_takes_the_place_of_a_new_import_is_noticed_later(project):
    definitions = reading(project, "import numbers_of")
    project.edit("numbers_of.py", "LIMIT", "import decimal\nLIMIT")
    now = project.revise(definitions)
    assert project.holds(now)
    project.write("decimal.py", "")
    assert not project.holds(now)


@pytest.mark.parametrize("name", ["decimal.py", "_decimal.py", "numbers/__init__.py"])
def test_a_new_import_is_not_believed_where_a_file_may_take_its_place(project, name):
    project.write(name, "")
    definitions = reading(project, "import numbers_of")
    project.edit("numbers_of.py", "LIMIT", "import decimal\nLIMIT")
    assert project.revise(definitions) is None


def test_a_folder_takes_the_place_of_a_new_import_only_once_it_is_a_package(project):
    project.write("site/index.html", "")
    definitions = reading(project, "import numbers_of")
    project.edit("numbers_of.py", "LIMIT", "import decimal\nLIMIT")
    now = project.revise(definitions)
    assert project.holds(now)
    project.write("site/__init__.py", "")
    assert not project.holds(now)


def test_a_library_may_be_imported_once_more_but_not_once_less(project):
    definitions = reading(project, "import pytest\nimport numbers_of")
    project.edit("numbers_of.py", "LIMIT", "import pytest\nLIMIT")
    now = project.revise(definitions)
    assert now is not None
    project.edit("pipeline.py", "import pytest\n", "")
    assert project.revise(now) is None


def test_of_a_library_only_those_names_are_known_to_exist_that_were_imported(project):
    definitions = reading(project, "from pytest import raises\nimport numbers_of")
    project.edit("numbers_of.py", "LIMIT", "from pytest import raises\nLIMIT")
    assert project.revise(definitions) is not None
    project.edit("numbers_of.py", "raises", "mark")
    assert project.revise(definitions) is None
