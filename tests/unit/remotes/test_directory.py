import errno
import os
import stat

import pytest

from pivot_remotes.backend import ObjectInfo
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import AccessDenied, BadAddress, DiskRefused, RemoteError, Unreachable


@pytest.fixture
def root(tmp_path):
    return tmp_path / "remote"


@pytest.fixture
def backend(root):
    return DirectoryBackend(str(root))


def names(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def fail(monkeypatch, name, number):
    def failing(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, name, failing)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_put_that_fails_halfway_leaves_the_old_object(monkeypatch, backend, root, call):
    backend.put("a", b"old")
    with monkeypatch.context() as patch:
        fail(patch, call, errno.EIO)
        with pytest.raises(RemoteError):
            backend.put("a", b"new")
    assert backend.get("a") == b"old"
    assert names(root) == ["a"], "no temporary stays"


def test_content_is_durable_before_its_name_and_the_name_before_the_end(monkeypatch, backend):
    backend.put("dir/first", b"")
    steps = []
    fsync, replace = os.fsync, os.replace

    def synced(fd):
        steps.append("sync folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "sync file")
        fsync(fd)

    def renamed(old, new):
        steps.append("rename")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    backend.put("dir/a", b"x")
    assert steps == ["sync file", "rename", "sync folder"]


def test_what_others_write_and_left_is_not_listed(backend, root):
    backend.put("a/b", b"x")
    (root / "a" / ".pivot-tmp-0011").write_bytes(b"half")
    (root / "not a key").write_bytes(b"")
    (root / "lost+found").mkdir()
    os.mkfifo(root / "fifo")
    (root / "link").symlink_to(root / "a" / "b")
    (root / "loop").symlink_to(root)
    assert backend.list("") == [ObjectInfo("a/b", 1)]


def test_links_are_not_followed_out_of_the_remote(backend, root, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    root.mkdir()
    (root / "link").symlink_to(secret)
    with pytest.raises(RemoteError):
        backend.get("link")
    backend.put("link", b"mine")
    assert secret.read_bytes() == b"secret"
    assert backend.get("link") == b"mine"


def test_a_root_that_is_a_link_is_fine(tmp_path, root, backend):
    (tmp_path / "disk").mkdir()
    root.symlink_to(tmp_path / "disk")
    backend.put("a", b"x")
    assert backend.list("") == [ObjectInfo("a", 1)]


def test_a_file_in_the_way_of_a_folder_is_a_bad_address(backend, root):
    root.write_bytes(b"")
    with pytest.raises(BadAddress, match="remote"):
        backend.list("")
    with pytest.raises(BadAddress, match="a file stands"):
        backend.put("a", b"")


def test_objects_take_the_permissions_of_the_umask(backend, root):
    old = os.umask(0o027)
    try:
        backend.put("dir/a", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((root / "dir" / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((root / "dir").stat().st_mode) == 0o750


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, AccessDenied),
        (errno.EPERM, AccessDenied),
        (errno.EROFS, AccessDenied),
        (errno.ESTALE, Unreachable),
        (errno.ETIMEDOUT, Unreachable),
        (errno.EHOSTDOWN, Unreachable),
        (errno.ECONNRESET, Unreachable),
        (errno.ENOSPC, RemoteError),
        (errno.EDQUOT, RemoteError),
        (errno.EIO, RemoteError),
        (errno.ELOOP, RemoteError),
    ],
)
def test_every_verb_translates_what_the_system_says(monkeypatch, backend, tmp_path, number, kind):
    source, landed = tmp_path / "source", tmp_path / "landed"
    source.write_bytes(b"x")
    backend.put("dir/a", b"x")
    with monkeypatch.context() as patch:
        for name in ("open", "pread", "scandir", "replace"):
            fail(patch, name, number)
        for call in (
            lambda: backend.list("dir"),
            lambda: backend.get("dir/a"),
            lambda: backend.get_range("dir/a", 0, 1),
            lambda: backend.get_file("dir/a", str(landed)),
            lambda: backend.put("dir/a", b"x"),
            lambda: backend.put_file("dir/a", str(source)),
        ):
            with pytest.raises(RemoteError, match="remote") as caught:
                call()
            assert type(caught.value) is kind
    assert not landed.exists()


def test_deletes_are_translated_too(monkeypatch, backend):
    backend.put("a", b"")
    with monkeypatch.context() as patch:
        fail(patch, "unlink", errno.EROFS)
        with pytest.raises(AccessDenied):
            backend.delete("a")


def test_a_full_remote_says_so(monkeypatch, backend):
    fail(monkeypatch, "fsync", errno.ENOSPC)
    with pytest.raises(RemoteError, match="is full"):
        backend.put("a", b"")


def test_a_fault_of_the_local_disk_is_not_blamed_on_the_remote(backend, tmp_path):
    backend.put("a", b"x")
    with pytest.raises(RemoteError, match="nowhere/landed can't be written") as caught:
        backend.get_file("a", str(tmp_path / "nowhere" / "landed"))
    assert type(caught.value) is DiskRefused
    with pytest.raises(RemoteError, match="nowhere/source can't be read") as caught:
        backend.put_file("a", str(tmp_path / "nowhere" / "source"))
    assert type(caught.value) is DiskRefused


def test_a_file_larger_than_any_small_one_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("pivot_remotes.small.LIMIT", 5)
    backend = DirectoryBackend(str(tmp_path))
    backend.put("a", b"12345")
    assert backend.get("a") == b"12345"
    backend.put("a", b"123456")
    with pytest.raises(RemoteError, match="is larger than any small file"):
        backend.get("a")
