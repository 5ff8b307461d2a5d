"""A container of Azure Blob Storage as storage."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from obstore.store import AzureStore

from pivot_remotes.az.credentials import (
    AccountKey,
    Anonymous,
    AzureCli,
    Credential,
    ManagedIdentity,
    SasToken,
    ServicePrincipal,
    WorkloadIdentity,
)
from pivot_remotes.az.faults import AZURE
from pivot_remotes.az.machine import logged_in
from pivot_remotes.az.settings import AzSettings
from pivot_remotes.backend import Capabilities
from pivot_remotes.errors import AccessDenied
from pivot_remotes.obstore_backend import PART, RETRY, ObstoreBackend, open_store
from pivot_remotes.obstore_faults import Faults

if TYPE_CHECKING:
    from obstore.store import AzureConfig, AzureCredential, ClientConfig

type Provider = Callable[[], AzureCredential]

_CAPABILITIES: Final = Capabilities(
    can_list=True,
    can_write=True,
    atomic_put=True,
    ranges=True,
    page_size=5000,
    part_size=PART,
    around_parts=1,  # a list of the parts; nothing is said before them
    delete_size=256,
)


def open_container(
    url: str, options: Mapping[str, str], environ: Mapping[str, str]
) -> ObstoreBackend:
    """The backend for `az://container/prefix`.

    Options are those of `pivot_remotes.az.settings`. Raises `BadAddress`, and `AccessDenied`
    where no credentials are found; the container itself isn't asked yet.
    """
    settings = AzSettings.read(url, options, environ)
    credential = settings.credential or logged_in(environ)
    if credential is None:
        raise AccessDenied(
            f"there are no credentials for {settings.address}",
            hint="Run `az login`, or set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY",
        )
    faults = Faults(AZURE, settings.address, f"container {settings.container}", settings.endpoint)
    return open_store(
        partial(_store, settings, credential),
        faults,
        _CAPABILITIES,
        endpoint=settings.endpoint,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
    )


def _store(settings: AzSettings, credential: Credential, client: "ClientConfig") -> AzureStore:
    # Said even where it is the default: obstore completes what isn't said by the environment.
    config: AzureConfig = {
        "account_name": settings.account,
        "endpoint": settings.endpoint,
        "skip_signature": isinstance(credential, Anonymous),
        "use_emulator": False,
        "use_fabric_endpoint": False,
        **_login(credential),
    }
    return AzureStore(
        settings.container,
        prefix=settings.prefix or None,
        config=config,
        client_options=client,
        retry_config=RETRY,
        credential_provider=_provider(credential),
    )


def _provider(credential: Credential) -> Provider | None:
    """A key or signature, which goes to obstore by a provider: it beats the environment."""
    match credential:
        case AccountKey(key):
            return lambda: {"access_key": key, "expires_at": None}
        case SasToken(token):
            return lambda: {"sas_token": token.removeprefix("?"), "expires_at": None}
    return None


def _login(credential: Credential) -> "AzureConfig":
    """What obstore needs to ask for tokens by itself."""
    match credential:
        case ServicePrincipal(tenant, client, secret):
            return {
                "credential_type": "client_secret",
                "tenant_id": tenant,
                "client_id": client,
                "client_secret": secret,
            }
        case WorkloadIdentity(tenant, client, file):
            return {
                "credential_type": "workload_identity",
                "tenant_id": tenant,
                "client_id": client,
                "federated_token_file": file,
            }
        case ManagedIdentity(client):
            named: AzureConfig = {} if client is None else {"client_id": client}
            return {"credential_type": "managed_identity", **named}
        case AzureCli():
            return {"credential_type": "azure_cli", "use_azure_cli": True}
    return {}
