"""Directories as people have them: odd names, kinds and modes go in and come out, or are refused
by name."""

import contextlib
import errno
import os
import shutil
import socket
import stat
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.checkout import plan_checkout
from pivot.errors import DeniedError
from pivot.landing import CollisionError, LinkInTheWayError
from pivot.paths import MAX_DEPTH, RepoPath, is_reserved
from pivot.placing import fill, place
from pivot.reading import ChangingFileError, UnsupportedFileError
from pivot.walking import _is_empty

OUT = RepoPath("out")
NFC, NFD = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))


@pytest.fixture
def keep(bench):
    """Stores what a path holds."""

    def store(path=OUT):
        with bench.store.writer() as writer:
            return bench.workspace.store(path, writer)

    return store


@pytest.fixture
def put(bench):
    return lambda content, path=OUT: place(bench.workspace, bench.state, bench.store, path, content)


@pytest.fixture
def around(bench, keep, put):
    """Stores a directory, takes it away, and puts it back."""

    def go(files):
        bench.write({f"out/{name}": data for name, data in files.items()})
        before = modes(bench)
        content = keep()
        shutil.rmtree(bench.root / "out")
        put(content)
        assert bench.look("out") == files
        assert modes(bench) == before
        assert bench.workspace.content(OUT) == content
        return content

    return go


def modes(bench):
    return {
        os.path.relpath(os.path.join(base, name), bench.root): bool(
            os.stat(os.path.join(base, name)).st_mode & stat.S_IXUSR
        )
        for base, _, files in os.walk(bench.root / "out")
        for name in files
    }


# -- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        [NFC, NFD],
        ["README", "readme", "Readme/x"],
        ["new\nline", "tab\t", "bell\a", "escape\x1b[31m", "\x7f"],
        ["n" * 255, f"{'d' * 255}/{'e' * 255}/{'f' * 255}"],
        ["é" * 127, "\U0001d11e" * 63],
        [
            " ",
            "  lead",
            "trail  ",
            "-",
            "--force",
            "*",
            "?",
            "[a]",
            "'",
            '"',
            "\\",
            "a\\b",
            "$HOME",
        ],
        ["con", "nul.txt", "a:b", "...", "..a", "a..", ".hidden", "~", "a~1", "#", "%2F"],
        ["/".join("d" * MAX_DEPTH)],
        ["a", "a-", "a-b/c", "a.b", "a0", "aa/b", "ab"],
    ],
)
def test_odd_names_come_back_byte_for_byte(around, names):
    around({name: name.encode() for name in names})


@pytest.mark.parametrize("name", [b"caf\xe9", b"\xff\xfe", b"\xed\xa0\x80"])
def test_a_name_that_is_no_utf8_is_refused_and_shown(bench, keep, name):
    bench.write({"out/sub/ok": b""})
    with open(os.path.join(os.fsencode(bench.root), b"out/sub", name), "wb"):
        pass
    with pytest.raises(UnsupportedFileError, match="not valid UTF-8") as caught:
        keep()
    shown = str(caught.value)
    assert "sub/" in shown
    assert shown.isascii(), "a terminal can show it"


def test_a_folder_deeper_than_a_listing_can_be_is_refused(bench, keep):
    bench.write({f"out/{'/'.join('d' * (MAX_DEPTH + 1))}": b""})
    with pytest.raises(UnsupportedFileError, match=f"deeper than {MAX_DEPTH}"):
        keep()


def test_names_of_our_own_temporaries_are_not_data(bench, keep, put):
    bench.write(
        {"out/.pivot-tmp-0123-x": b"half", "out/.pivot-tmp": b"whole", "out/x.pivot-tmp-": b""}
    )
    put(keep())
    assert bench.look("out") == {".pivot-tmp": b"whole", "x.pivot-tmp-": b""}


def test_two_names_that_the_file_system_takes_for_one_are_both_told(
    bench, keep, put, case_insensitive
):
    bench.write({"out/README": b"1", "out/readme": b"2"})
    content = keep()
    shutil.rmtree(bench.root / "out")
    bench.write({"out/old": b"old"})
    with (
        case_insensitive(),
        pytest.raises(CollisionError, match="'readme' and 'README'"),
    ):
        put(content)
    assert bench.look("out") == {"old": b"old"}


def test_two_folders_that_the_file_system_takes_for_one_are_both_told(
    bench, keep, put, case_insensitive
):
    bench.write({"out/Data/a": b"1", "out/data/b": b"2"})
    content = keep()
    shutil.rmtree(bench.root / "out")
    with case_insensitive(), pytest.raises(CollisionError, match="'data' and 'Data'"):
        put(content)
    assert not (bench.root / "out").exists()


@pytest.fixture
def case_insensitive(monkeypatch):
    """A file system on which a name is taken if another one differs from it by case alone."""
    real_open, real_mkdir = os.open, os.mkdir

    def check(name, fd):
        if fd is not None and any(n.casefold() == name.casefold() for n in os.listdir(fd)):
            raise FileExistsError(errno.EEXIST, "File exists", name)

    def opened(path, flags, mode=0o777, *, dir_fd=None):
        if flags & os.O_EXCL:
            check(path, dir_fd)
        return real_open(path, flags, mode, dir_fd=dir_fd)

    def made(path, mode=0o777, *, dir_fd=None):
        check(path, dir_fd)
        return real_mkdir(path, mode, dir_fd=dir_fd)

    @contextlib.contextmanager
    def pretending():
        with monkeypatch.context() as patch:
            patch.setattr("os.open", opened)
            patch.setattr("os.mkdir", made)
            yield

    return pretending


# -- kinds ----------------------------------------------------------------------------------


def test_empty_files_and_folders_and_holes_come_back(bench, around):
    bench.write({"out/holes": b""})
    with open(bench.root / "out" / "holes", "r+b") as f:
        f.seek(3 << 20)
        f.write(b"end")
    holes = (bench.root / "out" / "holes").read_bytes()
    around({"holes": holes, "empty": b"", "folder/none": None, "a/b/c": None, "a/b-": None})


def test_links_inside_become_files_and_stay_apart(bench, keep, put):
    bench.write({"out/real": b"data", "out/sub/x": b"x"})
    (bench.root / "out" / "link").symlink_to("real")
    (bench.root / "out" / "chain").symlink_to("link")
    (bench.root / "out" / "sub" / "up").symlink_to("../real")
    content = keep()
    put(content)
    expected = {
        "real": b"data",
        "link": b"data",
        "chain": b"data",
        "sub/up": b"data",
        "sub/x": b"x",
    }
    assert bench.look("out") == expected
    (bench.root / "out" / "link").write_bytes(b"edit")
    assert (bench.root / "out" / "real").read_bytes() == b"data"


def make_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # its address has a hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (os.mkfifo, "no plain file"),
        (make_socket, "no plain file"),
        (lambda path: path.symlink_to("/dev/null"), "a symbolic link"),
        (lambda path: path.symlink_to("nowhere"), "a symbolic link"),
        (lambda path: path.symlink_to(path.name), "a symbolic link"),
        (lambda path: path.symlink_to("../../outside"), "a symbolic link"),
        (lambda path: path.symlink_to("../sub"), "a symbolic link"),
    ],
)
def test_what_is_no_file_is_refused_by_name_and_nothing_stored(bench, keep, make, what):
    bench.write({"out/sub/ok": b"", "outside": b"secret"})
    make(bench.root / "out" / "sub" / "odd")
    with pytest.raises(UnsupportedFileError, match=f"sub/odd is {what}") as caught:
        keep()
    assert caught.value.hint


def test_files_that_nobody_may_read_are_refused_by_name(bench, keep, monkeypatch):
    """Root may read everything, hence no `chmod` here."""
    bench.write({"out/sub/secret": b"x"})
    real = os.open

    def denied(path, *args, **options):
        if str(path).endswith("secret"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, *args, **options)

    monkeypatch.setattr("os.open", denied)
    with pytest.raises(DeniedError, match="sub/secret can't be read"):
        keep()


def test_a_folder_that_is_emptied_while_it_is_listed_is_never_remembered_as_it_was(
    bench, monkeypatch
):
    bench.write({"out/a/x": b"1", "out/b": b"2"})

    def look_and_empty(folder):
        is_empty = _is_empty(folder)
        (bench.root / "out" / "a" / "x").unlink()
        return is_empty

    monkeypatch.setattr("pivot.walking._is_empty", look_and_empty)
    with pytest.raises(ChangingFileError, match="out/a"):
        bench.workspace.content(OUT)
    assert bench.state.directory("out") is None


# -- modes ----------------------------------------------------------------------------------


def test_the_executable_bit_comes_back_and_no_other(bench, keep, put):
    bench.write({"out/run": b"", "out/setuid": b"", "out/open": b"", "out/others": b""})
    for name, mode in (("run", 0o700), ("setuid", 0o6755), ("open", 0o666), ("others", 0o655)):
        (bench.root / "out" / name).chmod(mode)
    content = keep()
    shutil.rmtree(bench.root / "out")
    before = os.umask(0o022)
    try:
        put(content)
    finally:
        os.umask(before)
    found = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (bench.root / "out").iterdir()}
    assert found == {"run": 0o755, "setuid": 0o755, "open": 0o644, "others": 0o644}


def test_a_change_of_permissions_alone_is_put_right_without_force(bench, keep, put):
    bench.write({"out/run": b"1", "out/data": b"2"})
    (bench.root / "out" / "run").chmod(0o755)
    content = keep()
    (bench.root / "out" / "run").chmod(0o644)
    (bench.root / "out" / "data").chmod(0o755)
    found = plan_checkout(bench.workspace, {OUT: content}, bench.store.holds, bench.store.tree)
    assert (found.place, found.edited) == ({OUT: content}, ())
    put(content)
    assert modes(bench) == {"out/run": True, "out/data": False}
    assert bench.workspace.content(OUT) == content


def test_a_folder_that_may_not_be_written_is_replaced(bench, keep, put, no_privileges):
    bench.write({"out/sub/a": b"old"})
    old = keep()
    bench.write({"out/sub/a": b"new"})
    keep()
    for folder in ("out/sub", "out"):
        (bench.root / folder).chmod(0o555)
    with no_privileges():
        put(old)
    assert bench.look("out") == {"sub/a": b"old"}
    assert os.listdir(bench.root / ".pivot" / "tmp") == []


@pytest.fixture
def no_privileges(monkeypatch):
    """What the kernel asks of everyone but root, who runs tests too: the right to write folders."""
    real = {name: getattr(os, name) for name in ("rename", "unlink", "rmdir")}

    def check(folder):
        if not os.stat(folder).st_mode & stat.S_IWUSR:
            raise PermissionError(errno.EACCES, "Permission denied")

    def rename(name, new, *, src_dir_fd=None, dst_dir_fd=None):
        check(src_dir_fd)
        with contextlib.suppress(NotADirectoryError):  # it would get another parent
            fd = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=src_dir_fd)
            try:
                check(fd)
            finally:
                os.close(fd)
        real["rename"](name, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    def removing(call):
        def checked(name, *, dir_fd=None):
            check(dir_fd)
            call(name, dir_fd=dir_fd)

        return checked

    @contextlib.contextmanager
    def pretending():
        with monkeypatch.context() as patch:
            patch.setattr("os.rename", rename)
            patch.setattr("os.unlink", removing(real["unlink"]))
            patch.setattr("os.rmdir", removing(real["rmdir"]))
            yield

    return pretending


# -- what lies at the path ------------------------------------------------------------------


def test_a_link_to_another_folder_is_replaced_and_that_folder_shares_nothing(
    bench, keep, put, tmp_path
):
    bench.write({"out/a": b"same", "out/b": b"old"})
    content = keep()
    os.rename(bench.root / "out", tmp_path / "elsewhere")
    (bench.root / "out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "b").unlink()
    bench.workspace.content(OUT)  # its files are known now, under the out's name
    put(content)
    assert not (bench.root / "out").is_symlink()
    (bench.root / "out" / "a").write_bytes(b"edit")
    assert (tmp_path / "elsewhere" / "a").read_bytes() == b"same"
    assert os.listdir(tmp_path / "elsewhere") == ["a"]


def test_nothing_is_added_to_a_directory_behind_a_link(bench, keep, tmp_path):
    path = RepoPath("p/out")
    bench.write({"p/out/a": b"1", "p/out/b": b"2"})
    content = keep(path)
    os.rename(bench.root / "p", tmp_path / "elsewhere")
    (bench.root / "p").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "out" / "b").unlink()
    with pytest.raises(LinkInTheWayError):
        fill(bench.workspace, bench.state, bench.store, path, content)
    assert os.listdir(tmp_path / "elsewhere" / "out") == ["a"]


@pytest.mark.parametrize("there", ["file", "folder"])
def test_what_is_of_another_kind_and_edited_is_named(bench, keep, there):
    files = {"out": b"one"} if there == "folder" else {"out/a": b"one"}
    bench.write(files)
    content = keep()
    bench.remove(OUT)
    bench.write({"out/mine": b"two", "out/a": b"one"} if there == "folder" else {"out": b"two"})
    found = plan_checkout(bench.workspace, {OUT: content}, bench.store.holds, bench.store.tree)
    assert found.edited == (("out/mine",) if there == "folder" else ("out",))


def test_one_edited_file_among_a_thousand_is_the_one_that_is_named(bench, keep):
    bench.write({f"out/{n // 100}/{n}": b"%d" % n for n in range(1000)})
    content = keep()
    bench.write({"out/3/333": b"edited", "out/7/777": b"776"})
    found = plan_checkout(bench.workspace, {OUT: content}, bench.store.holds, bench.store.tree)
    assert found.edited == ("out/3/333",), "the bytes of the other one are those of a neighbour"


# -- any tree -------------------------------------------------------------------------------

letters = st.characters(codec="utf-8", exclude_characters="/\0", max_codepoint=0x1FFFF)
names = st.text(letters, min_size=1, max_size=6).filter(
    lambda name: (
        name not in (".", "..") and not is_reserved(name) and not name.startswith(".pivot-tmp-")
    )
)
sizes = st.sampled_from([0, 1, 4 << 10, 64 << 10, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
files = st.tuples(sizes, st.integers(0, 255), st.booleans())
trees = st.recursive(
    files | st.just({}), lambda inner: st.dictionaries(names, inner, max_size=4), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


def write(root, tree):
    """Make a tree; returns its files with their modes, and its empty folders, by path."""
    made = {}
    root.mkdir()
    for name, value in tree.items():
        if isinstance(value, dict):
            inner = write(root / name, value)
            made |= {f"{name}/{path}": file for path, file in inner.items()} or {name: None}
        else:
            size, byte, is_executable = value
            (root / name).write_bytes(bytes([byte]) * size)
            (root / name).chmod(0o755 if is_executable else 0o644)
            made[name] = (bytes([byte]) * size, is_executable)
    return made


def read(root):
    """The same of what is there."""
    found = {}
    for path in sorted(root.iterdir()):
        if path.is_dir():
            inner = read(path)
            found |= {f"{path.name}/{n}": file for n, file in inner.items()} or {path.name: None}
        else:
            found[path.name] = (path.read_bytes(), os.access(path, os.X_OK))
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=trees, second=trees, broken=st.sets(st.integers(0, 20)))
def test_any_tree_comes_back_from_nothing_from_an_edit_and_from_another_tree(
    bench, keep, put, first, second, broken
):
    out = bench.root / "out"
    bench.remove(OUT)
    expected = write(out, first)
    content = keep()
    bench.remove(OUT)
    put(content)
    assert read(out) == expected
    assert bench.workspace.content(OUT) == content
    for path in [path for n, path in enumerate(expected) if n in broken]:
        (out / path).rmdir() if expected[path] is None else (out / path).unlink()
    fill(bench.workspace, bench.state, bench.store, OUT, content)
    assert read(out) == expected
    bench.remove(OUT)
    write(out, second)
    put(content)
    assert read(out) == expected
    assert bench.workspace.content(OUT) == content
