"""Mending the store: repaired by itself, then from the workspace, then from remotes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pivot.errors import PivotError
from pivot.hashing import Json, ObjectId
from pivot.paths import RepoPath
from pivot.project.project import Project
from pivot.store.audit import Progress
from pivot.store.content import Content
from pivot.store.gate import Waiting
from pivot.store.repair import Repaired, repair, replace_identity
from pivot.store.store import Store
from pivot.sync.gather import gather
from pivot.sync.givers import Givers
from pivot.transfer.faults import on_disk
from pivot.transfer.jobs import JOBS
from pivot.verify.claim import Claim
from pivot.verify.needs import Needs
from pivot.verify.retake import retake


@dataclass(frozen=True, slots=True)
class Mending:
    """How to mend: `givers` give back what neither store nor workspace has, if there are any.

    `waiting` is told whom a repair waits for, `warn` why it couldn't be had from them.
    """

    givers: Givers | None
    waiting: Waiting
    warn: Callable[[PivotError], None]
    repairing: Progress | None = None
    fetching: Progress | None = None


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done.

    Attributes:
        retaken: entries added again from the workspace; `fetched`: those that a remote gave.
        lost: entries that the store had and that are nowhere now, whether or not they are needed.
    """

    repaired: Repaired
    set_aside: tuple[str, ...]
    retaken: int = 0
    fetched: int = 0
    lost: frozenset[ObjectId] = field(default=frozenset(), repr=False)

    def to_json(self) -> dict[str, Json]:
        return {
            "indexed": self.repaired.indexed,
            "saved": self.repaired.saved,
            "set_aside": list(self.set_aside),
            "forgotten": self.repaired.forgotten,
            "retaken": self.retaken,
            "fetched": self.fetched,
            "lost": len(self.lost),
        }


def mend(project: Project, claims: Sequence[Claim], how: Mending) -> Mended:
    """Make the store whole, and bring back what it lost of what is claimed."""
    with on_disk(project.cache):
        identity = replace_identity(project.cache)
        store = project.store
        repaired = repair(store, progress=how.repairing, waiting=how.waiting)
    aside = (*repaired.set_aside, *([] if identity is None else [identity]))
    harmed = _harmed(store, claims, repaired.lost)
    retaken = retake(project.workspace, store, harmed, repaired.lost) if harmed else 0
    gone = _absent(store, repaired.lost)
    for roots in _rounds(_harmed(store, harmed, gone)):
        _fetch(project, roots, how)
    lost = _absent(store, gone)
    return Mended(repaired, aside, retaken, len(gone) - len(lost), lost)


def _absent(store: Store, ids: frozenset[ObjectId]) -> frozenset[ObjectId]:
    store.refresh()
    return frozenset(id_ for id_ in ids if not store.has(id_))


def _harmed(store: Store, claims: Sequence[Claim], lost: frozenset[ObjectId]) -> list[Claim]:
    """The claims that need something that was lost; what was never here isn't brought."""
    if not lost:
        return []
    needs = Needs(store)
    return [
        claim for claim in claims if any(id_ in lost for id_, _ in needs.lacking(claim.content))
    ]


def _rounds(claims: Sequence[Claim]) -> Iterator[dict[RepoPath, Content]]:
    """Claims as roots of a fetch; two claims on a path go in different rounds."""
    rest = list(claims)
    while rest:
        roots: dict[RepoPath, Content] = {}
        rest = [c for c in rest if roots.setdefault(c.path, c.content) != c.content]
        yield roots


def _fetch(project: Project, roots: dict[RepoPath, Content], how: Mending) -> None:
    if how.givers is None:
        return
    try:
        gather(
            project.store,
            how.givers,
            roots,
            jobs=project.config.number("remote.jobs") or JOBS,
            progress=how.fetching,
        )
    except PivotError as error:  # what it gave before that is kept
        how.warn(error)
