"""The pages of storages say what the storages take."""

import json
import re
from pathlib import Path

import pytest

from pivot_remotes.az import settings as az
from pivot_remotes.connect import connect, harmless_options
from pivot_remotes.gs import settings as gs

PAGES = Path(__file__).parents[2] / "docs/guide/storage"


def options(page: str, heading: str) -> dict[str, str]:
    """The options of the table below a heading, with their rows."""
    text = (PAGES / page).read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    table = text.lstrip().partition("\n\n")[0].splitlines()[2:]
    return {name: row for row in table for name in re.findall(r"`(\w+)`", row.split("|")[1])}


@pytest.mark.parametrize(("page", "settings"), [("gcs.md", gs), ("azure.md", az)])
def test_every_option_is_told_and_secrets_are_called_so(page, settings) -> None:
    told = options(page, "Options")
    assert told.keys() == settings.OPTIONS
    for name in settings.SECRETS:
        assert "secret" in told[name]
    assert settings.OPTIONS >= settings.SECRETS | settings.HARMLESS


def test_options_of_every_remote_are_told() -> None:
    told = options("other.md", "Options of every remote")
    assert told.keys() <= harmless_options("memory")
    for name in told:
        connect("memory://docs", {name: {"limit_rate": "10M"}.get(name, "5")})


def test_the_role_for_azure_is_what_its_command_takes() -> None:
    page = (PAGES / "azure.md").read_text(encoding="utf-8")
    role = json.loads(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])
    assert role["IsCustom"]
    blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/"
    assert all(action.startswith(blobs) for action in role["DataActions"])
