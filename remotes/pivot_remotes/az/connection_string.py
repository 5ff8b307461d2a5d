"""Azure's connection strings: an account, how to reach it, and its key in one text.

Format: https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string
"""

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from pivot_remotes.errors import BadAddress

# Of the emulator, known to everybody:
# https://learn.microsoft.com/en-us/azure/storage/common/storage-connect-azurite
_EMULATOR: Final = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlm"
    "EtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1"
)
_HINT: Final = "Copy it whole, as `az storage account show-connection-string` prints it"


@dataclass(frozen=True, slots=True)
class Account:
    """What a connection string says of a storage account.

    Attributes:
        name: of the account.
        endpoint: base URL of its blobs.
        key: of the account, if the string has one.
        sas_token: a signature, if the string has one.
    """

    name: str
    endpoint: str
    key: str | None = field(repr=False)
    sas_token: str | None = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `BadAddress`, which doesn't repeat the text: it is a secret."""
        parts = _parts(text)
        if parts.get("usedevelopmentstorage", "").lower() == "true":
            parts = _parts(_EMULATOR)
        name = parts.get("accountname")
        endpoint = parts.get("blobendpoint")
        if endpoint is None and name:
            scheme = parts.get("defaultendpointsprotocol", "https")
            suffix = parts.get("endpointsuffix", "core.windows.net")
            endpoint = f"{scheme}://{name}.blob.{suffix}"
        if name is None and endpoint is not None:
            name = (urlsplit(endpoint).hostname or "").partition(".")[0]
        if not name or endpoint is None:
            raise BadAddress(
                "connection_string can't be read", why="it names no account", hint=_HINT
            )
        return cls(
            name, endpoint.rstrip("/"), parts.get("accountkey"), parts.get("sharedaccesssignature")
        )


def _parts(text: str) -> dict[str, str]:
    """The values by their names in lower case."""
    found = {}
    for part in text.split(";"):
        if part.strip():
            name, equals, value = part.partition("=")
            if not equals:
                raise BadAddress(
                    "connection_string can't be read",
                    why="a part of it is no NAME=VALUE",
                    hint=_HINT,
                )
            found[name.strip().lower()] = value.strip()
    return found
