"""Any other file system that fsspec knows, for schemes that the user has allowed.

Nothing is known of it, so nothing is taken for granted: objects are written under another name and
moved, and one at a time is deleted. The options are the file system's own, as text; `true`,
`false` and whole numbers become what they say.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import fsspec  # type: ignore[import-untyped]

from pivot_remotes.addresses import split
from pivot_remotes.backend import Capabilities
from pivot_remotes.errors import BadAddress, Unsupported
from pivot_remotes.fsspec_backend import FsspecBackend
from pivot_remotes.keys import check_prefix

_CAPABILITIES: Final = Capabilities(can_list=True, can_write=True, atomic_put=False, ranges=True)
_BOOLEANS: Final = {"true": True, "false": False}
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
# Those over another file system, which their options name: a chained URL by another name.
_REFUSED: Final = frozenset(
    {
        "async_wrapper",
        "asyncwrapper",
        "blockcache",
        "cached",
        "dask",
        "data",
        "dir",
        "dvc",
        "filecache",
        "generic",
        "libarchive",
        "reference",
        "simplecache",
        "tar",
        "zip",
    }
)


def open_other(url: str, scheme: str, options: Mapping[str, str]) -> FsspecBackend:
    """The folder that `url` names in fsspec's file system of its scheme.

    Raises `Unsupported` where the package for it isn't installed, `BadAddress` for what it can't be
    opened by.
    """
    if scheme in _REFUSED:
        raise BadAddress(f"remotes of scheme {scheme!r} are not supported")
    parts = split(url, form=f"{scheme}://place/folder")
    folder = check_prefix(parts.path.strip("/"))
    address = f"{scheme}://{parts.netloc}/{folder}".rstrip("/")
    try:
        fsspec.get_filesystem_class(scheme)
    except ValueError as error:
        raise BadAddress(f"fsspec knows no scheme {scheme!r}") from error
    except ImportError as error:
        raise Unsupported(
            f"{scheme} storage needs a package that isn't installed",
            why=str(error),
            hint="Install it into the environment that Pivot runs in",
        ) from error
    given = {name: _value(text) for name, text in options.items()}
    try:
        fs, root = fsspec.url_to_fs(
            address, **given, use_listings_cache=False, skip_instance_cache=True
        )
    except (ImportError, OSError, TypeError, ValueError, LookupError) as error:
        # Only its kind: the text may repeat an option that is a secret.
        raise BadAddress(
            f"{scheme} storage can't be opened",
            why=f"fsspec's file system raised {type(error).__name__}",
            hint="Check the remote's options against those of its file system",
        ) from error
    return FsspecBackend(fs, root, address=address, capabilities=_CAPABILITIES)


def is_known(scheme: str) -> bool:
    """Whether fsspec has a file system that remotes could be in, installed or not."""
    known = scheme in fsspec.available_protocols() or scheme in fsspec.registry
    return known and scheme not in _REFUSED


def _value(text: str) -> Any:
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    return int(text) if _NUMBER.fullmatch(text) else text
