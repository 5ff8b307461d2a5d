"""Sections say the same as the entries of a fingerprint one by one, and are shared."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pivot.code.findings import Fingerprint, Kind, Location
from pivot.code.record import CodeRecord, decode, encode
from pivot.code.sections import (
    ROOT,
    Entry,
    Section,
    SectionedCode,
    fingerprint_of,
    sections_of,
)
from pivot.lock.code import code_digest
from pivot.paths import RepoPath

FILE = RepoPath("m.py")
modules = st.text("ab._", min_size=1, max_size=4)
names = st.text("aZ_<", min_size=1, max_size=3)
codes = st.dictionaries(st.tuples(modules, names).map(":".join), st.text("0f", min_size=1))


def entry(name, hash_, via=ROOT):
    return Entry(name, hash_, Location(FILE, 1), Kind.FUNCTION, via)


def whole(root, sections):
    code = SectionedCode(sections)
    empty = frozenset()
    return fingerprint_of(root, code, modules=empty, opaque=(), runs=empty, reads={})


def plain(root, code):
    """A fingerprint with an entry for each of `code`, all reached from the root."""
    via = {name: root for name in code if name != root}
    locations = dict.fromkeys(code, Location(FILE, 1))
    kinds = dict.fromkeys(code, Kind.FUNCTION)
    return Fingerprint(root, code, locations, kinds, frozenset(), (), via)


@given(codes)
def test_the_digest_is_that_of_all_hashes_in_order(code):
    root = min(code, default="")
    sections = sections_of(plain(root, code))
    found = SectionedCode(sections)
    assert found.digest == code_digest(code)
    assert list(found.items()) == sorted(code.items())


@given(codes.filter(bool))
def test_a_fingerprint_in_sections_equals_one_without(code):
    made = plain(min(code), code)
    assert whole(min(code), sections_of(made)) == made


def test_what_is_reached_from_the_function_names_it_whoever_shares_the_section():
    shared = Section.of([entry("lib:f", "1"), entry("lib:g", "2", "lib:f")])
    for root in ("m:a", "m:b"):
        found = whole(root, [Section.of([entry(root, "3", None)]), shared])
        assert dict(found.via) == {"lib:f": root, "lib:g": "lib:f"}
        assert found.chain("lib:g") == (root, "lib:f", "lib:g")


def test_stages_that_reach_the_same_of_a_module_share_its_section(project):
    code = project(
        "import lib\ndef a():\n    return lib.f()\ndef b():\n    return lib.f() + lib.h()\n"
        "def c():\n    return lib.f() * 2\n"
        "== lib.py\ndef f():\n    return g()\ndef g(): ...\ndef h(): ...\n"
    )
    of_lib = [
        next(s for s in sections_of(code.fingerprint(f"pipeline:{n}")) if s.module == "lib")
        for n in "abc"
    ]
    assert of_lib[0] is of_lib[2]
    assert of_lib[0] is not of_lib[1]
    assert [e.name for e in of_lib[1].entries] == ["lib:f", "lib:g", "lib:h"]


def test_the_tables_of_modules_that_were_not_edited_are_kept_unread():
    def record(lib):
        sections = [
            Section.of([entry("m:a", "0", None)]),
            Section.of([entry("lib:f", lib)]),
            Section.of([entry("other:g", "2"), entry("other:h", "3")]),
        ]
        return CodeRecord({"m:a": whole("m:a", sections)}, {"m:a": {}}, {}, {}, (), "x", {})

    head, *tables = encode(record("1")).split(b"\n")
    unread = [line if b"other:" not in line else b"unread" for line in tables]
    before = decode(b"\n".join([head, *unread]))
    old = before.fingerprints["m:a"]
    sections = [
        Section.of([entry("lib:f", "9")]) if number == 1 else section
        for number, section in enumerate(sections_of(old))
    ]
    fresh = replace(old, code=SectionedCode(sections, code_digest(old.code)))
    after = encode(replace(before, fingerprints={"m:a": fresh}), before)
    assert b"unread" in after.split(b"\n")
    whole_again = after.replace(b"unread", next(line for line in tables if b"other:" in line))
    assert dict(decode(whole_again).fingerprints["m:a"].code) == {
        "m:a": "0", "lib:f": "9", "other:g": "2", "other:h": "3",
    }  # fmt: skip
