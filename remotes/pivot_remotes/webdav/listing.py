"""What a WebDAV server says is in a folder.

Source: https://datatracker.ietf.org/doc/html/rfc4918#section-9.1
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

QUESTION: Final = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>'
    b"<resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>"
)


class BrokenOffError(Exception):
    """A server gave up in the middle, as some do when a folder changes. Never leaves this room."""


@dataclass(frozen=True, slots=True)
class Member:
    """A name in a folder; sizes in bytes, times in seconds since 1970, None where untold."""

    name: str
    is_folder: bool
    size: int
    modified: float | None


def members(answer: bytes, url: str) -> list[Member]:
    """What is directly in the folder at `url`, by the answer to `QUESTION`.

    Raises `BrokenOffError`, and `ValueError` where it is no such answer.
    """
    # As text, so that no other encoding that the answer declares hides what is looked for.
    text = answer.decode(errors="replace")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("its answer declares entities")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without entities there is nothing to expand
    except ET.ParseError as error:
        if "multistatus" in text[:1000]:
            raise BrokenOffError from error
        raise ValueError("its answer is no XML") from error
    if root.tag != "{DAV:}multistatus":
        raise ValueError("its answer is no list of files")
    here = unquote(urlsplit(url).path).rstrip("/")
    return list(_members(root, here))


def _members(root: ET.Element, here: str) -> Iterator[Member]:
    for response in root.iterfind("{DAV:}response"):
        path = unquote(urlsplit(response.findtext("{DAV:}href", "").strip()).path).rstrip("/")
        if path == here:
            continue
        folder, _, name = path.rpartition("/")
        if folder != here:
            # To leave it out would say that things are absent which are there.
            raise ValueError("it lists what isn't in the folder that was asked for")
        found = _properties(response)
        yield Member(
            name,
            is_folder=found.find("{DAV:}resourcetype/{DAV:}collection") is not None,
            size=int(found.findtext("{DAV:}getcontentlength") or 0),
            modified=_time(found.findtext("{DAV:}getlastmodified")),
        )


def _properties(response: ET.Element) -> ET.Element:
    """Those that the server has; it also lists, with another status, those that it lacks."""
    for group in response.iterfind("{DAV:}propstat"):
        found = group.find("{DAV:}prop")
        if found is not None and " 200" in group.findtext("{DAV:}status", " 200"):
            return found
    return ET.Element("none")


def _time(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
