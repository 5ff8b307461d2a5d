"""What the error codes of S3 mean.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from typing import Final

from pivot_remotes.obstore_faults import Dialect, Remedy

_WHO: Final = "Run `aws sts get-caller-identity` to see whose they are"
_RENEW: Final = "Run `aws sso login`, or renew the credentials"
_EXPIRED: Final = Remedy("the session has expired", _RENEW, final=True)
_REGION: Final = Remedy("is in another region", "Set the remote's option `region`, or AWS_REGION")


def _check(option: str) -> str:
    return f"Check the remote's option `{option}`, or AWS_{option.upper()}"


S3: Final = Dialect(
    denied={
        "AccessDenied": Remedy("the credentials don't allow this", _WHO),
        "InvalidAccessKeyId": Remedy(
            "the access key is unknown there", _check("access_key_id"), final=True
        ),
        "SignatureDoesNotMatch": Remedy(
            "the secret key is wrong", _check("secret_access_key"), final=True
        ),
        "ExpiredToken": _EXPIRED,
        "ExpiredTokenException": _EXPIRED,
        "TokenRefreshRequired": _EXPIRED,
        "InvalidToken": Remedy("the session token is wrong", _check("session_token"), final=True),
        "RequestTimeTooSkewed": Remedy(
            "this machine's clock is wrong", "Set the clock", final=True
        ),
    },
    forbidden=_WHO,
    renewal=_RENEW,
    busy=frozenset(
        {"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "ThrottlingException"}
    ),
    absent=frozenset({"NoSuchKey", "NotFound"}),
    nowhere=frozenset({"NoSuchBucket"}),
    misdirected={"PermanentRedirect": _REGION, "AuthorizationHeaderMalformed": _REGION},
    redirected=_REGION,
)
