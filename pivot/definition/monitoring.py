"""Places for tools in `sys.monitoring`, of which an interpreter has six."""

import sys
from typing import Final

# Tools 0, 1 and 5 are debuggers', coverage's and the optimizer's.
_PLACES: Final = (4, 3, 2)


def free_tool() -> int | None:
    """A place that no other tool uses; None where all are taken."""
    get = sys.monitoring.get_tool
    return next((number for number in _PLACES if get(number) is None), None)
