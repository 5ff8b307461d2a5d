"""Where a bucket is and how to speak to it: options first, then the environment.

Names of the variables: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from pivot_remotes import options as option
from pivot_remotes.addresses import base_url, split
from pivot_remotes.errors import BadAddress
from pivot_remotes.keys import check_prefix

OPTIONS: Final = frozenset(
    {
        "access_key_id",
        "anonymous",
        "connect_timeout",
        "endpoint_url",
        "path_style",
        "profile",
        "read_timeout",
        "region",
        "requester_pays",
        "secret_access_key",
        "server_side_encryption",
        "session_token",
        "sse_kms_key_id",
    }
)

SECRETS: Final = frozenset({"access_key_id", "secret_access_key", "session_token"})
# What can't lead data or credentials elsewhere, whoever sets it.
HARMLESS: Final = frozenset({"anonymous", "connect_timeout", "read_timeout"})


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """A key pair, with a token where it is temporary. Never shown."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """A bucket, a folder in it, and the ways to reach it.

    Attributes:
        bucket: its name.
        prefix: the folder in the bucket that is the remote's root; empty for the bucket itself.
        endpoint: base URL of another service than AWS; None for AWS.
        region: where the bucket is; None to ask the profile.
        path_style: the bucket stands in the path of URLs, not in their host.
        keys: a key pair from the options or the environment.
        profile: section of AWS's configuration files to take credentials from.
        anonymous: requests are not signed.
        encryption: what the service encrypts with (`AES256`, `aws:kms`); None for its default.
        kms_key: the key for `aws:kms`.
        requester_pays: requests say that who sends them pays.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for the next bytes of an answer.
    """

    bucket: str
    prefix: str
    endpoint: str | None
    region: str | None
    path_style: bool
    keys: AccessKeys | None
    profile: str | None
    anonymous: bool
    encryption: str | None
    kms_key: str | None
    requester_pays: bool
    connect_timeout: float
    read_timeout: float

    @property
    def address(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def place(self) -> str:
        """The host, for messages about the connection."""
        return self.endpoint or f"S3 in {self.region or 'the default region'}"

    @classmethod
    def read(cls, url: str, options: Mapping[str, str], environ: Mapping[str, str]) -> Self:
        """Settings of `s3://bucket/prefix`; raises `BadAddress` where they contradict or lack."""
        option.check_known(options, OPTIONS, "s3")
        parts = split(url, form="s3://bucket/folder")
        bucket = parts.netloc
        if not bucket:
            raise BadAddress("no bucket is named", hint="Write it as `s3://bucket/folder`")
        endpoint = _endpoint(options, environ)
        path_style = option.boolean(options, "path_style")
        if path_style is None:
            # A dot in the bucket's name breaks the certificate check of host-style addresses.
            path_style = endpoint is not None or "." in bucket
        anonymous = option.boolean(options, "anonymous") or False
        profile = options.get("profile")
        return cls(
            bucket=bucket,
            prefix=check_prefix(parts.path.strip("/")),
            endpoint=endpoint,
            region=_first(options, "region", environ, "AWS_REGION", "AWS_DEFAULT_REGION"),
            path_style=path_style,
            keys=None if anonymous else _keys(options, environ, profile),
            profile=profile,
            anonymous=anonymous,
            encryption=options.get("server_side_encryption"),
            kms_key=options.get("sse_kms_key_id"),
            requester_pays=option.boolean(options, "requester_pays") or False,
            connect_timeout=option.seconds(options, "connect_timeout", 10),
            read_timeout=option.seconds(options, "read_timeout", 20),
        )


def _endpoint(options: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    text = _first(options, "endpoint_url", environ, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    return None if text is None else base_url(text)


def _keys(
    options: Mapping[str, str], environ: Mapping[str, str], profile: str | None
) -> AccessKeys | None:
    """The key pair of the options, else, unless a profile is named there, of the environment."""
    one, two = options.get("access_key_id"), options.get("secret_access_key")
    if one and two:
        return AccessKeys(one, two, options.get("session_token"))
    if one or two:
        raise BadAddress("access_key_id and secret_access_key go together, one is missing")
    one, two = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if profile is None and one and two:
        return AccessKeys(one, two, environ.get("AWS_SESSION_TOKEN") or None)
    return None


def _first(
    options: Mapping[str, str], name: str, environ: Mapping[str, str], *variables: str
) -> str | None:
    """The first of an option and some variables that is set and not empty."""
    return next((text for text in (options.get(name), *map(environ.get, variables)) if text), None)
