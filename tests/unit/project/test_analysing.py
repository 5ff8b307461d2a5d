"""An analysis that goes on from the last one finds what one from scratch does."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pivot.code.fingerprint import ProjectCode
from pivot.code.record import CodeRecord, decode, encode
from pivot.errors import DefinitionError
from pivot.hashing import hash_bytes
from pivot.paths import RepoPath
from pivot.project.analysing import Analysis

ROOTS = (RepoPath.ROOT,)


@dataclass
class Disk:
    """Sources in memory, with what is kept of them; `parsed` are those that were read."""

    files: dict[str, str]
    rows: dict[bytes, bytes] = field(default_factory=dict)
    parsed: list[str] = field(default_factory=list)

    def read(self, path):
        self.parsed.append(path)
        text = self.files.get(path)
        return None if text is None else text.encode()

    def is_dir(self, path):
        return any(name.startswith(f"{path}/") for name in self.files)

    def names(self, path):
        inner = (
            name.removeprefix(f"{path}/") for name in self.files if name.startswith(f"{path}/")
        )
        return sorted({name.partition("/")[0] for name in inner})

    def file_id(self, path):
        text = self.files.get(path)
        return None if text is None else hash_bytes(text.encode())

    def facts(self, key):
        return self.rows.get(key)

    def keep(self, key, facts):
        self.rows[key] = facts


@dataclass
class Project:
    """A project as a clone sees it: what the last analysis left is there for the next."""

    disk: Disk
    symbols: list[str]
    last: tuple[bytes, bytes] | None = None
    anew: set[str] = field(default_factory=set)

    def analyse(self):
        code = ProjectCode(self.disk, ROOTS, self.disk)
        real, self.anew = code.fingerprint, set()

        def counted(symbol):
            self.anew.add(symbol)
            return real(symbol)

        code.fingerprint = counted
        analysis = Analysis(code, self.disk)
        if self.last is not None:
            before = decode(self.last[0])
            assert before is not None
            assert before.outside == {}
            if all(self.disk.is_dir(path) == there for path, there in before.folders.items()):
                analysis.go_on_from(before, self.last[1])
        found = analysis.fingerprints(self.symbols)
        files, folders, listings = analysis.evidence
        consulted = analysis.consulted
        digest = hash_bytes(consulted).hex()
        record = CodeRecord(
            found, {s: {} for s in found}, files, folders, ROOTS, "", {}, {}, listings, digest
        )
        self.last = encode(record), consulted
        return found, record


def from_scratch(files, symbols):
    code = ProjectCode(Disk(files), ROOTS)
    return {symbol: code.fingerprint(symbol) for symbol in symbols}, code.evidence


FILES = {
    "pipeline.py": (
        "from a import use\nfrom b import other\nfrom pivot import stage\n"
        "@stage()\ndef one(): return use()\n@stage()\ndef two(): return other()\n"
    ),
    "a.py": "from c import deep\nK = 1\ndef use(): return deep() + K\n",
    "b.py": "def other(): return 2\n",
    "c.py": "def deep(): return 3\ndef unused(): return 4\n",
}


@pytest.fixture
def project():
    return Project(Disk(dict(FILES)), ["pipeline:one", "pipeline:two"])


def edit(project, path, old, new):
    assert old in project.disk.files[path]
    project.disk.files[path] = project.disk.files[path].replace(old, new)
    project.disk.parsed.clear()


def agrees(project):
    found, record = project.analyse()
    fresh, evidence = from_scratch(project.disk.files, project.symbols)
    assert found == fresh
    assert record.files.items() >= evidence.items()
    assert all(project.disk.file_id(path) == id_ for path, id_ in record.files.items())
    return found


def test_an_edited_body_is_parsed_alone_and_no_stage_is_walked_again(project):
    before = agrees(project)
    edit(project, "c.py", "return 3", "return 33")
    after = agrees(project)
    assert project.disk.parsed == ["c.py"]
    assert project.anew == set()
    assert after["pipeline:one"].code["c:deep"] != before["pipeline:one"].code["c:deep"]
    assert after["pipeline:two"] == before["pipeline:two"]


def test_lines_follow_an_edit_above_them(project):
    before = agrees(project)
    edit(project, "c.py", "def deep", "# a comment\n\ndef deep")
    after = agrees(project)
    assert project.anew == set()
    assert after["pipeline:one"].code == before["pipeline:one"].code
    assert after["pipeline:one"].locations["c:deep"].line == 3


def test_only_stages_that_depend_on_what_leads_elsewhere_are_walked_again(project):
    files = project.disk.files
    files["stages.py"] = "import b\ndef three(): return b.other()\n"
    project.symbols.append("stages:three")
    agrees(project)
    edit(project, "a.py", "+ K", "+ K + extra()")
    edit(project, "a.py", "K = 1", "def extra(): return 1\nK = 1")
    agrees(project)
    assert project.anew == {"pipeline:one", "pipeline:two"}


def test_what_another_edited_module_made_pivots_own_is_seen(project):
    files = project.disk.files
    files["made.py"] = "from pivot import Pipeline\np = Pipeline('x')\n"
    files["pipeline.py"] = "from made import p\n@p.stage\ndef one(): return 1\n"
    project.symbols[:] = ["pipeline:one"]
    agrees(project)
    edit(project, "made.py", "from pivot import Pipeline", "class Pipeline: stage = None")
    agrees(project)


def test_a_file_that_comes_or_goes_is_seen(project):
    agrees(project)
    project.disk.files["b/__init__.py"] = "def other(): return 'package'\n"
    agrees(project)
    del project.disk.files["b/__init__.py"]
    agrees(project)


def test_a_stage_that_is_added_needs_no_other_one(project):
    agrees(project)
    project.symbols.append("b:other")
    agrees(project)
    assert project.anew == {"b:other"}


def test_damaged_memory_of_what_was_consulted_costs_only_time(project):
    agrees(project)
    project.last = project.last[0], project.last[1] + b" "
    edit(project, "c.py", "return 3", "return 33")
    agrees(project)
    assert project.anew == {"pipeline:one", "pipeline:two"}


def test_a_file_replaced_between_the_look_and_the_read_is_taken_as_it_was_read(project):
    """One that nothing said was edited: then nothing of before is taken over."""
    agrees(project)
    edit(project, "a.py", "+ K", "+ K + deep()")
    edit(project, "c.py", "return 3", "return 33")
    real = project.disk.read

    def replaced(path):
        if path == "c.py":
            project.disk.files["c.py"] = "def deep(): return other()\nfrom b import other\n"
        return real(path)

    ids = {path: project.disk.file_id(path) for path in project.disk.files}
    project.disk.file_id = ids.get
    project.disk.read = replaced
    found, _ = project.analyse()
    assert found == from_scratch(project.disk.files, project.symbols)[0]


def test_a_syntax_error_is_told_and_leaves_what_was_known(project):
    agrees(project)
    edit(project, "c.py", "return 3", "return (")
    with pytest.raises(DefinitionError, match=r"c\.py"):
        project.analyse()
    edit(project, "c.py", "return (", "return 5")
    agrees(project)
    assert project.anew == set()


def test_a_source_that_another_module_reads_as_data_counts_there(project):
    edit(project, "b.py", "def other", "TEXT = open('c.py').read()\ndef other")
    edit(project, "b.py", "return 2", "return TEXT")
    before = agrees(project)
    edit(project, "c.py", "return 3", "return 33")
    after = agrees(project)
    assert after["pipeline:two"].code["b:TEXT"] != before["pipeline:two"].code["b:TEXT"]


NAMES = ("a", "b", "c", "d", "pkg.x", "pkg")
# In each a module stands for "M" and "W", a small number for "0", "1" and "2".
TEMPLATES = (
    "K0 = 1",
    "from M import *",
    "from M import f0",
    "from M import f0 as f1",
    "from pkg import x",
    "import M",
    "import M as d",
    "def f0(): return f1(), M.f2, K1",
    "def f0():\n    import M\n    return M.f1()",
    "def f0():\n    from M import f1, K2\n    return f1(K2)",
    "def f0(a=K1, *, b=f2): return a",
    "def f0(): return globals()['f' + str(1)]",
    "class C0(C1): x = M.K2",
    "class C0(M.C1): pass",
    "class C0:\n    def __init_subclass__(cls): R[cls] = f1()",
    "class C0:\n    def all(self): return C0.__subclasses__()",
    "R = {}",
    "R = {'a': f0}",
    "@R.setdefault\ndef f0(): return R",
    "M.R['k'] = f0",
    "M.R.update(a=f1)",
    "def add(f):\n    R[f] = 1\n    return f",
    "def add(f):\n    M.R[f] = W\n    return f",
    "from M import add, R, p",
    "@add\ndef f0(): return 1",
    "@M.add\ndef f0(): return f1()",
    "@p.stage\ndef f0(): return 1",
    "from pivot import Pipeline\np = Pipeline('x')",
    "p = f0()",
    "print(1)",
    "print(M.f0())",
    "if f0:\n    K1 = 2\nelse:\n    from M import K1",
    "try:\n    from M import f0\nexcept ImportError:\n    f0 = None",
    "__all__ = ['f0', 'K1']",
)


def filled(template, modules, numbers):
    """A template with its places taken."""
    for place, name in zip("MW", modules, strict=True):
        template = template.replace(place, name)
    return template.translate({ord(c): str(n) for c, n in zip("012", numbers, strict=True)})


LINES = st.builds(
    filled,
    st.sampled_from(TEMPLATES),
    st.tuples(*[st.sampled_from(NAMES)] * 2),
    st.tuples(*[st.integers(0, 2)] * 3),
)
MODULES = st.lists(LINES, max_size=6)
PLACES = ("a.py", "b.py", "c.py", "d.py", "pkg/__init__.py", "pkg/x.py")
ROOT = """import a, b
from c import *
from pkg import x
{}
def one(): return f0, a.f1
def two(): return x.f0, b
"""


@given(
    st.fixed_dictionaries(dict.fromkeys(PLACES, MODULES)),
    st.lists(
        st.tuples(
            st.sampled_from((*PLACES, "pipeline.py")), st.integers(0, 5), LINES, st.booleans()
        ),
        min_size=1,
        max_size=5,
    ),
)
@settings(max_examples=150, deadline=None)
def test_after_any_edits_the_plan_is_that_of_a_fresh_clone(modules, edits):
    texts = {**modules, "pipeline.py": []}

    def write():
        files = {path: "\n".join(lines) + "\n" for path, lines in texts.items()}
        files["pipeline.py"] = ROOT.format("\n".join(texts["pipeline.py"]))
        project.disk.files = files

    project = Project(Disk({}), ["pipeline:one", "pipeline:two"])
    write()
    agrees(project)
    for path, at, line, replaces in edits:
        texts[path] = [*texts[path][:at], line, *texts[path][at + replaces :]]
        write()
        agrees(project)
