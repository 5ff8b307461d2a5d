"""Credentials for Google's services, refreshed by google-auth while they are used."""

import json
import logging
import os
import warnings
from collections.abc import Callable
from typing import Any, Final

import google.auth
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.oauth2.credentials import Credentials
from google.oauth2.service_account import Credentials as ServiceAccount

from pivot_remotes.errors import AccessDenied, BadAddress
from pivot_remotes.gs.settings import AccessToken, Anonymous, CredentialsFile, GsSettings

_SCOPES: Final = ("https://www.googleapis.com/auth/devstorage.read_write",)
# What it warns of is raised as well.
logging.getLogger("google.auth").addHandler(logging.NullHandler())

LOGIN: Final = "Run `gcloud auth application-default login`"


def find(settings: GsSettings) -> Any:
    """What google-auth makes of the settings' credential; None for anonymous requests.

    Raises `AccessDenied` where there are none, `BadAddress` for a file that can't be used.
    """
    match settings.credential:
        case Anonymous():
            return None
        case AccessToken(token):
            return Credentials(token)  # type: ignore[no-untyped-call]
        case CredentialsFile(path):
            return _of_file(path)
    return _default(settings)


def _default(settings: GsSettings) -> Any:
    """Application default credentials.

    Those are GOOGLE_APPLICATION_CREDENTIALS, a login with gcloud, or the machine's own account.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it advises users to take service accounts
            found, _ = google.auth.default(scopes=_SCOPES)
    except DefaultCredentialsError as error:
        named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
        raise AccessDenied(
            f"there are no credentials for {settings.address}",
            why=f"GOOGLE_APPLICATION_CREDENTIALS names {named}, which can't be used"
            if named
            else None,
            hint=f"{LOGIN}, or set GOOGLE_APPLICATION_CREDENTIALS",
        ) from error
    return found


def _of_file(path: str) -> Any:
    """A service account's key or a user's login.

    Other kinds of files can name programs and servers to ask, and the option may come with a
    repository, so they count only where the environment names them.
    """
    try:
        with open(path, encoding="utf-8") as file:
            info = json.load(file)
        make: Callable[..., Any]
        match info:
            case {"type": "service_account"}:
                make = ServiceAccount.from_service_account_info
            case {"type": "authorized_user"}:
                make = Credentials.from_authorized_user_info
            case _:
                raise BadAddress(
                    f"credentials {path} can't be used",
                    why="it is neither a service account's key nor a user's login",
                    hint="Name other kinds of files with GOOGLE_APPLICATION_CREDENTIALS",
                )
        return make(info, scopes=_SCOPES)
    except (OSError, ValueError, GoogleAuthError) as error:
        # Only its kind: the text of a parser may quote the file.
        why = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise BadAddress(f"credentials {path} can't be used", why=why) from None
