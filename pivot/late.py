"""What is looked up only if somebody asks: most stages of a no-op never do."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property


class Late[T](Collection[T]):
    """A collection that `make` gives when it is first asked for."""

    def __init__(self, make: Callable[[], Collection[T]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Collection[T]:
        return self._make()

    def __contains__(self, item: object) -> bool:
        return item in self._made

    def __iter__(self) -> Iterator[T]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


class LateMapping[K, V](Mapping[K, V]):
    """A mapping of which a part is known; `make` gives the rest when a key isn't in that."""

    def __init__(self, known: Mapping[K, V], make: Callable[[], Mapping[K, V]]) -> None:
        self._known = known
        self._make = make

    @cached_property
    def _rest(self) -> Mapping[K, V]:
        return self._make()

    def __getitem__(self, key: K) -> V:
        return self._known[key] if key in self._known else self._rest[key]

    def __iter__(self) -> Iterator[K]:
        return iter({**self._rest, **self._known})

    def __len__(self) -> int:
        return len({**self._rest, **self._known})


class Deferred[K, V](Mapping[K, V]):
    """A mapping that is made when it is first looked into."""

    def __init__(self, make: Callable[[], Mapping[K, V]]) -> None:
        self._make: Callable[[], Mapping[K, V]] | None = make
        self._made: Mapping[K, V] = {}

    def _all(self) -> Mapping[K, V]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made

    def __getitem__(self, key: K) -> V:
        return self._all()[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
