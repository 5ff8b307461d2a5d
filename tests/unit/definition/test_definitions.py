import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.definition.definitions import Definitions, decode, encode, load_definitions
from pivot.definition.discovery import Source
from pivot.definition.evidence import Evidence, Impurity, Lookups
from pivot.definition.stage import OutSpec, Stage
from pivot.errors import DefinitionError
from pivot.outputs import OutKind
from pivot.paths import RepoPath, StageName

EVIDENCE = Evidence(
    python="3.13",
    installed={"/lib/site-packages": 3},
    files={"pipeline.py": "00", "gone": None},
    listings={"data": None},
    states={"a": "missing"},
    details={"b": "1:2:3"},
    environment={"HOME": "00", "X": None},
    names=None,
    lookups={".": Lookups(("a", "b"), ("a.py",))},
    impurities=(Impurity("time.time", "pipeline.py", 3),),
)

_names = st.text("abcXYZ019_.@=+-", min_size=1, max_size=12).map(lambda s: StageName("s" + s + "s"))
_paths = st.text("abcé世-_. ", min_size=1, max_size=12).map(lambda s: RepoPath(f"d{s}/f{s}x"))
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
_stages = st.builds(
    Stage,
    name=_names,
    symbol=st.text(max_size=9),
    file=_paths,
    line=st.integers(1, 9999),
    deps=st.lists(_paths, max_size=3).map(tuple),
    outs=st.lists(st.builds(OutSpec, _paths, st.sampled_from(OutKind)), max_size=3).map(tuple),
    params=st.none() | st.dictionaries(st.text(max_size=5), _json, max_size=3),
    cwd=_paths,
    mutex=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    tags=st.just(("a",)),
    secrets=st.lists(st.text(max_size=4), max_size=2).map(tuple),
)


@given(st.lists(_stages, max_size=4).map(tuple))
def test_definitions_survive_encoding(stages):
    definitions = Definitions(
        sources=(Source("pipeline.py"), Source("module:pkg.stages")),
        stages=stages,
        roots=(RepoPath.ROOT, RepoPath("src")),
        evidence=EVIDENCE,
        warnings=("careful",),
        output="printed",
    )
    again = decode(encode(definitions))
    assert again == definitions
    assert encode(again) == encode(definitions)
    for stage in again.stages:
        assert type(stage.name) is StageName
        assert all(type(path) is RepoPath for path in (*stage.deps, stage.cwd, stage.file))
        assert all(type(out.kind) is OutKind for out in stage.outs)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"format": 99}', b'{"format": 1}'])
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError, match=r".") as caught:
        decode(data)
    assert not isinstance(caught.value, UnicodeError)


def test_stages_with_fewer_fields_are_refused(project):
    """As another version of Pivot may have written them."""
    value = json.loads(encode(project.load("from pivot import stage\n@stage()\ndef f(): ...\n")))
    value["stages"][0].pop()
    with pytest.raises(ValueError, match="not the definitions"):
        decode(json.dumps(value).encode())


def test_two_hundred_stages_decode_in_milliseconds():
    stages = tuple(
        Stage(
            StageName(f"stage{i}"),
            f"pipeline:stage{i}",
            "pipeline.py",
            RepoPath("pipeline.py"),
            i,
            tuple(RepoPath(f"data/in{i}-{n}.csv") for n in range(3)),
            tuple(OutSpec(RepoPath(f"data/out{i}-{n}.csv"), OutKind.OUT) for n in range(2)),
            {"rate": 0.1, "layers": [1, 2, 3]},
            RepoPath.ROOT,
        )
        for i in range(200)
    )
    data = encode(Definitions((Source("pipeline.py"),), stages, (RepoPath.ROOT,), EVIDENCE))
    best = min(_seconds(data) for _ in range(7))
    print(f"decoding 200 stages: {best * 1000:.2f} ms")
    assert best < 0.02


def _seconds(data):
    start = time.perf_counter()
    decode(data)
    return time.perf_counter() - start


def test_folder_for_temporary_files_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with pytest.raises(DefinitionError, match="nowhere"):
        load_definitions(str(tmp_path), (Source("pipeline.py"),))


def test_loading_leaves_no_file_descriptor_and_no_temporary_file(project, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    project.load("")
    after = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    assert (before, os.listdir(temporary)) == (after, [])
