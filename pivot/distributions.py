"""Names of distributions, as indexes write them, so that spellings agree.

https://packaging.python.org/en/latest/specifications/name-normalization/
"""

import re

# Compiled when they are used: a no-op reads the configuration, and mostly names no distribution.
_RUNS = r"[-_.]+"
_VALID = r"[a-z0-9]+(-[a-z0-9]+)*"


def normalized(name: str) -> str:
    """A distribution's name in the one spelling that stands for all."""
    return re.sub(_RUNS, "-", name).lower()


def is_valid(name: str) -> bool:
    """Whether a normalised name can be a distribution's."""
    return re.fullmatch(_VALID, name) is not None
