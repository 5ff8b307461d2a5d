"""The remotes that may give what a store lacks, asked in turn.

Each is opened once those before it lack something or failed. What one has damaged, or can't give,
is looked for at the next.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pivot.errors import IntegrityError, MissingDataError, PivotError
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.store.entry import Place
from pivot.sync.plan import absent_error
from pivot.transfer.faults import DiskError, PackGoneError
from pivot.transfer.fetch import Damaged
from pivot.transfer.progress import Transferred
from pivot.transfer.remote import RemoteStore


@dataclass(frozen=True, slots=True)
class Giver:
    """A remote that may be asked.

    `connect` makes it ready and asks nothing of it yet; it raises `PivotError` for a remote that
    may not or can't be used.
    """

    name: str
    connect: Callable[[], RemoteStore]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something is looked for elsewhere: what the remote called `name` can't give."""

    name: str
    error: PivotError

    def __str__(self) -> str:
        return self._naming(str(self.error))

    def brief(self) -> str:
        """The same without the cause of the error."""
        return self._naming(self.error.message)

    def _naming(self, said: str) -> str:
        if said.startswith(f"remote {self.name!r} "):
            return said
        kind = "is damaged" if isinstance(self.error, IntegrityError) else "wasn't used"
        return f"remote {self.name!r} {kind}: {said}"


type Warn = Callable[[Trouble], None]


def unheard(_: Trouble) -> None:
    """For whoever doesn't want to know."""


@dataclass(slots=True)
class Asked:
    """A giver that was asked, and what became of it.

    Attributes:
        number: its place in the order.
        refusal: why it can't be asked any more.
        damaged: what it has and can't give.
        places: where it has what it is to give.
    """

    giver: Giver
    number: int
    remote: RemoteStore | None = None
    refusal: PivotError | None = None
    damaged: Damaged = field(default_factory=dict)
    places: dict[ObjectId, Place] = field(default_factory=dict)
    given: Transferred = field(default_factory=Transferred)
    is_listed_again: bool = False

    def open(self) -> RemoteStore | None:
        """List what it has, the first time; None if it can't be asked."""
        if self.remote is None and self.refusal is None:
            try:
                self.remote = self.giver.connect()
                self.remote.open()
            except PivotError as error:
                self.refusal = error
        return None if self.refusal is not None else self.remote

    def locate(self, ids: Iterable[ObjectId]) -> Iterator[ObjectId]:
        """Find the places of entries; yields those that it hasn't, or has damaged."""
        wanted = list(ids)
        remote = self.open()
        sound = (id_ for id_ in wanted if id_ not in self.damaged)
        found = {} if remote is None else self._find(remote, sound)
        for id_ in wanted:
            place = found.get(id_)
            if place is None:
                yield id_
            else:
                self.places[id_] = place

    def _find(self, remote: RemoteStore, ids: Iterable[ObjectId]) -> dict[bytes, Place]:
        """Where it has entries. An index can lie in rows that opening it doesn't look at."""
        try:
            return remote.places(ids)
        except IntegrityError as error:
            self.refusal = IntegrityError(
                f"{error.message}, in {remote.address}",
                why=error.why,
                hint="Delete it there, then run `pivot push` in a clone that has the data",
            )
            return {}

    def list_again(self) -> None:
        """Forget where things are: packs were collected, or lost, since they were listed."""
        self.is_listed_again = True
        self.places.clear()
        if self.remote is not None:
            try:
                self.remote.refresh()
                self.remote.refresh_tombstones()  # they hide rows of deleted packs that came back
            except PivotError as error:
                self.refusal = error


class Givers:
    """The remotes of one command, in the order in which they are asked.

    `warn` is told of each that can't give something, when another one is asked for it.
    """

    def __init__(self, givers: Iterable[Giver], warn: Warn = unheard) -> None:
        self._all = tuple(Asked(giver, number) for number, giver in enumerate(givers))
        self._warn = warn
        self._told: set[tuple[str, str]] = set()

    @property
    def requests(self) -> int:
        """Requests made so far, to all of them."""
        return sum(asked.remote.requests for asked in self._all if asked.remote is not None)

    @property
    def addresses(self) -> str:
        """Those that could be asked, for messages."""
        return " or ".join(a.remote.address for a in self._all if a.remote and not a.refusal)

    @property
    def given(self) -> dict[str, Transferred]:
        """What each gave, by name; those that gave nothing are left out."""
        return {a.giver.name: a.given for a in self._all if a.given.objects}

    def locate(self, ids: Collection[ObjectId]) -> frozenset[ObjectId]:
        """Find who gives each entry; returns those that nobody does."""
        rest = [id_ for id_ in ids if self.place(id_) is None]
        for asked in self._all:
            if not rest:
                break
            rest = list(asked.locate(rest))
            if asked.refusal is not None:
                self._tell(asked, asked.refusal)
        return frozenset(rest)

    def place(self, id_: ObjectId) -> Place | None:
        """Where an entry will be taken from; None for one that wasn't located."""
        return next((a.places[id_] for a in self._all if id_ in a.places), None)

    def sharing(self, ids: Iterable[ObjectId]) -> Iterator[tuple[Asked, dict[ObjectId, Place]]]:
        """Who gives which of these entries, which were located, and where it has them."""
        wanted = list(ids)
        for asked in self._all:
            places = {id_: asked.places[id_] for id_ in wanted if id_ in asked.places}
            if places:
                yield asked, places

    def note(self, asked: Asked, damaged: Mapping[ObjectId, IntegrityError]) -> None:
        """What one couldn't give is looked for at the next.

        A pack that isn't there any more may have moved: the first time, all is listed again.
        """
        gone = any(isinstance(error, PackGoneError) for error in damaged.values())
        if gone and not asked.is_listed_again:
            asked.list_again()
            damaged = {i: e for i, e in damaged.items() if not isinstance(e, PackGoneError)}
        asked.damaged.update(damaged)
        for id_, error in damaged.items():
            asked.places.pop(id_, None)
            self._tell(asked, error)

    def give_up(self, asked: Asked, error: PivotError) -> None:
        """Ask one no more, because of `error`. Raises it where it isn't the remote's fault."""
        if isinstance(error, DiskError):
            raise error
        asked.refusal = error
        asked.places.clear()
        self._tell(asked, error)

    def failure(self, paths: Iterable[RepoPath], lost: Collection[ObjectId]) -> PivotError:
        """The error for paths of which nobody gives `lost`: it names what each one said."""
        damages = [(a, a.damaged[id_]) for id_ in lost for a in self._all if id_ in a.damaged]
        refusals = [(a, a.refusal) for a in self._all if a.refusal is not None]
        if len(self._all) == 1 and refusals:
            return refusals[0][1]
        if damages and len(self._all) == 1:
            return damages[0][1]
        if damages:
            asked, damage = damages[0]
            said = self._others(asked, damage.why)
            return IntegrityError(damage.message, why=said, hint=damage.hint)
        if len(refusals) == len(self._all):
            first = refusals[0][1]
            return type(first)(
                "none of the remotes can be used", why=self._said(refusals), hint=first.hint
            )
        error = absent_error(paths, self.addresses)
        if not refusals:
            return error
        hint = refusals[0][1].hint  # one that couldn't be asked may have it
        return MissingDataError(error.message, why=self._said(refusals), hint=hint or error.hint)

    def _others(self, damaged: Asked, why: str | None) -> str:
        """What is wrong at one, and what the others said."""
        said = [why] if why else []
        for asked in self._all:
            if asked is not damaged and asked.refusal is None:
                lacks = "has it damaged, too" if asked.damaged else "doesn't have it"
                said.append(f"remote {asked.giver.name!r} {lacks}")
        refusals = [(a, a.refusal) for a in self._all if a.refusal is not None]
        return "; ".join([*said, *([self._said(refusals)] if refusals else [])])

    def _said(self, refusals: Iterable[tuple[Asked, PivotError]]) -> str:
        """What each said; causes only of the last one's, since of the others a warning told."""
        troubles = ((asked, Trouble(asked.giver.name, error)) for asked, error in refusals)
        return "; ".join(str(t) if asked is self._all[-1] else t.brief() for asked, t in troubles)

    def _tell(self, asked: Asked, error: PivotError) -> None:
        """Warn once, where another one is still to be asked."""
        key = asked.giver.name, error.hint or error.message  # one cure for many objects
        if asked is not self._all[-1] and key not in self._told:
            self._told.add(key)
            self._warn(Trouble(asked.giver.name, error))
