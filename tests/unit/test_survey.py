"""Only what `survey` itself finds out; what is made of it is told in test_plan."""

import pytest

from pivot.paths import RepoPath
from pivot.survey import Surveyor

OUT = RepoPath("out")


@pytest.fixture
def is_kept(bench):
    def look():
        surveyor = Surveyor(
            bench.workspace, "", None, has=bench.store.holding, obtainable=lambda _: False
        )
        return surveyor._is_kept(OUT, bench.workspace.content(OUT))

    return look


def test_a_directory_that_lost_or_renamed_a_file_may_be_replaced(bench, is_kept):
    bench.write({"out/a": b"1", "out/b": b"2"})
    with bench.store.writer() as writer:
        bench.workspace.store(OUT, writer)
    assert is_kept()
    (bench.root / "out" / "a").rename(bench.root / "out" / "c")
    assert is_kept()
    (bench.root / "out" / "b").unlink()
    assert is_kept()


def test_a_directory_with_a_new_file_or_an_edited_file_may_not(bench, is_kept):
    bench.write({"out/a": b"1"})
    with bench.store.writer() as writer:
        bench.workspace.store(OUT, writer)
    bench.write({"out/mine": b"new"})
    assert not is_kept()
    (bench.root / "out" / "mine").unlink()
    bench.write({"out/a": b"edited"})
    assert not is_kept()
