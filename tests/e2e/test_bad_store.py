"""A cache that was damaged, lost or can't be written: nothing wrong becomes visible."""

import os
import re
import shutil

import pytest


@pytest.fixture
def two_versions(story):
    """The first version of all outs is in the cache alone: the workspace has the second."""
    story.replace("lib/low.py", "2", "5")
    story.pivot("repro")
    story.replace("lib/low.py", "5", "2")
    return story


def packs(project):
    return sorted((project.path / ".pivot/cache/packs").glob("*/*.pack"))


def indexes(project):
    return sorted((project.path / ".pivot/cache/index").glob("*.idx"))


def flip(file):
    """Flip one bit in the middle half of each kilobyte or less."""
    data = bytearray(file.read_bytes())
    for at in range(len(data) // 3, 2 * len(data) // 3):
        data[at] ^= 0x10
    os.chmod(file, 0o644)
    file.write_bytes(data)


def cut(file):
    os.chmod(file, 0o644)
    os.truncate(file, file.stat().st_size // 2)


DAMAGE = {
    "flipped packs": lambda p: [flip(f) for f in packs(p)],
    "cut packs": lambda p: [cut(f) for f in packs(p)],
    "empty packs": lambda p: [os.truncate(f, 0) for f in packs(p)],
    "missing packs": lambda p: [f.unlink() for f in packs(p)],
    "flipped indexes": lambda p: [flip(f) for f in indexes(p)],
    "cut indexes": lambda p: [cut(f) for f in indexes(p)],
    "missing indexes": lambda p: [f.unlink() for f in indexes(p)],
    "missing cache": lambda p: shutil.rmtree(p.path / ".pivot/cache"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_cache_never_yields_wrong_bytes_and_can_be_mended(two_versions, damage):
    """A run either restores what is right, or makes it again, or says what is wrong."""
    DAMAGE[damage](two_versions)
    done = two_versions.pivot("repro", code=None)
    assert "Traceback" not in done.err
    if done.code == 0:
        assert two_versions.read("out/doubled.txt") == "6\n"
    else:
        assert done.code in (1, 13)
        assert "hint: " in done.err
        assert two_versions.read("out/doubled.txt") == "15\n"
    two_versions.pivot("doctor", "--repair", code=None)
    two_versions.pivot("repro")
    assert two_versions.read("total.json") == '{"total": 7}'
    assert set(two_versions.pivot("repro").statuses.values()) == {"unchanged"}


@pytest.mark.parametrize("damage", ["flipped packs", "cut packs", "missing packs", "missing cache"])
def test_checkout_from_a_damaged_cache_says_so(story, damage):
    story.pivot("commit")
    (story.path / "out/doubled.txt").unlink()
    DAMAGE[damage](story)
    done = story.pivot("checkout", code=None)
    assert done.code in (13, 14)
    assert done.err.startswith("error: ")
    assert "hint: " in done.err
    assert not story.exists("out/doubled.txt")


def test_store_of_a_newer_format_is_left_alone(two_versions):
    marker = two_versions.path / ".pivot/cache/pivot-store.json"
    text = marker.read_text()
    os.chmod(marker, 0o644)
    marker.write_text(re.sub(r'"format": ?1', '"format": 99', text))
    assert marker.read_text() != text
    done = two_versions.pivot("repro", code=None)
    assert done.code != 0
    assert "hint: " in done.err
    assert "99" in marker.read_text()


def test_damaged_accelerator_is_replaced(story):
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        if story.exists(f".pivot/{name}"):
            story.write(f".pivot/{name}", b"garbage" * 1000)
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}
    assert set(story.pivot("repro").statuses.values()) == {"unchanged"}


@pytest.mark.parametrize("folder", [".pivot", ".pivot/stages", ".pivot/cache", "out"])
def test_folder_that_cannot_be_written_is_said_and_nothing_is_lost(story, read_only, folder):
    story.replace("lib/low.py", "2", "5")
    with read_only(story.path / folder):
        done = story.pivot("repro", code=1)
    assert "Permission denied" in done.err
    assert "hint: " in done.err
    assert story.read("total.json") == '{"total": 7}'
    assert story.pivot("repro").statuses["total"] == "ran"
