"""Who may ask from this machine, where nobody said who should."""

import json
import os
import shutil
from collections.abc import Mapping
from typing import Final

from pivot_remotes.az.credentials import AzureCli, Credential, ManagedIdentity

# What Azure's virtual machines have as their chassis' asset tag; cloud-init looks at the same.
_TAG_FILE: Final = "/sys/class/dmi/id/chassis_asset_tag"
_TAG: Final = "7783-7084-3265-9085-8269-3286-77"


def logged_in(environ: Mapping[str, str], *, tag_file: str = _TAG_FILE) -> Credential | None:
    """Whoever is logged in with Azure's command line, else the identity of a machine of Azure.

    None where there is neither. It is found out without the network, where other machines would
    wait for an answer that never comes.
    """
    if shutil.which("az", path=environ.get("PATH")) and _has_subscriptions(environ):
        return AzureCli()
    if environ.get("IDENTITY_ENDPOINT") or environ.get("MSI_ENDPOINT") or _is_azures(tag_file):
        return ManagedIdentity(environ.get("AZURE_CLIENT_ID") or None)
    return None


def _has_subscriptions(environ: Mapping[str, str]) -> bool:
    """Whether the command line remembers a login; logging out empties the list."""
    folder = environ.get("AZURE_CONFIG_DIR") or os.path.join(environ.get("HOME", ""), ".azure")
    try:
        with open(os.path.join(folder, "azureProfile.json"), encoding="utf-8-sig") as file:
            profile = json.load(file)
    except (OSError, ValueError):
        return False
    return isinstance(profile, dict) and bool(profile.get("subscriptions"))


def _is_azures(tag_file: str) -> bool:
    try:
        with open(tag_file, encoding="ascii", errors="replace") as file:
            return file.read().strip() == _TAG
    except OSError:
        return False
