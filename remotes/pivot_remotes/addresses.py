"""URLs of remotes, taken apart; none of them may carry credentials."""

from urllib.parse import SplitResult, urlsplit

from pivot_remotes.errors import BadAddress


def split(url: str, *, form: str) -> SplitResult:
    """The parts of a URL that should look like `form`.

    Raises `BadAddress` where it is malformed, has a query or fragment, or holds credentials;
    without repeating the URL, which may hold one anywhere.
    """
    hint = f"Write it as `{form}`"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadAddress("this URL can't be read", why=str(error), hint=hint) from error
    if "@" in parts.netloc:
        raise BadAddress("a remote's URL must not hold credentials", hint=hint)
    if parts.query or parts.fragment:
        raise BadAddress("a remote's URL must not have a query or fragment", hint=hint)
    return parts
