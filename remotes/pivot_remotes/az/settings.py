"""Where a container is and how to speak to it: options first, then the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from pivot_remotes import options as option
from pivot_remotes.addresses import base_url, split
from pivot_remotes.az import credentials
from pivot_remotes.az.connection_string import Account
from pivot_remotes.az.credentials import Anonymous, Credential
from pivot_remotes.errors import BadAddress
from pivot_remotes.keys import check_prefix

OPTIONS: Final = frozenset(
    {
        "account_key",
        "account_name",
        "anonymous",
        "client_id",
        "client_secret",
        "connect_timeout",
        "connection_string",
        "credential",
        "endpoint_url",
        "read_timeout",
        "sas_token",
        "tenant_id",
    }
)
SECRETS: Final = frozenset({"account_key", "client_secret", "connection_string", "sas_token"})
# What can't lead data or credentials elsewhere, whoever sets it.
HARMLESS: Final = frozenset({"anonymous", "connect_timeout", "read_timeout"})

_FORM: Final = "az://container/folder"
# https://learn.microsoft.com/en-us/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
_CONTAINER: Final = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}|\$root|\$web")
# https://learn.microsoft.com/en-us/azure/storage/common/storage-account-overview
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}(?:-secondary)?")


class _Found(NamedTuple):
    account: str
    endpoint: str | None
    credential: Credential | None


@dataclass(frozen=True, slots=True)
class AzSettings:
    """A container, a folder in it, and the ways to reach it.

    Attributes:
        container: its name.
        prefix: the folder in the container that is the remote's root; empty for the container.
        account: name of the storage account.
        endpoint: base URL of the account's blobs.
        credential: who asks; None to find out who is logged in on this machine.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for the next bytes of an answer.
    """

    container: str
    prefix: str
    account: str
    endpoint: str
    credential: Credential | None
    connect_timeout: float
    read_timeout: float

    @property
    def address(self) -> str:
        return f"az://{self.container}/{self.prefix}".rstrip("/")

    @classmethod
    def read(cls, url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> Self:
        """Settings of `az://container/prefix`; raises `BadAddress` if they contradict or lack."""
        option.check_known(options, OPTIONS, "az")
        parts = split(url, form=_FORM)
        if not _CONTAINER.fullmatch(parts.netloc):
            raise BadAddress(
                f"{parts.netloc!r} can't be a container"
                if parts.netloc
                else "no container is named",
                why="its name has 3 to 63 small letters, digits and single -",
                hint=f"Write it as `{_FORM}`, and the account as the option `account_name`",
            )
        found = _find(options, environ)
        if not _ACCOUNT.fullmatch(found.account):
            raise BadAddress(
                f"{found.account!r} can't be a storage account",
                why="its name has 3 to 24 small letters and digits",
                hint="Set the remote's option `account_name`",
            )
        return cls(
            container=parts.netloc,
            prefix=check_prefix(parts.path.strip("/")),
            account=found.account,
            endpoint=found.endpoint or f"https://{found.account}.blob.core.windows.net",
            credential=found.credential,
            connect_timeout=option.seconds(options, "connect_timeout", 10),
            read_timeout=option.seconds(options, "read_timeout", 20),
        )


def _find(options: Mapping[str, str], environ: Mapping[str, str]) -> _Found:
    """Account, endpoint and credential, each from the first place that gives it.

    What the environment gives for one account doesn't count for another one.
    """
    own = _account(options.get("connection_string"))
    environs = _account(environ.get("AZURE_STORAGE_CONNECTION_STRING"))
    default = (
        environ.get("AZURE_STORAGE_ACCOUNT")
        or environ.get("AZURE_STORAGE_ACCOUNT_NAME")
        or (environs and environs.name)
    )
    account = options.get("account_name") or (own and own.name) or default
    if not account:
        raise BadAddress(
            "no storage account is named",
            hint="Set the remote's option `account_name`, or AZURE_STORAGE_ACCOUNT",
        )
    if own is not None and own.name != account:
        raise BadAddress("account_name and connection_string name different accounts")
    if environs is not None and environs.name != account:
        environs = None
    text = options.get("endpoint_url")
    if text is None and (holder := own or environs) is not None:
        text = holder.endpoint
    endpoint = None if text is None else base_url(text)
    if option.boolean(options, "anonymous"):
        return _Found(account, endpoint, Anonymous())
    credential = credentials.of_options(options, own)
    if credential is None and default in (None, account):
        credential = credentials.of_storage_variables(environ)
    if credential is None and environs is not None:
        credential = credentials.of_account(environs)
    return _Found(account, endpoint, credential or credentials.of_identity_variables(environ))


def _account(text: str | None) -> Account | None:
    return Account.parse(text) if text else None
