"""Python's search for cycles of objects that nobody needs, held off where it only costs.

While very many objects are made and nearly all are kept, each search looks at all of them in vain.
"""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Hold the search off meanwhile, and leave what was made out of later ones.

    What isn't needed any more is freed all the same, unless it is part of a cycle. Where the search
    was held off before, it stays so afterwards.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()
