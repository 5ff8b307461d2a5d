"""What storages call the right to do something, for whoever has to grant it.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html,
https://cloud.google.com/storage/docs/access-control/iam-permissions and
https://learn.microsoft.com/azure/role-based-access-control/permissions/storage
"""

from collections.abc import Mapping
from typing import Final

from pivot_remotes.tracing import Verb

_AZURE: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

_NAMES: Final[Mapping[str, Mapping[Verb, str]]] = {
    "s3": {
        Verb.LIST: "s3:ListBucket on the bucket",
        Verb.GET: "s3:GetObject, and s3:ListBucket to tell what is absent",
        Verb.PUT: "s3:PutObject, and with a key of KMS kms:GenerateDataKey",
        Verb.DELETE: "s3:DeleteObject",
    },
    "gs": {
        Verb.LIST: "storage.objects.list",
        Verb.GET: "storage.objects.get",
        Verb.PUT: "storage.objects.create, and storage.objects.delete to replace",
        Verb.DELETE: "storage.objects.delete",
    },
    "az": {
        Verb.LIST: f"{_AZURE}/read",
        Verb.GET: f"{_AZURE}/read",
        Verb.PUT: f"{_AZURE}/write",
        Verb.DELETE: f"{_AZURE}/delete",
    },
}


def permission(scheme: str, verb: Verb) -> str | None:
    """The right that `verb` needs in a storage; None where it has no name for it."""
    return _NAMES.get(scheme, {}).get(verb)
