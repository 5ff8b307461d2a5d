"""Who asks: the kinds of credentials that Azure's storage takes, and which of them is given.

Options come first, then the environment. Names of the variables are those of Azure's command line
(https://learn.microsoft.com/en-us/cli/azure/azure-cli-configuration) and of its libraries
(https://learn.microsoft.com/en-us/python/api/azure-identity/azure.identity.environmentcredential).
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from pivot_remotes.az.connection_string import Account
from pivot_remotes.errors import BadAddress


@dataclass(frozen=True, slots=True)
class AccountKey:
    """A key of the whole account; it signs requests and is never sent."""

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        try:
            base64.b64decode(self.key, validate=True)
        except (binascii.Error, ValueError):
            raise BadAddress(
                "account_key is no key of a storage account",
                why="it isn't base64",
                hint="Copy it whole, as `az storage account keys list` prints it",
            ) from None


@dataclass(frozen=True, slots=True)
class SasToken:
    """A shared access signature: a query that says what may be done, and until when."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An application with a password."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WorkloadIdentity:
    """An application that a file vouches for, as in Kubernetes."""

    tenant_id: str
    client_id: str
    token_file: str


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The machine's own identity; `client_id` chooses one where it has several."""

    client_id: str | None


@dataclass(frozen=True, slots=True)
class AzureCli:
    """Whoever `az login` logged in."""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody: requests are not signed."""


type Credential = (
    AccountKey
    | SasToken
    | ServicePrincipal
    | WorkloadIdentity
    | ManagedIdentity
    | AzureCli
    | Anonymous
)


def of_options(options: Mapping[str, str], account: Account | None) -> Credential | None:
    """What the remote's options give; `account` is what their connection string says.

    Raises `BadAddress` for what is half given, or of an unknown kind.
    """
    if key := options.get("account_key"):
        return AccountKey(key)
    if token := options.get("sas_token"):
        return SasToken(token)
    if account is not None and (found := of_account(account)) is not None:
        return found
    if secret := options.get("client_secret"):
        return ServicePrincipal(
            _needed(options, "tenant_id", "client_secret"),
            _needed(options, "client_id", "client_secret"),
            secret,
        )
    match options.get("credential"):
        case None:
            return None
        case "azure_cli":
            return AzureCli()
        case "managed_identity":
            return ManagedIdentity(options.get("client_id"))
        case other:
            raise BadAddress(
                f"option credential can't be {other!r}",
                hint="Known are `azure_cli` and `managed_identity`",
            )


def of_account(account: Account) -> Credential | None:
    """What a connection string gives."""
    if account.key is not None:
        return AccountKey(account.key)
    return None if account.sas_token is None else SasToken(account.sas_token)


def of_storage_variables(environ: Mapping[str, str]) -> Credential | None:
    """What the environment gives for one account: its key, or a signature."""
    for name in ("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY"):
        if key := environ.get(name):
            return AccountKey(key)
    token = environ.get("AZURE_STORAGE_SAS_TOKEN")
    return SasToken(token) if token else None


def of_identity_variables(environ: Mapping[str, str]) -> Credential | None:
    """What the environment gives for an application, whatever the account."""
    tenant, client = environ.get("AZURE_TENANT_ID"), environ.get("AZURE_CLIENT_ID")
    if not tenant or not client:
        return None
    if secret := environ.get("AZURE_CLIENT_SECRET"):
        return ServicePrincipal(tenant, client, secret)
    file = environ.get("AZURE_FEDERATED_TOKEN_FILE")
    return WorkloadIdentity(tenant, client, file) if file else None


def _needed(options: Mapping[str, str], name: str, beside: str) -> str:
    if not options.get(name):
        raise BadAddress(f"{name} and {beside} go together, {name} is missing")
    return options[name]
