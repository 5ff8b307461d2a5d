"""A cache that people share: what one makes the others can read, whatever their umasks."""

import os
import stat

import pytest

from pivot.hashing import hash_bytes
from pivot.store.projects import here, register, registered
from pivot.store.store import Store

GROUP = 4711
SHARED = 0o2770


def modes(root):
    """Permission bits of everything in a store by path, the lock and temporaries apart."""
    return {
        os.path.relpath(os.path.join(base, name), root): stat.S_IMODE(
            os.lstat(os.path.join(base, name)).st_mode
        )
        for base, folders, files in os.walk(root)
        for name in (*folders, *files)
    }


def put(root, data):
    with Store.open(root).writer() as writer:
        return writer.add_bytes(data)


@pytest.fixture
def with_umask():
    before = os.umask(0o022)
    os.umask(before)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(
    ("umask", "folder", "files", "folders"),
    [
        (0o077, 0o2770, 0o440, 0o2770),
        (0o077, 0o2775, 0o444, 0o2775),
        (0o022, 0o755, 0o444, 0o755),
        (0o077, 0o700, 0o400, 0o700),
    ],
)
def test_what_is_made_is_as_open_as_the_store(root, with_umask, umask, folder, files, folders):
    os.mkdir(root)
    os.chmod(root, folder)
    with_umask(umask)
    put(root, b"data")
    register(root, here("/project"))
    for path, mode in modes(root).items():
        if path == "tmp/in-use":
            assert mode & folder & 0o666 == folder & 0o666
        elif os.path.isdir(os.path.join(root, path)):
            assert (path, mode & 0o2777) == (path, folders)
        else:
            assert (path, mode) == (path, files)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as several users")
def test_members_of_a_group_add_and_read_at_the_same_store(tmp_path):
    """Each with a umask that hides all from the others."""
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_mode & 0o7 == 0:
            path.chmod(path.stat().st_mode | 0o011)
    root = str(tmp_path / "shared")
    os.mkdir(root)
    os.chown(root, 1001, GROUP)
    os.chmod(root, SHARED)
    for user in (1001, 1002, 1003, 1001):
        assert run_as(user, lambda user=user: put(root, b"by %d" % user)) == 0
    for user in (1001, 1002, 1003):
        assert run_as(user, lambda: [read(root, other) for other in (1001, 1002, 1003)]) == 0
    assert run_as(1004, lambda: read(root, 1001), groups=()) != 0


def read(root, user):
    data = b"by %d" % user
    assert Store.open(root).read(hash_bytes(data)) == data


def run_as(user, action, groups=(GROUP,)):
    """Run in a process of another user; its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgroups(groups)
            os.setgid(user)
            os.setuid(user)
            os.umask(0o077)
            action()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_projects_note_themselves_once_and_are_told_apart_by_host(store):
    ours = here("/a/project")
    register(store.root, ours)
    register(store.root, ours)
    elsewhere = type(ours)("/a/project", "another-host")
    register(store.root, elsewhere)
    assert registered(store.root) == sorted([ours, elsewhere], key=lambda p: (p.root, p.host))
    assert (ours.is_here, elsewhere.is_here) == (True, False)
