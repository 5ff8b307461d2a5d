"""Disks that fail at any call."""

import errno
import os

import pytest

from pivot.placing import PlacingError
from tests.unit.checkout.plans import FILES, OUT


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_disk_that_fails_at_any_call_leaves_the_old_state(
    bench, faults, keep, put, tree, clean, kind, error
):
    """Each changing call fails in turn; the old content is there, and a second try succeeds."""
    if kind == "file":
        bench.write({"out": b"new"})
    else:
        tree(FILES)
    content = keep()
    new = {"out": b"new"} if kind == "file" else {f"out/{n}": data for n, data in FILES.items()}
    old = {"out": b"old"} if kind == "file" else {"out/old/file": b"old"}
    for n in range(100):
        bench.remove(OUT)
        bench.write(old)
        with faults(n, error) as seen:
            try:
                put(content)
            except PlacingError as refused:
                failed = True
                told = refused.why
            else:
                failed = False
        if n >= len(seen.calls):
            break
        assert failed or seen.calls[n] == "unlink"
        assert not failed or told == os.strerror(error)
        assert bench.look() == (old if failed else new), seen.calls[n]
        if seen.calls[n] != "unlink":
            clean()
    assert 3 < n < 100
    assert bench.look() == new


def test_a_folder_on_another_disk_is_told_as_that(bench, keep, put, monkeypatch, clean):
    bench.write({"out": b"data"})
    content = keep()

    def refuse(*_, **__):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("os.rename", refuse)
    with pytest.raises(PlacingError) as caught:
        put(content)
    assert "another disk" in caught.value.hint
    clean()
