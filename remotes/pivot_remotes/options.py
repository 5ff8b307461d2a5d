"""Options of a remote: text to text, as a configuration file has them."""

from collections.abc import Mapping
from math import isfinite

from pivot_remotes.errors import BadAddress

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def check_known(options: Mapping[str, str], known: frozenset[str], scheme: str) -> None:
    """Raise `BadAddress` for the first option that a remote of this scheme doesn't have."""
    for name in sorted(options.keys() - known):
        raise BadAddress(
            f"remotes of {scheme} have no option {name!r}",
            hint=f"Known options are {', '.join(sorted(known))}" if known else "It has no options",
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


def count(options: Mapping[str, str], name: str, default: int) -> int:
    """An option as a whole number from 1; raises `BadAddress` for other text."""
    text = options.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 100):
        raise BadAddress(f"option {name} must be a whole number from 1 to 100, not {text!r}")
    return int(text)
