"""What a push will take, told before it begins."""

from pivot.store.index import FAN_IN
from pivot.store.pack import PACK_SIZE
from pivot.store.packer import INDEX_ENTRIES


def push_requests(objects: int, stored: int, part_size: int | None) -> int:
    """About how many requests follow the decision to send so many entries of so many bytes.

    `part_size` is the size from which a storage takes a file in parts, None if it never does.
    """
    listing = 1  # of the tombstones, at the end
    if not objects:
        return listing
    packs = max(-(-stored // PACK_SIZE), -(-objects // INDEX_ENTRIES))
    return packs * _file_requests(stored // packs, part_size) + -(-packs // FAN_IN) + listing


def _file_requests(size: int, part_size: int | None) -> int:
    """One, or if it is sent in parts: one to begin, one a part, one to end."""
    return 1 if part_size is None or size <= part_size else 2 + -(-size // part_size)
