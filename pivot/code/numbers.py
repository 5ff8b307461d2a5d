"""Numbers that stand for values which are kept once."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any


class Numbers:
    """Values that are kept once, in the order in which they are met."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.values: list[Any] = list(values)
        self._places: dict[Any, int] = {value: n for n, value in enumerate(self.values)}

    def of(self, value: Any) -> int:
        """The number of a value, which may be new."""
        place = self._places.setdefault(value, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


def written_numbers(numbers: Iterable[int]) -> str:
    """Numbers as a text, which costs nothing until it is read."""
    return " ".join(map(str, numbers))


def read_numbers(text: str) -> list[int]:
    """The inverse of `written_numbers`."""
    return list(map(int, text.split()))


def picked(values: Sequence[Any], numbers: list[int]) -> tuple[Any, ...]:
    """The values that numbers stand for."""
    if len(numbers) > 1:
        found: tuple[Any, ...] = itemgetter(*numbers)(values)
        return found
    return tuple(values[number] for number in numbers)
