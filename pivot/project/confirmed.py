"""Addresses that the user of this machine has confirmed.

A remote's URL that comes with a repository could send data and credentials anywhere, and so could
some of its options; they count once somebody here said yes. Kept in the user's own state folder,
outside of every repository.
"""

import json
import os
from collections.abc import Mapping

from pivot.files import write_atomic
from pivot.hashing import derive_json

_CONTEXT = "pivot confirmed address 1"


def confirmed_file(environ: Mapping[str, str]) -> str:
    """Where confirmations are kept."""
    state = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(state, "pivot", "confirmed.json")


def address_digest(url: str, endpoint: str | None, others: Mapping[str, str] | None = None) -> str:
    """What is confirmed: where data goes, and by which options of the repository.

    Without `others` it is what earlier versions wrote, so what was confirmed then still is.
    """
    value: list[object] = [url, endpoint]
    if others:
        value.append(dict(others))
    return derive_json(_CONTEXT, value).hex()


def is_confirmed(file: str, digest: str) -> bool:
    return digest in _read(file)


def confirm(file: str, digest: str) -> None:
    """Remember an address as confirmed."""
    known = _read(file)
    if digest not in known:
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        data = json.dumps(sorted([*known, digest]), indent=2) + "\n"
        write_atomic(file, data.encode(), mode=0o600)


def _read(file: str) -> frozenset[str]:
    try:
        with open(file, encoding="utf-8") as f:
            return frozenset(map(str, json.load(f)))
    except (OSError, ValueError, TypeError):
        return frozenset()
