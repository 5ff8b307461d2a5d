"""Comparing what locks claim with the code, the workspace and the store."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from pivot.code.extra import extra_files
from pivot.code.findings import SCHEME, Fingerprint
from pivot.definition.extra import entry_of
from pivot.errors import DefinitionError
from pivot.explain import content_text, explain, same
from pivot.lock.lock import Lock
from pivot.lock.observed import present
from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.survey import World
from pivot.track.listings import Listings
from pivot.verify.claim import Claim
from pivot.verify.finding import Finding, FindingKind
from pivot.verify.needs import Needs
from pivot.workspace import Workspace


def _never(_: Lock) -> None:
    """For those who can re-key no lock."""


@dataclass(frozen=True, slots=True)
class Examiner:
    """Where to look.

    Attributes:
        fingerprint: the code that an entry (see `Stage.entry`) reaches now. Raises
            `DefinitionError`.
        hashes: what single symbols hash to now, None for those that aren't there.
        listings: the names in folders.
        claimed: what paths would hold that needn't be in the workspace; empty if all must be.
        rekeyed: a lock of another scheme as it is under ours; None where that isn't known.
    """

    workspace: Workspace
    fingerprint: Callable[[str], Fingerprint]
    hashes: Callable[[Collection[str]], Mapping[str, str | None]]
    listings: Listings
    needs: Needs
    claimed: Mapping[RepoPath, Content] = field(default_factory=dict)
    rekeyed: Callable[[Lock], Lock | None] = _never
    _seen: dict[RepoPath, Content | None] = field(default_factory=dict)

    def lock(self, lock: Lock) -> Iterator[Finding]:
        """Whether a stage's code and deps are what its lock says."""
        try:
            found = self.fingerprint(entry_of(lock.root, lock.extra))
            files = extra_files(lock.stage, lock.extra, self.workspace.root, self.workspace.file_id)
        except DefinitionError as error:
            old = lock.declared.code.get(lock.root)
            yield Finding(FindingKind.CODE, lock.root, old, text=str(error), hint=error.hint)
            return
        if lock.declared.scheme != SCHEME:
            lock = self.rekeyed(lock) or lock
        world = World(
            replace(lock.declared, scheme=SCHEME, code={**found.code, **files}),
            {path: self._now(path) or self._promised(path, lock) for path in lock.deps},
            found.locations,
            self._used(lock),
        )
        for reason in explain(lock, world):
            yield Finding(
                FindingKind(reason.kind),
                reason.what,
                reason.old,
                reason.new,
                reason.file,
                reason.line,
            )

    def claim(self, claim: Claim) -> Iterator[Finding]:
        """Whether a path holds what is claimed, and whether the store has all of that."""
        now, content = self._now(claim.path), claim.content
        old = content_text(content)
        if now is None and claim.path not in self.claimed:
            yield Finding(FindingKind.OUT, claim.path, old)
        elif now is not None and not same(content, now):
            yield Finding(FindingKind.OUT, claim.path, old, content_text(now))
        counts = {True: 0, False: 0}
        for _, by_damage in self.needs.lacking(content):
            counts[by_damage] += 1
        if counts[False]:
            yield Finding(FindingKind.MISSING, claim.path, old, objects=counts[False])
        if counts[True]:
            yield Finding(FindingKind.DAMAGED, claim.path, old, objects=counts[True])

    def _used(self, lock: Lock) -> dict[str, str | None]:
        """What was observed, as it is now.

        Of variables and packages the lock is believed: they say nothing of the project. So it is of
        files and folders that needn't be here.
        """
        observed = lock.observed
        seen = present(
            [observed],
            code=self.hashes,
            variable=_unset,
            files=self.workspace.file_ids,
            folder=self.listings.digest,
        )
        seen |= {f"env:{name}": value for name, value in observed.env.items()}
        seen |= {f"package:{name}": version for name, version in observed.packages.items()}
        for path, old, what in (
            *((path, id_, f"file:{path}") for path, id_ in observed.files.items()),
            *((path, names, f"file:{path}/") for path, names in observed.folders.items()),
        ):
            if seen[what] is None and any(claim.contains(path) for claim in self.claimed):
                seen[what] = old
        return seen

    def _promised(self, dep: RepoPath, lock: Lock) -> Content | None:
        """What a dep that isn't in the workspace would hold, where it needn't be there.

        Of a file in a claimed directory, or a folder around claimed paths, the lock is believed.
        """
        if dep in self.claimed:
            return self.claimed[dep]
        overlaps = any(path.contains(dep) or dep.contains(path) for path in self.claimed)
        return lock.deps[dep] if overlaps else None

    def _now(self, path: RepoPath) -> Content | None:
        if path not in self._seen:
            self._seen[path] = self.workspace.content(path)
        return self._seen[path]


def _unset(_: str) -> str | None:
    return None
