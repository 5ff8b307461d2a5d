"""The out that is checked out, its files, and what is planned for it."""

import os
from functools import partial

from pivot.checkout import plan_checkout, plan_missing
from pivot.paths import RepoPath
from pivot.placing import lacks

OUT = RepoPath("out")
FILES = {
    "a": b"1",
    "a-b": b"22",
    "b/c/d": b"333",
    "b/empty": None,
    "big": os.urandom((2 << 20) + 1),
    "nothing": b"",
}


def plan(bench, contents):
    return plan_checkout(bench.workspace, contents, bench.store.holds, bench.store.tree)


def plan_only_missing(bench, contents):
    return plan_missing(
        bench.workspace, contents, bench.store.holds, partial(lacks, bench.workspace, bench.store)
    )


def no_reading_of(name):
    from pivot.workspace import read_file as real

    def read(absolute, stat_, put_):
        assert not absolute.endswith(name), "it was read again"
        return real(absolute, stat_, put_)

    return read
