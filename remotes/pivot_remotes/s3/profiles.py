"""Credentials from AWS's configuration: profiles, SSO, roles, instance and container metadata.

Imports boto3; loaded by `credentials` only when nothing simpler is given.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from pivot_remotes.errors import AccessDenied
from pivot_remotes.s3.credentials import DEFAULT_REGION, Access, credential
from pivot_remotes.s3.settings import AccessKeys, S3Settings

if TYPE_CHECKING:
    from obstore.store import S3Credential

# botocore refreshes what is about to expire whenever it is asked; this is how often it is.
_ASK_EVERY = timedelta(minutes=5)


def find(settings: S3Settings) -> Access:
    """Credentials and region of the named or default profile.

    Raises `AccessDenied` where there are none or they can't be had (an expired SSO session).
    """
    try:
        session = boto3.Session(profile_name=settings.profile)
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()
    except (BotoCoreError, ClientError) as error:
        raise _unavailable(settings, error) from error
    if credentials is None:
        raise AccessDenied(
            f"there are no credentials for {settings.address}",
            hint="Run `aws configure`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    region = settings.region or session.region_name or DEFAULT_REGION
    return Access(lambda: _current(credentials), region)


def _current(credentials: Credentials) -> "S3Credential":
    frozen = credentials.get_frozen_credentials()
    keys = AccessKeys(frozen.access_key, frozen.secret_key, frozen.token)
    return credential(keys, expires_at=datetime.now(UTC) + _ASK_EVERY)


def _unavailable(settings: S3Settings, error: Exception) -> AccessDenied:
    # Only the name: botocore's text may quote what a credential process printed.
    name = type(error).__name__
    sso = "SSO" in name or "Token" in name
    return AccessDenied(
        f"credentials for {settings.address} can't be had",
        why=f"botocore says {name}",
        hint="Run `aws sso login`" if sso else "Check them by `aws sts get-caller-identity`",
    )
