"""Proofs that a remote has all that some roots need, remembered here.

What is there is what the listed indexes say, less the packs that are doomed. So while the indexes
that a finished push relied upon are listed, and none of its packs is doomed, nothing of it is gone:
a push with nothing to do compares names, however many objects there are.

    <cache>/proofs/<digest of the roots>.json    a checksum on a line of its own, then JSON

They can be deleted without loss; the oldest ones are.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

from pivot.store.content import Content
from pivot.store.entry import NAME_SIZE, FileName
from pivot.transfer.known import Copies

FOLDER: Final = "proofs"
REMEMBERED: Final = 32
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Proof:
    """What a push that was found complete relied on.

    Attributes:
        store: the id of the store there.
        objects: entries that the roots need; `size` are their uncompressed bytes.
    """

    store: str
    objects: int
    size: int
    indexes: frozenset[FileName]
    packs: frozenset[FileName]

    def holds(self, listed: Collection[FileName], doomed: Collection[FileName]) -> bool:
        """Whether all of it is still there, given the listed indexes and the doomed packs."""
        return self.indexes <= frozenset(listed) and self.packs.isdisjoint(doomed)

    def encode(self) -> bytes:
        value = {
            "format": FORMAT,
            "store": self.store,
            "objects": self.objects,
            "bytes": self.size,
            "indexes": _joined(self.indexes),
            "packs": _joined(self.packs),
        }
        body = json.dumps(value).encode()
        return b"%s\n%s\n" % (_checksum(body), body)


def digest(roots: Iterable[Content]) -> str:
    """What names a set of roots, in whatever order they come: 64 hexadecimal digits."""
    lines = {f"{root.type.value} {root.id} {root.recipe or ''}" for root in roots}
    return blake3("\n".join(sorted(lines)).encode()).hexdigest()


def recall(copies: Copies, name: str, store: str) -> Proof | None:
    """The proof for roots of the digest `name` in the store of the id `store`, if there is one."""
    told, _, body = (copies.read(_key(name)) or b"").partition(b"\n")
    if told != _checksum(body.rstrip(b"\n")):
        return None
    try:
        value = json.loads(body)
        if value["format"] != FORMAT or value["store"] != store:
            return None
        objects, size = int(value["objects"]), int(value["bytes"])
        indexes, packs = _parted(value["indexes"]), _parted(value["packs"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Proof(store, objects, size, indexes, packs) if indexes else None


def remember(copies: Copies, name: str, proof: Proof) -> None:
    """Keep a proof; one that relies on no index proves nothing, and is not kept."""
    if not (proof.indexes and proof.store):
        return
    copies.keep(_key(name), proof.encode())
    for old in copies.newest(FOLDER)[REMEMBERED:]:
        copies.drop(f"{FOLDER}/{old}")


def _checksum(body: bytes) -> bytes:
    """A name of a pack that is a digit off would be that of one which is never doomed."""
    return blake3(body).hexdigest().encode()


def _key(name: str) -> str:
    return f"{FOLDER}/{name}.json"


def _joined(names: Iterable[FileName]) -> str:
    """Names in one text: a hundred thousand are read as fast as one."""
    return "".join(sorted(map(str, names)))


def _parted(text: str) -> frozenset[FileName]:
    """The names in a text. Raises `ValueError` for one that holds something else."""
    raw = bytes.fromhex(text)
    if len(raw) % NAME_SIZE:
        raise ValueError(text)
    return frozenset(FileName(raw[at : at + NAME_SIZE]) for at in range(0, len(raw), NAME_SIZE))
