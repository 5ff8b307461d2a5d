import json

import pytest

from pivot_remotes.az.credentials import AzureCli, ManagedIdentity
from pivot_remotes.az.machine import logged_in


@pytest.fixture
def home(tmp_path):
    """An environment with Azure's command line, in which nobody has logged in."""
    program = tmp_path / "bin/az"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / ".azure").mkdir()
    return {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}


def profile(tmp_path, text, folder=".azure"):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "azureProfile.json").write_text(text, encoding="utf-8-sig")


def test_who_logged_in_with_the_command_line_asks(home, tmp_path):
    profile(tmp_path, json.dumps({"subscriptions": [{"id": "1"}]}))
    assert logged_in(home, tag_file="/nowhere") == AzureCli()
    elsewhere = {**home, "AZURE_CONFIG_DIR": str(tmp_path / "other")}
    assert logged_in(elsewhere, tag_file="/nowhere") is None
    profile(tmp_path, json.dumps({"subscriptions": [{"id": "1"}]}), "other")
    assert logged_in(elsewhere, tag_file="/nowhere") == AzureCli()


@pytest.mark.parametrize("text", ['{"subscriptions": []}', "{", "[]", "", "{}"])
def test_who_logged_out_does_not(home, tmp_path, text):
    profile(tmp_path, text)
    assert logged_in(home, tag_file="/nowhere") is None


def test_a_login_without_the_program_is_no_use(home, tmp_path):
    profile(tmp_path, json.dumps({"subscriptions": [{"id": "1"}]}))
    assert logged_in({**home, "PATH": "/nowhere"}, tag_file="/nowhere") is None


@pytest.mark.parametrize("name", ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"])
def test_services_of_azure_have_an_identity(home, name):
    environ = {**home, name: "http://localhost/token"}
    assert logged_in(environ, tag_file="/nowhere") == ManagedIdentity(None)
    environ["AZURE_CLIENT_ID"] = "chosen"
    assert logged_in(environ, tag_file="/nowhere") == ManagedIdentity("chosen")


def test_virtual_machines_of_azure_have_an_identity(home, tmp_path):
    tag = tmp_path / "chassis_asset_tag"
    tag.write_text("7783-7084-3265-9085-8269-3286-77\n")
    assert logged_in(home, tag_file=str(tag)) == ManagedIdentity(None)
    tag.write_text("Not Specified\n")
    assert logged_in(home, tag_file=str(tag)) is None
