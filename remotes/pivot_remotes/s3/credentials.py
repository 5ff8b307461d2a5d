"""Credentials for obstore, refreshed while they are used."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pivot_remotes.loading import load
from pivot_remotes.s3.settings import AccessKeys, S3Settings

if TYPE_CHECKING:
    from obstore.store import S3Credential

type Provider = Callable[[], S3Credential]


class Access(NamedTuple):
    """How to sign, and where: `provider` is None for anonymous requests."""

    provider: Provider | None
    region: str


DEFAULT_REGION = "us-east-1"


def access(settings: S3Settings) -> Access:
    """Find credentials and region: given keys, else AWS's own chain (profiles, SSO, roles).

    boto3, which knows that chain, takes a quarter of a second to import: it is left alone while
    keys are given or none are wanted. Raises `AccessDenied` where no credentials are found, and
    `Unsupported` where boto3 is needed and missing.
    """
    if settings.anonymous:
        return Access(None, settings.region or DEFAULT_REGION)
    if settings.keys is not None:
        return Access(_fixed(settings.keys), settings.region or DEFAULT_REGION)
    found: Access = load("pivot_remotes.s3.profiles", extra="s3").find(settings)
    return found


def _fixed(keys: AccessKeys) -> Provider:
    """A provider of one key pair.

    Keys go to obstore by a provider and not by its configuration, because that would complete
    them by an AWS_SESSION_TOKEN of the environment which belongs to other keys.
    """

    def provide() -> "S3Credential":
        return credential(keys, expires_at=None)

    return provide


def credential(keys: AccessKeys, *, expires_at: datetime | None) -> "S3Credential":
    """A key pair as obstore wants it."""
    return {
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key,
        "token": keys.session_token,
        "expires_at": expires_at,
    }
