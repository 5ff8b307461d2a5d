"""Text as it lies in data sets: one JSON document beside each picture, say."""

import json
import random
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
# Of a thousand letters of English, roughly.
LETTER_WEIGHTS = (
    127, 91, 82, 75, 70, 67, 63, 61, 60, 43, 40, 28, 28,
    24, 24, 22, 20, 19, 10, 15, 20, 8, 2, 1, 2, 1,
)  # fmt: skip
WORDS = 5000
FIELDS = 80


@dataclass(frozen=True, slots=True)
class Language:
    """Words, how often they come (Zipf's law), and the names of a document's fields."""

    words: tuple[str, ...]
    weights: tuple[float, ...]
    fields: tuple[str, ...]

    @classmethod
    def make(cls, source: random.Random) -> Self:
        words = tuple(
            "".join(source.choices(LETTERS, LETTER_WEIGHTS, k=source.randint(2, 10)))
            for _ in range(WORDS)
        )
        weights = tuple(accumulate(1 / (rank + 2) for rank in range(WORDS)))
        fields = tuple("_".join(source.choices(words, k=2)) for _ in range(FIELDS))
        return cls(words, weights, fields)

    def text(self, source: random.Random, count: int) -> str:
        """`count` words."""
        return " ".join(source.choices(self.words, cum_weights=self.weights, k=count))

    def document(self, source: random.Random, size: int) -> bytes:
        """`size` bytes of a JSON document: digests, numbers, words, flags, and a caption.

        Its fields' names are those of every other document; their values are its own.
        """
        values = {name: self._value(source, n % 5) for n, name in enumerate(self.fields)}
        head = {"id": f"{source.getrandbits(128):032x}", "digest": f"{source.getrandbits(512):x}"}
        document = head | values | {"caption": self.text(source, size // 4)}
        return json.dumps(document, indent=1).encode()[:size]

    def _value(self, source: random.Random, kind: int) -> object:
        match kind:
            case 0:
                return round(source.gauss(0, 100), 4)
            case 1:
                return source.randrange(10**7)
            case 2:
                return self.text(source, 3)
            case 3:
                return source.random() < 0.5
            case _:
                return f"{source.getrandbits(64):016x}"
