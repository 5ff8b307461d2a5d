"""What the error codes of Azure Blob Storage mean, and those of Microsoft's logins.

Codes: https://learn.microsoft.com/en-us/rest/api/storageservices/common-rest-api-error-codes,
https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-error-codes and
https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

from typing import Final

from pivot_remotes.obstore_faults import Dialect, Remedy

_ROLE: Final = "Ask for the role `Storage Blob Data Contributor` on the container"
_RENEW: Final = "Run `az login`, or renew the credentials"
_SIGNATURE: Final = Remedy(
    "the account's key or signature is wrong or has expired",
    "Check account_key, sas_token or connection_string, and AZURE_STORAGE_KEY",
    final=True,
)
_EXPIRED: Final = Remedy("the login has expired", _RENEW, final=True)
_NETWORK: Final = Remedy(
    "the account's firewall doesn't let this network in", "Ask its owner to allow this network"
)
_PRINCIPAL: Final = "Check client_secret, or AZURE_CLIENT_SECRET"
_TENANT: Final = "Check tenant_id and client_id, or AZURE_TENANT_ID and AZURE_CLIENT_ID"
_NAME: Final = Remedy("can't be a container's name", "Check the remote's URL")

AZURE: Final = Dialect(
    denied={
        "AuthenticationFailed": _SIGNATURE,
        "AuthorizationFailure": Remedy(
            "the credentials are wrong, or the account's firewall doesn't let this network in",
            "Check the credentials, and ask the account's owner to allow this network",
        ),
        "AuthorizationPermissionMismatch": Remedy("the credentials don't allow this", _ROLE),
        "AuthorizationResourceTypeMismatch": Remedy("the signature doesn't allow this", _ROLE),
        "AuthorizationServiceMismatch": Remedy("the signature is for another service", _ROLE),
        "AuthorizationSourceIPMismatch": _NETWORK,
        "InsufficientAccountPermissions": Remedy("the credentials don't allow this", _ROLE),
        "InvalidAuthenticationInfo": _EXPIRED,
        "KeyBasedAuthenticationNotPermitted": Remedy(
            "the account takes no keys", "Run `az login`, and set no key", final=True
        ),
        "NoAuthenticationInformation": Remedy(
            "the container isn't public", "Set credentials, and take away `anonymous`"
        ),
        "PublicAccessNotPermitted": Remedy(
            "the account isn't public", "Set credentials, and take away `anonymous`"
        ),
        "AADSTS50173": _EXPIRED,
        "AADSTS700082": _EXPIRED,
        "AADSTS7000215": Remedy("the application's secret is wrong", _PRINCIPAL, final=True),
        "AADSTS7000222": Remedy("the application's secret has expired", _PRINCIPAL, final=True),
        "AADSTS700016": Remedy("the tenant doesn't know the application", _TENANT, final=True),
        "AADSTS90002": Remedy("there is no such tenant", _TENANT, final=True),
    },
    forbidden=_ROLE,
    renewal=_RENEW,
    busy=frozenset({"InternalError", "OperationTimedOut", "ServerBusy"}),
    absent=frozenset({"BlobNotFound"}),
    nowhere=frozenset({"ContainerBeingDeleted", "ContainerNotFound", "ResourceNotFound"}),
    misdirected={"InvalidResourceName": _NAME, "OutOfRangeInput": _NAME},
    redirected=Remedy("is elsewhere", "Check the remote's option `endpoint_url`"),
)
