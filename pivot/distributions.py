"""Names of distributions, as indexes write them, so that spellings agree.

https://packaging.python.org/en/latest/specifications/name-normalization/
"""

import re

_RUNS = re.compile(r"[-_.]+")
_VALID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def normalized(name: str) -> str:
    """A distribution's name in the one spelling that stands for all."""
    return _RUNS.sub("-", name).lower()


def is_valid(name: str) -> bool:
    """Whether a normalised name can be a distribution's."""
    return _VALID.fullmatch(name) is not None
