import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.code.findings import Location
from pivot.explain import Reason, ReasonKind, as_text, explain
from pivot.hashing import hash_bytes
from pivot.lock.declared import Declared
from pivot.lock.lock import Lock, Observed
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.store.content import Content, ContentType
from pivot.survey import World

DEP, OUT = RepoPath("data.csv"), RepoPath("out")
ONE = Content(ContentType.FILE, hash_bytes(b"1"), 1)
TWO = Content(ContentType.FILE, hash_bytes(b"2"), 1)
ONE_X = Content(ContentType.EXECUTABLE, ONE.id, 1)
ONE_CUT = Content(ContentType.FILE, ONE.id, 1, hash_bytes(b"recipe"))
BASE = {
    "scheme": 1,
    "code": {"m:f": "aa", "m:g": "bb"},
    "packages": {"pandas": "2.2"},
    "params": {"a": 1, "deep": {"b": "x", "c": [1, 2]}},
    "env": {"LANG": "C"},
    "cwd": RepoPath("."),
    "deps": (DEP,),
    "outs": (OutSpec(OUT, OutKind.OUT),),
}


def declared(**changed):
    return Declared(**(BASE | changed))


def a_lock(observed=Observed(), **changed):  # noqa: B008
    given = declared(**changed)
    outs = {out.path: ONE for out in given.outs}
    return Lock(StageName("s"), "m:f", given, dict.fromkeys(given.deps, ONE), outs, (), observed)


def reasons(lock, *, dep=ONE, seen=None, **changed):
    world_of = declared(**changed)
    locations = {"m:f": Location(RepoPath("m.py"), 3)}
    world = World(world_of, dict.fromkeys(world_of.deps, dep), locations, seen or {})
    return explain(lock, world)


def briefly(found):
    return [(r.kind.value, r.what, r.old, r.new) for r in found]


def test_an_equal_world_gives_no_reasons():
    assert reasons(a_lock()) == ()


def test_how_bytes_are_kept_is_no_reason():
    assert reasons(a_lock(), dep=ONE_CUT) == ()


def test_without_a_lock_it_never_ran():
    assert briefly(reasons(None)) == [("never_run", "lock", None, None)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code": {"m:f": "cc", "m:g": "bb"}}, ("code", "m:f", "aa", "cc")),
        ({"code": {"m:f": "aa"}}, ("code", "m:g", "bb", None)),
        ({"code": BASE["code"] | {"m:h": "dd"}}, ("code", "m:h", None, "dd")),
        ({"packages": {"pandas": "2.3"}}, ("package", "pandas", "2.2", "2.3")),
        ({"packages": {}}, ("package", "pandas", "2.2", None)),
        ({"version": 2}, ("declaration", "version", None, "2")),
        ({"version": "2"}, ("declaration", "version", None, "'2'")),
        ({"env": {"LANG": "de"}}, ("env", "LANG", "C", "de")),
        ({"params": BASE["params"] | {"a": 2}}, ("params", "a", "1", "2")),
        ({"params": BASE["params"] | {"a": 1.0}}, ("params", "a", "1", "1.0")),
        ({"params": BASE["params"] | {"a": "1"}}, ("params", "a", "1", "'1'")),
        ({"params": BASE["params"] | {"a": True}}, ("params", "a", "1", "true")),
        ({"params": BASE["params"] | {"a": None}}, ("params", "a", "1", "null")),
        ({"params": BASE["params"] | {"new": []}}, ("params", "new", None, "[]")),
        (
            {"params": {"a": 1, "deep": {"b": "y", "c": [1, 2]}}},
            ("params", "deep.b", "'x'", "'y'"),
        ),
        (
            {"params": {"a": 1, "deep": {"b": "x", "c": [2, 1]}}},
            ("params", "deep.c", "[1, 2]", "[2, 1]"),
        ),
        ({"scheme": 2}, ("scheme", "scheme", "1", "2")),
        ({"cwd": RepoPath("sub")}, ("declaration", "cwd", ".", "sub")),
        ({"deps": ()}, ("declaration", "data.csv", "dep", None)),
        ({"deps": (DEP, RepoPath("x"))}, ("declaration", "x", None, "dep")),
        ({"outs": ()}, ("declaration", "out", "out", None)),
        ({"outs": (OutSpec(OUT, OutKind.METRIC),)}, ("declaration", "out", "out", "metric")),
    ],
)
def test_each_change_is_one_reason(change, expected):
    assert briefly(reasons(a_lock(), **change)) == [expected]


@pytest.mark.parametrize(
    ("now", "text"), [(TWO, TWO.id.hex()), (None, None), (ONE_X, f"{ONE.id.hex()}+x")]
)
def test_a_changed_missing_or_now_executable_dep_is_a_reason(now, text):
    assert briefly(reasons(a_lock(), dep=now)) == [("dep", "data.csv", ONE.id.hex(), text)]


def test_a_code_reason_says_where_the_symbol_stands():
    (found,) = reasons(a_lock(), code={"m:f": "cc", "m:g": "bb"})
    assert found.to_json() == {
        "kind": "code",
        "what": "m:f",
        "old": "aa",
        "new": "cc",
        "file": "m.py",
        "line": 3,
    }


def test_gaining_or_losing_all_params_is_a_reason():
    assert briefly(reasons(a_lock(params=None), params={})) == [
        ("declaration", "params", None, None)
    ]
    assert reasons(a_lock(params={}), params=None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a.b": 1}, {"a": {"b": 1}}),
        ({"x": [{"a: 1, b": 2}]}, {"x": [{"a": 1, "b": 2}]}),
    ],
)
def test_params_that_people_write_alike_are_not_taken_for_each_other(old, new):
    (found,) = reasons(a_lock(params=old), params=new)
    assert (found.kind, found.what) == (ReasonKind.DECLARATION, "key")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"code:m:h": "h1", "env:HOME": "h2", "file:x.txt": "h3"}, []),
        (
            {"code:m:h": "other", "env:HOME": "h2"},
            [("observed", "code:m:h", "h1", "other"), ("observed", "file:x.txt", "h3", None)],
        ),
    ],
)
def test_what_was_observed_must_be_as_it_was(seen, expected):
    lock = a_lock(Observed({"m:h": "h1"}, {"HOME": "h2"}, {"x.txt": "h3"}))
    assert briefly(reasons(lock, seen=seen)) == expected


def test_folders_and_packages_of_a_run_must_be_as_they_were():
    folders, packages = {RepoPath("data"): "h1"}, {"pyyaml": "5.4", "loose": "1"}
    lock = a_lock(Observed(folders=folders, packages=packages))
    same = {"file:data/": "h1", "package:pyyaml": "5.4", "package:loose": "any"}
    assert briefly(reasons(lock, seen=same)) == []
    other = {"file:data/": None, "package:pyyaml": "6.0", "package:loose": "any"}
    assert briefly(reasons(lock, seen=other)) == [
        ("observed", "file:data/", "h1", None),
        ("package", "pyyaml", "5.4", "6.0"),
    ]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 1.0, -0.0, "1", "a", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=2)
    ),
    max_leaves=5,
)
params = st.none() | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), values, max_size=3)


@given(params, params)
def test_no_reasons_if_and_only_if_the_keys_are_equal(old, new):
    """The one law that skipping, restoring and verifying rest on."""
    lock, world = a_lock(params=old), declared(params=new)
    assert (reasons(lock, params=new) == ()) is (lock.key == world.key({DEP: ONE}))


def test_text_tells_kinds_apart():
    texts = [as_text(v) for v in (1, 1.0, "1", True, "true", None, "null", [], "[]", {}, "{}")]
    assert len(set(texts)) == len(texts)
    assert isinstance(reasons(None)[0], Reason)


def test_under_another_scheme_hashes_of_code_are_not_compared():
    lock = a_lock(Observed({"m:h": "h1"}, {"HOME": "h2"}, {}), scheme=0, code={"m:f": "zz"})
    found = reasons(lock, seen={"code:m:h": "h3", "env:HOME": "h4"}, packages={})
    assert briefly(found) == [
        ("scheme", "scheme", "0", "1"),
        ("package", "pandas", "2.2", None),
        ("observed", "env:HOME", "h2", "h4"),
    ]
