"""Only what `survey` itself finds out; what is made of it is told in test_plan."""

import pytest

from pivot.hashing import hash_bytes
from pivot.paths import RepoPath
from pivot.survey import Surveyor

OUT = RepoPath("out")


@pytest.fixture
def rearranged(bench):
    def look():
        surveyor = Surveyor(
            bench.workspace, "", None, has=bench.store.holds, obtainable=lambda _: False
        )
        content = bench.workspace.content(OUT)
        held = frozenset({content} if bench.store.holds(content) else ())
        return surveyor._rearranged({OUT: content}, held)

    return look


def test_a_directory_that_lost_a_file_or_renamed_one_is_only_rearranged(bench, rearranged):
    bench.write({"out/a": b"1", "out/b": b"2"})
    with bench.store.writer() as writer:
        bench.workspace.store(OUT, writer)
    assert rearranged() == frozenset()
    (bench.root / "out" / "a").rename(bench.root / "out" / "c")
    assert rearranged() == {OUT}
    (bench.root / "out" / "b").unlink()
    assert rearranged() == {OUT}
    bench.write({"out/mine": b"new"})
    assert rearranged() == frozenset()
    assert not bench.store.has(hash_bytes(b"new"))
