"""URLs of remotes, taken apart; none of them may carry credentials."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pivot_remotes.errors import BadAddress

# Names of users on SSH servers are no secrets; what looks like anything else may be one.
_PLAIN_USER: Final = re.compile(r"(?<=://)[A-Za-z0-9_][A-Za-z0-9._-]{0,31}@")
_NAMING_USERS: Final = ("sftp://", "ssh://")
# A secret may itself hold a slash; a colon before the first one tells.
_USER: Final = re.compile(r"(?<=://)(?:[^/?#]*|[^/?#:]*:.*)@", re.DOTALL)
_QUERY: Final = re.compile(r"(?<=[?#]).+", re.DOTALL)


def shown(url: str) -> str:
    """A URL as messages may have it: without what could be a credential.

    User names (but for SSH), passwords, queries and fragments become `***`; paths of folders stay
    as they are.
    """
    if url.startswith(_NAMING_USERS) and not _USER.search(_PLAIN_USER.sub("", url, count=1)):
        return _QUERY.sub("***", url)
    return _QUERY.sub("***", _USER.sub("***@", url)) if "://" in url else url


def split(url: str, *, form: str, user: bool = False) -> SplitResult:
    """The parts of a URL that should look like `form`; it may name a user only where `user` says.

    Raises `BadAddress` where it is malformed, has a query or fragment, or holds credentials;
    without repeating the URL, which may hold one anywhere.
    """
    hint = f"Write it as `{form}`"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadAddress("this URL can't be read", why=str(error), hint=hint) from error
    bare = _PLAIN_USER.sub("", url, count=1) if user else url
    if _USER.search(bare):
        raise BadAddress("a remote's URL must not hold credentials", hint=hint)
    if parts.query or parts.fragment:
        raise BadAddress("a remote's URL must not have a query or fragment", hint=hint)
    return parts


def base_url(text: str) -> str:
    """The address of a service, as an option or a variable gives it, without a final `/`.

    Raises `BadAddress` for what isn't `http(s)://host...`, or holds credentials.
    """
    parts = split(text, form="https://host:port")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadAddress(f"{text!r} is no endpoint", hint="Write it as `https://host:port`")
    return text.rstrip("/")
