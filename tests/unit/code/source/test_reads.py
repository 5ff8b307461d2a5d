"""Which files code reads, as far as its text says it."""

import ast

import pytest

from pivot.code.source.reads import UP, find_reads
from pivot.code.source.scopes import Place

PLACE = Place("lib.settings", "lib")


def reads(text):
    """Steps of what is read, and what the path starts from."""
    found = find_reads(ast.parse(text).body, PLACE)
    return [(r.path.steps, _start(r.path)) for r in found if not r.is_program and r.path.steps]


def _start(path):
    if path.is_own:
        return "own"
    if path.start is None:
        return "folder"
    return path.start.origin.module if path.start.origin else ".".join(path.start.chain)


OWN = {
    "parent": "(Path(__file__).parent / 'a.json').read_text()",
    "sibling": "Path(__file__).with_name('a.json').read_bytes()",
    "resolved": "Path(__file__).resolve().parent.joinpath('a.json').open()",
    "open": "open(Path(__file__).parent / 'a.json')",
    "keyword": "pd.read_csv(filepath_or_buffer=Path(__file__).parent / 'a.json')",
    "os.path": "open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'a.json'))",
    "text": "open(f'{os.path.dirname(__file__)}/a.json')",
    "sum": "open(os.path.dirname(__file__) + '/a.json')",
    "mode": "(Path(__file__).parent / 'a.json').open('rb')",
    "local name": "here = Path(__file__).parent\nopen(here / 'a.json')",
    "asked for": "(Path(__file__).parent / 'a.json').exists()",
}


@pytest.mark.parametrize("text", OWN.values(), ids=OWN.keys())
def test_path_from_the_module_itself_is_followed(text):
    assert reads(text) == [((UP, "a.json"), "own")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("open('conf/a.json')", (("conf", "a.json"), "folder")),
        ("json.load(open('./a.json'))", (("a.json",), "folder")),
        ("open(ROOT / 'a.json')", (("a.json",), "ROOT")),
        ("open(paths.ROOT / 'a.json')", (("a.json",), "paths.ROOT")),
        ("Path(__file__).parents[1].joinpath('a').read_text()", ((UP, UP, "a"), "own")),
        ("files('lib').joinpath('a.txt').read_text()", (("a.txt",), "lib")),
        ("(resources.files(__package__) / 'a.txt').read_text()", (("a.txt",), "lib")),
        ("pkgutil.get_data('lib', 'a.txt')", (("a.txt",), "lib")),
        ("os.listdir('sql')", (("sql", "*"), "folder")),
        ("[p.read_text() for p in Path('sql').glob('*.sql')]", (("sql", "*.sql"), "folder")),
        ("for p in Path('sql').rglob('*.sql'): p.read_text()", (("sql", "**", "*.sql"), "folder")),
    ],
)
def test_other_starts_are_followed(text, found):
    assert found in reads(text)


NOTHING = {
    "only named": "DATA = Path(__file__).parent / 'a.csv'",
    "written": "open('a.txt', 'w')",
    "written by keyword": "open('a.txt', mode='ab')",
    "written by a path": "Path('a.txt').open('w')",
    "in a function": "def f(): return open('a.txt')",
    "absolute": "open('/etc/passwd')",
    "a sentence": "load('this is no file')",
    "computed": "open(sys.argv[1])",
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING.keys())
def test_what_reads_no_file_that_can_be_told_is_left(text):
    assert reads(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "subprocess.run([sys.executable, 'tools/run.py'])",
        "subprocess.run('sh tools/run.py', shell=True)",
        "runpy.run_path('tools/run.py')",
        "load_plugin(Path('tools') / 'run.py')",
    ],
)
def test_file_of_a_program_that_runs_is_found(text):
    found = find_reads(ast.parse(text).body, PLACE)
    assert [r.path.steps for r in found if r.is_program and r.path.steps] == [("tools", "run.py")]


@pytest.mark.parametrize(
    "text",
    [
        "open('made.py', 'w').write(text)",
        "Path('made.py').write_text(text)",
        "open(Path('out') / 'made.sh', mode='w')",
        "(Path('out') / 'made.py').open('w')",
    ],
)
def test_file_that_is_written_is_no_program(text):
    assert find_reads(ast.parse(text).body, PLACE) == ()


def test_what_is_read_to_tell_where_to_write_is_found():
    assert reads("open(json.load(open('a.json'))['to'], 'w')") == [(("a.json",), "folder")]


def test_module_that_is_run_by_its_name_is_found():
    found = find_reads(ast.parse("subprocess.run([python, '-m', 'tools.run'])").body, PLACE)
    assert any(_start(r.path) == "tools.run" and r.is_program for r in found)
