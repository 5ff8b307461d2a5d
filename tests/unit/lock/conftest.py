"""A lock with one of everything in it."""

import pytest

from pivot.hashing import hash_bytes
from pivot.lock.declared import Declared
from pivot.lock.lock import Lock
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.store.content import Content, ContentType

FILE = Content(ContentType.FILE, hash_bytes(b"x"), 1)
CUT = Content(ContentType.EXECUTABLE, hash_bytes(b"y"), 2, hash_bytes(b"recipe"))
FOLDER = Content(ContentType.DIRECTORY, hash_bytes(b"z"), 3, None, 2)


@pytest.fixture
def make_lock():
    def make(**changed):
        given = {
            "scheme": 1,
            "code": {"m:f": "a1", "m:g": "b2"},
            "packages": {"python": "3.13"},
            "params": {"a": 1, "b": {"c": [1.5, "text", None, True], "d": "é"}},
            "env": {"LANG": "C"},
            "cwd": RepoPath("sub"),
            "version": None,
            "deps": (RepoPath("a.csv"), RepoPath("data")),
            "outs": (
                OutSpec(RepoPath("m.json"), OutKind.METRIC),
                OutSpec(RepoPath("out"), OutKind.OUT),
            ),
        }
        declared = Declared(**(given | {k: v for k, v in changed.items() if k in given}))
        return Lock(
            stage=changed.get("stage", StageName("group/stage")),
            root="m:f",
            declared=declared,
            deps={RepoPath("a.csv"): CUT, RepoPath("data"): FOLDER},
            outs=changed.get("contents", {RepoPath("m.json"): FILE, RepoPath("out"): FOLDER}),
            secrets=("token",),
            previous=changed.get("previous", {}),
        )

    return make


@pytest.fixture
def lock(make_lock):
    return make_lock()
