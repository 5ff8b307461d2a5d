"""What storing a large file costs at the very least: `python -m benchmarks.floor SOURCE TARGET`.

The source is read and cut by pyfastcdc with the store's parameters; BLAKE3 of each chunk and of the
whole file is taken. A second thread, behind a queue of 32 chunks, writes the chunks to the target
and syncs it. Nothing is looked up, compressed, described or checked.
"""

import os
import sys
import threading
from pathlib import Path
from queue import Queue

from blake3 import blake3
from pyfastcdc import FastCDC

from pivot.store.chunking import FILES, NORMALIZATION

QUEUED = 32


def main(source: Path, target: Path) -> None:
    """Cut, hash and copy."""
    queue: Queue[bytes] = Queue(QUEUED)
    thread = threading.Thread(target=_write, args=(queue, target))
    thread.start()
    cutter = FastCDC(
        FILES.average,
        min_size=FILES.smallest,
        max_size=FILES.largest,
        normalized_chunking=NORMALIZATION,
    )
    whole, ids = blake3(), []
    with source.open("rb", buffering=0) as file:
        for chunk in cutter.cut_stream(file):
            data = bytes(chunk.data)
            whole.update(data)
            ids.append(blake3(data).digest())
            queue.put(data)
    ids.append(whole.digest())
    queue.put(b"")
    thread.join()


def _write(queue: Queue[bytes], target: Path) -> None:
    with target.open("wb", buffering=0) as file:
        while data := queue.get():
            file.write(data)
        os.fsync(file.fileno())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
