"""Paths as types, checked once.

Two kinds of path are written down by people or read from manifests. Both are relative, use `/`,
and can't leave the place they are relative to:

- `RepoPath`: what people write in stages and find in locks, relative to the project root.
- `TreePath`: a name inside a directory's listing, kept byte for byte as the file system gave it.
"""

import posixpath
import re
import unicodedata
from collections.abc import Sequence
from typing import Self

from pivot.errors import UsageError

MAX_DEPTH = 64
MAX_BYTES = 4096

# Characters that file systems or people can't see, and that HFS+ ignores when it compares names:
# ".g\u200cit" would be ".git" there. https://nvd.nist.gov/vuln/detail/CVE-2014-9390
_IGNORABLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)
# "git~1" and "pivot~1" are the short names that NTFS makes for them.
_RESERVED = frozenset({".git", ".pivot", "git~1", "pivot~1"})
# In names of one folder, joined by slashes: a NUL, and the components that no path may have.
_ODD = ("\0", "//", "/./", "/../")
# In paths joined by NULs: what takes a closer look. A tree has very many paths.
_UNUSUAL = ("~", "//", "/.", "\0.", "\0/", "/\0", "\0\0")


class PathError(UsageError):
    """A path that Pivot doesn't accept; nothing was read or written through it."""

    code = "path"


def _fault(text: str) -> str | None:
    """Why `text` is no acceptable relative path, or None if it is one."""
    if _is_plain(text):
        return None
    if not text:
        return "it is empty"
    if "\0" in text:
        return "it contains a NUL character"
    if text.startswith("/"):
        return "it is absolute"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if size > MAX_BYTES:
        return f"it is longer than {MAX_BYTES} bytes"
    parts = text.split("/")
    if len(parts) > MAX_DEPTH:
        return f"it is deeper than {MAX_DEPTH} folders"
    for part in parts:
        if part in ("", ".", ".."):
            return f"it has the component {part!r}"
        if is_reserved(part):
            return f"{part!r} belongs to Git or Pivot"
    return None


def _is_plain(text: str) -> bool:
    """Whether a path is acceptable at first sight, as nearly all are: trees have very many."""
    return (
        text.isascii()
        and 0 < len(text) <= MAX_BYTES
        and text.count("/") < MAX_DEPTH
        and "\0" not in text
        and "~" not in text
        and "//" not in text
        and "/." not in text
        and text[0] not in "./"
        and text[-1] != "/"
    )


def is_reserved(name: str) -> bool:
    """Whether a file system could take `name` for `.git` or `.pivot`."""
    if name.isascii() and name[:1] != "." and "~" not in name:
        return False
    folded = unicodedata.normalize("NFKC", name.translate(_IGNORABLE)).casefold()
    return folded.rstrip(" .") in _RESERVED or folded.split(":", 1)[0].rstrip(" .") in _RESERVED


class RepoPath(str):
    """A file or directory below the project root, as people write it: POSIX, NFC, no `..`.

    The root itself is `RepoPath.ROOT`, written `.`.

    Example:
        >>> RepoPath("data/raw.csv").parent
        RepoPath('data')
    """

    __slots__ = ()
    ROOT: "RepoPath"

    def __new__(cls, text: str) -> Self:
        """Check `text`; raise `PathError` where it isn't an acceptable path."""
        if text == "." or (_is_plain(text) and text.isprintable()):
            return super().__new__(cls, text)  # at first sight, as nearly all
        text = unicodedata.normalize("NFC", text)
        fault = _fault(text)
        if fault is None and any(ord(c) < 32 or ord(c) == 127 for c in text):
            fault = "it contains a control character"
        if fault is not None:
            raise PathError(f"path {text!r} can't be used", why=fault)
        return super().__new__(cls, text)

    @classmethod
    def resolve(cls, written: str, *, base: "RepoPath") -> Self:
        """What a person wrote in the folder `base`, as a path below the project root.

        Backslashes count as `/`, a trailing `/` and `.` or `..` within the project are resolved.
        Raises `PathError` if the result is absolute or lies outside the project.
        """
        text = written.replace("\\", "/")
        if not text.strip():
            raise PathError("an empty path can't be used")
        if text.startswith("/"):
            raise PathError(
                f"path {written!r} can't be used",
                why="it is absolute, so it would mean something else on another machine",
                hint="Write it relative to the project's root, or to the stage's `cwd`",
            )
        joined = posixpath.normpath(posixpath.join(base, text))
        if joined == ".." or joined.startswith("../"):
            raise PathError(f"path {written!r} can't be used", why="it leaves the project")
        return cls(joined)

    @property
    def parent(self) -> "RepoPath":
        head = self.rpartition("/")[0]
        return str.__new__(RepoPath, head) if head else RepoPath.ROOT

    def contains(self, other: "RepoPath") -> bool:
        """Whether `other` is this path or lies below it."""
        return self == "." or other == self or other.startswith(self + "/")

    def __truediv__(self, name: str) -> "RepoPath":
        return RepoPath(name if self == "." else f"{self}/{name}")

    def __repr__(self) -> str:
        return f"RepoPath({str(self)!r})"


RepoPath.ROOT = RepoPath(".")


class TreePath(str):
    """A file's place inside a directory's listing; not normalised, since names are data."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check `text`; raise `PathError` where a listing must not hold it."""
        fault = _fault(text)
        if fault is not None:
            raise PathError(f"name {text!r} can't be kept in a directory listing", why=fault)
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        return f"TreePath({str(self)!r})"


def usual_paths(texts: Sequence[str]) -> list[TreePath] | None:
    """All of these as `TreePath`s; None where one of them takes a closer look.

    The same question as to each of them, put once, since a tree has very many.
    """
    text = "\0".join(("", *texts, ""))
    if (
        not text.isascii()
        or text.count("\0") != len(texts) + 1
        or any(part in text for part in _UNUSUAL)
        or max(map(len, texts), default=0) > MAX_BYTES
        or max((text.count("/") for text in texts), default=0) >= MAX_DEPTH
    ):
        return None
    return [str.__new__(TreePath, text) for text in texts]


def check_names(prefix: str, names: Sequence[str]) -> None:
    """Raise `PathError` unless `prefix` and each of these names make a `TreePath`.

    All at once, since a folder can have very many: only where something looks suspicious is each
    name taken up by itself. `prefix` is empty, or a path below the root with `/` at its end.
    """
    if not names:
        return
    if _are_plain(names):
        # What is left to fail by is depth and length.
        names = [max(names, key=len if "".join(names).isascii() else _size)]
    for name in names:
        TreePath(prefix + name)


def _size(name: str) -> int:
    return len(name.encode())


def _are_plain(names: Sequence[str]) -> bool:
    """Whether no name is at fault by itself; false where that takes a closer look."""
    text = f"/{'/'.join(names)}/"
    if text.count("/") != len(names) + 1 or any(part in text for part in _ODD):
        return False
    if text.isascii() and "/." not in text and "~" not in text:  # as `is_reserved` has it
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    folded = unicodedata.normalize("NFKC", text.translate(_IGNORABLE)).casefold()
    return not any(name in folded for name in _RESERVED)


_STAGE_PART = re.compile(r"[A-Za-z0-9_@=+-][A-Za-z0-9_.@=+-]*")
MAX_STAGE_NAME = 200


class StageName(str):
    """A stage's name: parts of `[A-Za-z0-9_.@=+-]` joined by `/`.

    No part starts with `.` or ends in `.lock`, so that names are lock files' names too.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check `text`; raise `PathError` where it can't name a stage."""
        parts = text.split("/")
        if len(text) > MAX_STAGE_NAME:
            fault = f"it is longer than {MAX_STAGE_NAME} characters"
        elif not all(_STAGE_PART.fullmatch(part) for part in parts):
            fault = "parts of letters, digits and _ . @ = + - joined by / are allowed"
        elif any(part.endswith(".lock") for part in parts):
            fault = "a part ends in .lock"
        else:
            return super().__new__(cls, text)
        raise PathError(f"{text!r} can't name a stage", why=fault)

    def __repr__(self) -> str:
        return f"StageName({str(self)!r})"
