"""A bucket of S3 as storage; credentials are refreshed as they expire."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from obstore.store import S3Store

from pivot_remotes.backend import Capabilities
from pivot_remotes.obstore_backend import PART, RETRY, ObstoreBackend, open_store
from pivot_remotes.obstore_faults import Faults
from pivot_remotes.s3.credentials import Access, access
from pivot_remotes.s3.faults import S3
from pivot_remotes.s3.settings import S3Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

_CAPABILITIES: Final = Capabilities(
    can_list=True,
    can_write=True,
    atomic_put=True,
    ranges=True,
    page_size=1000,
    part_size=PART,
    delete_size=1000,
)


def open_bucket(url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> ObstoreBackend:
    """The backend for `s3://bucket/prefix`.

    Options are those of `pivot_remotes.s3.settings`. Raises `BadAddress`, and `AccessDenied`
    where no credentials are found; the bucket itself isn't asked yet.
    """
    settings = S3Settings.read(url, options, environ)
    found = access(settings)
    faults = Faults(S3, settings.address, f"bucket {settings.bucket}", settings.place)
    return open_store(
        partial(_store, settings, found),
        faults,
        _CAPABILITIES,
        endpoint=settings.endpoint,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
    )


def _store(settings: S3Settings, found: Access, client: "ClientConfig") -> S3Store:
    endpoint = settings.endpoint
    config: S3Config = {
        "region": found.region,
        "virtual_hosted_style_request": not settings.path_style,
        "skip_signature": settings.anonymous,
        "request_payer": settings.requester_pays,
    }
    if endpoint is not None:
        base = endpoint if settings.path_style else _host_style(endpoint, settings.bucket)
        # Both, since AWS_ENDPOINT_URL_S3 in the environment beats `endpoint` in obstore.
        config["endpoint"] = config["aws_endpoint_url_s3"] = base
    if settings.encryption is not None:
        config["server_side_encryption"] = settings.encryption
    if settings.kms_key is not None:
        config["sse_kms_key_id"] = settings.kms_key
    return S3Store(
        settings.bucket,
        prefix=settings.prefix or None,
        config=config,
        client_options=client,
        retry_config=RETRY,
        credential_provider=found.provider,
    )


def _host_style(endpoint: str, bucket: str) -> str:
    scheme, _, rest = endpoint.partition("://")
    return f"{scheme}://{bucket}.{rest}"
