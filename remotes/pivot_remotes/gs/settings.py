"""Where a bucket of Google's is and how to speak to it: options first, then the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from pivot_remotes import options as option
from pivot_remotes.addresses import base_url, split
from pivot_remotes.errors import BadAddress
from pivot_remotes.keys import check_prefix

OPTIONS: Final = frozenset(
    {
        "access_token",
        "anonymous",
        "billing_project",
        "connect_timeout",
        "credentials",
        "endpoint_url",
        "read_timeout",
    }
)
SECRETS: Final = frozenset({"access_token"})
# What can't lead data or credentials elsewhere, whoever sets it.
HARMLESS: Final = frozenset({"anonymous", "connect_timeout", "read_timeout"})

_FORM: Final = "gs://bucket/folder"
# https://cloud.google.com/storage/docs/buckets#naming
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody: requests carry no token."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that is valid for about an hour, and isn't renewed."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CredentialsFile:
    """The key of a service account, or what a user's login left, in a JSON file."""

    path: str


type Credential = Anonymous | AccessToken | CredentialsFile


@dataclass(frozen=True, slots=True)
class GsSettings:
    """A bucket, a folder in it, and the ways to reach it.

    Attributes:
        bucket: its name.
        prefix: the folder in the bucket that is the remote's root; empty for the bucket itself.
        endpoint: base URL of another service than Google's; None for Google's.
        credential: who asks; None for Google's application default credentials.
        billing_project: the project that pays for requests; None for the bucket's.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for the next bytes of an answer.
    """

    bucket: str
    prefix: str
    endpoint: str | None
    credential: Credential | None
    billing_project: str | None
    connect_timeout: float
    read_timeout: float

    @property
    def address(self) -> str:
        return f"gs://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def place(self) -> str:
        """The host, for messages about the connection."""
        return self.endpoint or "Google Cloud Storage"

    @classmethod
    def read(cls, url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> Self:
        """Settings of `gs://bucket/prefix`; raises `BadAddress` where they contradict or lack."""
        option.check_known(options, OPTIONS, "gs")
        parts = split(url, form=_FORM)
        bucket = parts.netloc
        if not _BUCKET.fullmatch(bucket):
            raise BadAddress(
                f"{bucket!r} can't be a bucket" if bucket else "no bucket is named",
                why="its name has at least 3 small letters, digits, - _ and .",
                hint=f"Write it as `{_FORM}`",
            )
        endpoint = _endpoint(options, environ)
        credential = _credential(options)
        if credential is None and endpoint is not None and endpoint.startswith("http://"):
            credential = Anonymous()  # an emulator, to which no token of Google's should go
        return cls(
            bucket=bucket,
            prefix=check_prefix(parts.path.strip("/")),
            endpoint=endpoint,
            credential=credential,
            billing_project=options.get("billing_project"),
            connect_timeout=option.seconds(options, "connect_timeout", 10),
            read_timeout=option.seconds(options, "read_timeout", 20),
        )


def _endpoint(options: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    text = options.get("endpoint_url") or environ.get("STORAGE_EMULATOR_HOST")
    if not text:
        return None
    # The variable may be a host and port alone, as Google's own libraries take it.
    return base_url(text if "://" in text or "endpoint_url" in options else f"http://{text}")


def _credential(options: Mapping[str, str]) -> Credential | None:
    if option.boolean(options, "anonymous"):
        return Anonymous()
    token, path = options.get("access_token"), options.get("credentials")
    if token and path:
        raise BadAddress("access_token and credentials exclude each other")
    if token:
        return AccessToken(token)
    if not path:
        return None
    full = os.path.expanduser(path)
    if not os.path.isabs(full):
        raise BadAddress(
            f"option credentials must be an absolute path, not {path!r}",
            hint="Begin it with `/` or `~/`",
        )
    return CredentialsFile(full)
