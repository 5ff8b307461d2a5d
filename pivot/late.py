"""What is looked up only if somebody asks: most stages of a no-op never do."""

from collections.abc import Callable, Collection, Iterator
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
