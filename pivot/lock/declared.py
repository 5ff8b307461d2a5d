"""What is declared about a run, and the keys made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pivot.hashing import Json, ObjectId, derive_json
from pivot.lock.code import code_digest
from pivot.outputs import OutSpec
from pivot.paths import RepoPath
from pivot.store.content import Content

STATIC_CONTEXT = "pivot static key 1"
KEY_CONTEXT = "pivot key 1"


@dataclass(frozen=True)
class Declared:
    """All that is declared about a run, but for the ids of its deps.

    Not the name, mutex or place of the definition, nor anything observed: those change nothing
    about what the run computes. What was added to this since (`version`) enters the key only where
    it is given, so that a stage without it has the key that it always had.
    """

    scheme: int
    code: Mapping[str, str]
    packages: Mapping[str, str]
    params: Mapping[str, Json] | None
    env: Mapping[str, str]
    cwd: RepoPath
    deps: tuple[RepoPath, ...]
    outs: tuple[OutSpec, ...]
    version: int | str | None = None

    @cached_property
    def static_key(self) -> ObjectId:
        """The key's part that is known before any dep is.

        The code is in it by its digest, so that nobody needs the hashes to make a key.
        """
        fields: dict[str, Json] = {
            "scheme": self.scheme,
            "code": code_digest(self.code).hex(),
            "packages": dict(self.packages),
            "params": None if self.params is None else dict(self.params),
            "env": dict(self.env),
            "cwd": self.cwd,
            "deps": list(self.deps),
            "outs": [[str(out.path), str(out.kind)] for out in self.outs],
        }
        if self.version is not None:
            fields["version"] = self.version
        return derive_json(STATIC_CONTEXT, fields)

    def is_as(self, other: "Declared") -> bool:
        """Whether their static keys are equal; these are made only where it can't be seen."""
        return (not self.params and not other.params and self == other) or (
            self.static_key == other.static_key
        )

    def key(self, deps: Mapping[RepoPath, Content]) -> ObjectId:
        """The key of a run with these deps: equal keys compute the same."""
        rows = [[path, deps[path].type, deps[path].id.hex()] for path in self.deps]
        return derive_json(KEY_CONTEXT, [self.static_key.hex(), rows])
