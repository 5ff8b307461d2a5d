"""Options of a remote: text to text, as a configuration file has them."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Final

from pivot_remotes.errors import BadAddress

# Those of every remote; the wrappers around its backend take them.
COMMON: Final = frozenset({"attempts", "connections", "limit_rate", "publish", "read_only"})

_BYTES = re.compile(r"([0-9]{1,15})([KMGkmg]?)")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def check_known(options: Mapping[str, str], known: frozenset[str], scheme: str) -> None:
    """Raise `BadAddress` for the first option that a remote of this scheme doesn't have."""
    for name in sorted(options.keys() - known):
        raise BadAddress(
            f"remotes of {scheme} have no option {name!r}",
            hint=f"Known options are {', '.join(sorted(known | COMMON))}",
        )


def boolean(options: Mapping[str, str], name: str) -> bool | None:
    """An option as a truth value, None where it isn't set; raises `BadAddress` for other text."""
    text = options.get(name)
    if text is None:
        return None
    if text.lower() not in _BOOLEANS:
        raise BadAddress(f"option {name} must be true or false, not {text!r}")
    return _BOOLEANS[text.lower()]


def seconds(options: Mapping[str, str], name: str, default: float) -> float:
    """An option as a positive number of seconds; raises `BadAddress` for other text."""
    text = options.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0):
        raise BadAddress(f"option {name} must be a number of seconds above 0, not {text!r}")
    return value


def count[T](options: Mapping[str, str], name: str, default: T) -> int | T:
    """An option as a whole number from 1; raises `BadAddress` for other text."""
    text = options.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 100):
        raise BadAddress(f"option {name} must be a whole number from 1 to 100, not {text!r}")
    return int(text)


def size(options: Mapping[str, str], name: str) -> int | None:
    """An option as bytes (`500K`, `10M`, `1G`, in powers of 1024), None where it isn't set.

    Raises `BadAddress` for other text, and for less than 1K.
    """
    text = options.get(name)
    if text is None:
        return None
    match = _BYTES.fullmatch(text)
    value = 0 if match is None else int(match[1]) * _UNITS[match[2].lower()]
    if value < _UNITS["k"]:
        raise BadAddress(
            f"option {name} must be a number of bytes from 1K, not {text!r}",
            hint="Write it as `500K`, `10M` or `1G`",
        )
    return value
