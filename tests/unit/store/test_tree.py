import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.errors import IntegrityError
from pivot.hashing import hash_bytes
from pivot.paths import PathError, TreePath
from pivot.store.content import Content, ContentType
from pivot.store.tree import MAX_LINE, TreeEntry, encode_line, parse

ID = hash_bytes(b"x")
OTHER = hash_bytes(b"y")
HEX = ID.hex()


def line(path, *, kind="f", id_=HEX, size="5"):
    return f"{kind} {id_} {size} ".encode() + (path if isinstance(path, bytes) else path.encode())


def read(*lines):
    return list(parse([b"".join(one + b"\0" for one in lines)]))


def is_usable(name):
    try:
        TreePath(name)
    except PathError:
        return False
    return True


names = st.text(st.sampled_from("ab.-~ \n0é\u0301𝄞"), min_size=1, max_size=4).filter(is_usable)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
contents = st.none() | st.builds(
    Content,
    st.sampled_from([ContentType.FILE, ContentType.EXECUTABLE]),
    st.just(ID),
    st.integers(0, 2**64 - 1),
    st.none() | st.just(OTHER),
    st.none(),
)


def without_nesting(found):
    """Entries in order, without those that lie in another entry."""
    kept = {}
    for path in sorted(found, key=str.encode):
        parents = {path[:i] for i, c in enumerate(path) if c == "/"}
        if not parents & kept.keys():
            kept[path] = found[path]
    return kept


trees = st.dictionaries(paths, contents, max_size=12).map(without_nesting)


@given(trees, st.integers(1, 200))
def test_a_tree_reads_back_as_it_was_written_in_pieces_of_any_size(tree, step):
    entries = [TreeEntry(TreePath(path), content) for path, content in tree.items()]
    data = b"".join(map(encode_line, entries))
    assert list(parse(data[i : i + step] for i in range(0, len(data), step))) == entries


@given(trees.filter(bool), st.data())
def test_a_tree_cut_off_within_a_line_is_refused(tree, data):
    encoded = b"".join(encode_line(TreeEntry(TreePath(p), c)) for p, c in tree.items())
    at = data.draw(st.integers(1, len(encoded)).filter(lambda n: encoded[n - 1] != 0))
    with pytest.raises(IntegrityError, match="bad line"):
        list(parse([encoded[:at]]))


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "..",
        "../x",
        "a/../../x",
        "a//b",
        "./a",
        "a/.",
        "a/",
        ".git/config",
        "sub/.git",
        ".GIT/hooks",
        ".g\u200cit/hooks",
        ".git ",
        ".git.",
        ".git::$INDEX_ALLOCATION",
        ".git .:x",
        "git~1/config",
        "GIT~1",
        ".pivot/cache",
        ".Pivot",
        "pivot~1",
        "\uff0egit",
        "x/" * 64 + "x",
        "x" * 4097,
        b"\xff\xfe",
        b"a\xed\xa0\x80",
        b"",
    ],
)
def test_a_path_that_could_leave_its_directory_is_refused(path):
    with pytest.raises(IntegrityError, match="bad line"):
        read(line(path))


@pytest.mark.parametrize(
    "bad",
    [
        line("a", size="-1"),
        line("a", size="+5"),
        line("a", size="05"),
        line("a", size=" 5"),
        line("a", size="1_0"),
        line("a", size="\uff15"),
        line("a", size="1.0"),
        line("a", size=""),
        line("a", size=str(2**64)),
        line("a", size="9" * 5000),
        line("a", id_=HEX.upper()),
        line("a", id_=HEX[:-1]),
        line("a", id_=HEX[:-2] + "  "),
        line("a", id_=f"{HEX}+"),
        line("a", id_=f"{HEX}+{HEX[:-1]}"),
        line("a", id_=f"{HEX}+{HEX}+{HEX}"),
        line("a", id_="-"),
        line("a", kind="d"),
        line("a", kind="d", id_="-", size="1"),
        line("a", kind="l"),
        line("a", kind=""),
        line("a", kind="ff"),
        b"\xff " + line("a"),
        b"f",
        b"f " + HEX.encode(),
        b"",
    ],
)
def test_a_line_that_is_not_canonical_is_refused(bad):
    with pytest.raises(IntegrityError, match="bad line"):
        read(bad)


@pytest.mark.parametrize(
    "order", [("b", "a"), ("a", "a"), ("a/b", "a-b"), ("a.txt", "a"), ("\U0001d11e", "\uffff")]
)
def test_lines_out_of_order_or_twice_are_refused(order):
    with pytest.raises(IntegrityError, match="out of order"):
        read(*map(line, order))


@pytest.mark.parametrize(
    "inside", [("a", "a/b"), ("a", "a-b", "a.c", "a/b"), ("a/b", "a/b/c"), ("x", "xy", "x/y")]
)
def test_an_entry_inside_a_file_is_refused(inside):
    lines = [line(path) for path in sorted(inside)]
    with pytest.raises(IntegrityError, match="inside another"):
        read(*lines)


@pytest.mark.parametrize("between", [(), ("b-~",), ("b-\u00e9",), ("b.txt",)])
@pytest.mark.parametrize(
    ("first", "last", "why"),
    [("b", "b/c", "inside another"), ("b0", "b0", "out of order"), ("c", "b0", "out of order")],
)
@pytest.mark.parametrize("step", [1, 70, 10_000])
def test_an_order_is_kept_between_pieces_and_names_of_any_kind(first, between, last, why, step):
    ordered = [first, *(name for name in between if name > first), last]
    data = b"".join(line(name) + b"\0" for name in ordered)
    with pytest.raises(IntegrityError, match=why):
        list(parse(data[i : i + step] for i in range(0, len(data), step)))


def test_an_entry_inside_an_empty_directory_is_refused():
    with pytest.raises(IntegrityError, match="inside another"):
        read(line("a", kind="d", id_="-", size="0"), line("a/b"))


def test_neighbours_with_a_common_beginning_are_fine():
    paths = ["a", "a b", "a-b", "a.txt", "a0", "ab", "ab-/c", "abc/c"]
    assert [entry.path for entry in read(*map(line, paths))] == paths


def test_a_line_without_end_is_refused_before_it_fills_memory():
    def endless():
        yield line("a")
        while True:
            yield b"x" * 1000

    with pytest.raises(IntegrityError, match="too long"):
        list(parse(endless()))
    assert MAX_LINE < 5000


def test_every_flipped_byte_of_a_tree_changes_its_id_or_is_refused():
    """Flips that make another canonical tree are caught by the tree's id, not by the parser."""
    data = b"".join(one + b"\0" for one in (line("a"), line("b/c", kind="x")))
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            entries = list(parse([flipped]))
        except IntegrityError:
            continue
        assert b"".join(map(encode_line, entries)) == flipped
