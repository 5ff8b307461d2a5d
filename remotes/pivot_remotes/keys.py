"""The keys that every storage takes alike, checked before they reach one.

A key is one or more parts of `[A-Za-z0-9._-]` joined by `/`, relative to the remote's root. So it
needs no quoting in a URL, means the same on every file system, and can't climb out of the root.
"""

import os
import re

from pivot_remotes.errors import BadKey

# 1,024 bytes is the limit of S3, 255 that of a name on most file systems.
MAX_KEY = 1024
TEMPORARY_PREFIX = ".pivot-tmp-"

_KEY = re.compile(r"[A-Za-z0-9._-]{1,255}(?:/[A-Za-z0-9._-]{1,255})*")


def is_key(text: str) -> bool:
    """Whether `text` may name an object; names of temporaries are no keys."""
    return (
        len(text) <= MAX_KEY
        and _KEY.fullmatch(text) is not None
        and not any(
            part in (".", "..") or part.startswith(TEMPORARY_PREFIX) for part in text.split("/")
        )
    )


def check_key(key: str) -> str:
    """`key` itself; raises `BadKey` unless it may name an object."""
    if not is_key(key):
        raise BadKey(
            f"key {key[:80]!r} can't be used",
            why="parts of letters, digits and . _ - joined by / are allowed",
        )
    return key


def check_prefix(prefix: str) -> str:
    """The folder that `prefix` names, without a final `/`; empty for the root.

    Raises `BadKey` where no key can lie below it.
    """
    folder = prefix.removesuffix("/")
    return check_key(folder) if prefix else ""


def temporary_key(key: str) -> str:
    """A name beside `key` that no other writer uses, and that no listing shows."""
    folder, slash, _ = key.rpartition("/")
    return f"{folder}{slash}{TEMPORARY_PREFIX}{os.urandom(8).hex()}"
