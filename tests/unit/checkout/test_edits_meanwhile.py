"""What is edited while a checkout writes."""

import os
import shutil
import stat
import time

import pytest

from pivot.errors import EditedError
from pivot.forking import Forked
from pivot.placing import place
from pivot.workspace import Workspace
from tests.unit.checkout.plans import OUT, plan


def edit_in_place(bench):
    """Leaves size and mtime as they were."""
    path = bench.root / "out" / "b" / "one"
    known = os.stat(path)
    time.sleep(0.02)
    with open(path, "r+b") as f:
        f.write(b"M")
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))


def add_a_file(bench):
    bench.write({"out/b/new": b"mine"})


def put_a_file_there(bench):
    there = bench.root / OUT
    if there.is_dir():
        shutil.rmtree(there)
    else:
        there.unlink(missing_ok=True)
    bench.write({"out": b"mine"})


@pytest.fixture
def late(monkeypatch):
    """Does something when all is written, just before the path is looked at again."""

    def register(act):
        real = Workspace.holds_still

        def acting(*arguments):
            act()
            return real(*arguments)

        monkeypatch.setattr(Workspace, "holds_still", acting)

    return register


@pytest.mark.parametrize("edit", [edit_in_place, add_a_file, put_a_file_there])
def test_a_directory_that_is_edited_while_another_is_written_is_kept(
    bench, tree, keep, late, edit, clean
):
    tree({"a": b"1", "b/one": b"1", "b/two": b"2"})
    wanted = keep(leave=True)
    tree({"a": b"2"})
    keep(leave=True)
    bench.workspace.content(OUT)
    found = plan(bench, {OUT: wanted})
    assert (list(found.place), found.edited) == ([OUT], ())
    late(lambda: edit(bench))
    with pytest.raises(EditedError, match="out was edited in the meantime"):
        place(bench.workspace, bench.state, bench.store, OUT, wanted, look=found.looks[OUT])
    if edit is put_a_file_there:
        assert (bench.root / "out").read_bytes() == b"mine"
    else:
        assert (bench.root / "out" / "a").read_bytes() == b"2"
    clean()


def test_a_directory_that_nobody_edits_is_replaced_whatever_is_linked(bench, tree, keep):
    tree({"a": b"1", "b/one": b"1", "b/two": b"2"})
    os.link(bench.root / "out/b/one", bench.root / "out/b/same")
    (bench.root / "out/b/way").symlink_to("two")
    wanted = keep(leave=True)
    tree({"a": b"2"})
    keep(leave=True)
    time.sleep(0.02)
    bench.workspace.content(OUT)
    found = plan(bench, {OUT: wanted})
    kept = os.stat(bench.root / "out/b/two").st_ino
    place(bench.workspace, bench.state, bench.store, OUT, wanted, look=found.looks[OUT])
    assert bench.workspace.content(OUT) == wanted
    assert os.stat(bench.root / "out/b/two").st_ino == kept


def test_a_helping_process_that_dies_is_no_edit(bench, tree, keep, many, monkeypatch):
    tree({f"{n:02}": b"same" if n % 2 else b"1" for n in range(20)})
    wanted = keep(leave=True)
    tree({f"{n:02}": b"2" for n in range(0, 20, 2)})
    keep(leave=True)
    time.sleep(0.02)
    bench.workspace.content(OUT)
    found = plan(bench, {OUT: wanted})
    monkeypatch.setattr(Forked, "result", lambda self: self.kill())
    place(bench.workspace, bench.state, bench.store, OUT, wanted, look=found.looks[OUT])
    assert bench.workspace.content(OUT) == wanted


@pytest.mark.parametrize("before", [None, b"held"])
def test_a_file_that_is_edited_or_made_in_the_meantime_is_kept(bench, keep, late, before, clean):
    bench.write({"out": b"wanted"})
    wanted = keep()
    if before is not None:
        bench.write({"out": before})
        keep(leave=True)
    found = plan(bench, {OUT: wanted})
    late(lambda: bench.write({"out": b"mine!"}))
    with pytest.raises(EditedError):
        place(bench.workspace, bench.state, bench.store, OUT, wanted, look=found.looks[OUT])
    assert (bench.root / "out").read_bytes() == b"mine!"
    clean()


def test_what_is_gone_or_right_in_the_meantime_is_no_reason_to_stop(bench, keep, late):
    bench.write({"out": b"wanted"})
    wanted = keep()
    bench.write({"out": b"held"})
    keep(leave=True)
    look = plan(bench, {OUT: wanted}).looks[OUT]
    late(lambda: bench.write({"out": b"wanted"}))
    place(bench.workspace, bench.state, bench.store, OUT, wanted, look=look)
    late((bench.root / "out").unlink)
    place(bench.workspace, bench.state, bench.store, OUT, wanted, look=look)
    assert (bench.root / "out").read_bytes() == b"wanted"


def test_files_get_the_users_umask(bench, keep, put):
    bench.write({"out": b"data"})
    content = keep()
    before = os.umask(0o027)
    try:
        put(content)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(bench.root / "out").st_mode) == 0o640
    assert Workspace(bench.workspace.root, bench.state).content(OUT) == content
