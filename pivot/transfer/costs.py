"""What a push will take, told before it begins."""

from typing import Final

from pivot.store.index import FAN_IN, INDEX_ENTRIES
from pivot.store.pack import PACK_SIZE

# Packs of this size are made in memory and sent in one request: storages that take large files in
# parts do so from 16 MiB on, which costs several round trips, one after the other. Smaller ones
# still would be on their way sooner, and would cost everyone who fetches more requests.
SMALL_PACK: Final = 10 << 20


def pack_size(total: int, jobs: int) -> int:
    """The size from which packs are ended, where `total` bytes are sent by so many jobs.

    A push that would be one or two packs is several, so that one is sent while the next is made;
    large ones are as large as packs get, so that there aren't too many.
    """
    return min(PACK_SIZE, max(SMALL_PACK, total // jobs))


def push_requests(
    objects: int, total: int, stored: int, *, part_size: int | None, jobs: int
) -> int:
    """About how many requests follow the decision to send so many entries.

    They are of `total` bytes, and of `stored` bytes as they are compressed. `part_size` is the size
    from which a storage takes a file in parts, None if it never does.
    """
    listing = 1  # of the tombstones, at the end
    if not objects:
        return listing
    packs = max(-(-stored // pack_size(total, jobs)), -(-objects // INDEX_ENTRIES))
    return packs * _file_requests(stored // packs, part_size) + -(-packs // FAN_IN) + listing


def _file_requests(size: int, part_size: int | None) -> int:
    """One, or if it is sent in parts: one to begin, one a part, one to end."""
    return 1 if part_size is None or size <= part_size else 2 + -(-size // part_size)
