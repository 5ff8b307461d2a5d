"""Fingerprints as outlines."""

from pivot.code.findings import Fingerprint, Kind, Location
from pivot.code.outline import only, outline
from pivot.paths import RepoPath

VIA = {"m:b": "m:root", "m:a": "m:root", "n:deep": "m:b", "n:<effects>": "n:deep"}
LINES = {"m:root": 9, "m:b": 1, "m:a": 5, "n:deep": 3, "n:<effects>": 2}
CODE = {name: name.upper() for name in sorted(LINES)}
FOUND = Fingerprint(
    root="m:root.method",
    code=CODE,
    locations={n: Location(RepoPath(f"{n[0]}.py"), line) for n, line in LINES.items()},
    kinds=dict.fromkeys(LINES, Kind.FUNCTION),
    modules=frozenset(),
    opaque=(),
    via=VIA,
)


def test_each_entry_stands_once_below_what_leads_to_it_in_source_order():
    rows = outline(FOUND, CODE, FOUND.kinds)
    assert [(row.depth, row.entry, row.via) for row in rows] == [
        (0, "m:root", None),
        (1, "m:b", "m:root"),
        (2, "n:deep", "m:b"),
        (3, "n:<effects>", "n:deep"),
        (1, "m:a", "m:root"),
    ]
    assert {row.entry: row.hash for row in rows} == CODE


def test_code_that_is_no_symbol_comes_last_and_has_no_place():
    rows = outline(FOUND, {**CODE, "./weights.py": "W"}, {**FOUND.kinds, "./weights.py": "file"})
    assert (rows[-1].entry, rows[-1].kind, rows[-1].location) == ("./weights.py", "file", None)
    assert rows[-1].to_json() == {
        "symbol": "./weights.py", "kind": "file", "hash": "W", "file": None, "line": None,
        "via": None, "reads": [],
    }  # fmt: skip


def test_only_the_way_to_what_is_wanted_is_kept():
    rows = outline(FOUND, CODE, FOUND.kinds)
    assert [row.entry for row in only(rows, ["n:deep"])] == ["m:root", "m:b", "n:deep"]
    assert [row.entry for row in only(rows, ["m:a", "n:deep"])] == [
        "m:root", "m:b", "n:deep", "m:a"
    ]  # fmt: skip


def test_outlines_of_long_chains_need_no_deep_stack():
    names = [f"m:{number:05}" for number in range(5000)]
    code = dict.fromkeys(names, "h")
    via = dict(zip(names[1:], names, strict=False))
    found = Fingerprint("m:00000", code, {}, {}, frozenset(), (), via)
    rows = outline(found, code, {})
    assert [row.depth for row in rows] == list(range(5000))
