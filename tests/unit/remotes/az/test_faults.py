import json
import time

import pytest

from pivot_remotes.az.backend import open_container
from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    Busy,
    NotFound,
    RemoteError,
    Truncated,
    Unreachable,
)
from tests.unit.remotes.servers.azurite import ACCOUNT
from tests.unit.remotes.verbs import calls

KEY = "dmVyeS1zZWNyZXQta2V5"
HEADERS = {"ETag": '"x"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}


def code(name):
    return f"<?xml version='1.0'?><Error><Code>{name}</Code><Message>no</Message></Error>".encode()


def open_(faulty, url="az://container/pre", environ=None, **options):
    given = {"account_name": "account", "endpoint_url": faulty.endpoint, "read_timeout": "0.3"}
    return open_container(url, {**given, **options}, environ or {})


@pytest.fixture
def backend(azure, faulty):
    return open_(faulty, account_key=KEY)


@pytest.mark.parametrize(
    ("status", "name", "kind", "why"),
    [
        (403, "AuthenticationFailed", AccessDenied, "key or signature is wrong"),
        (403, "AuthorizationPermissionMismatch", AccessDenied, "don't allow"),
        (403, "AuthorizationFailure", AccessDenied, "firewall"),
        (403, "SomethingNew", AccessDenied, "SomethingNew"),
        (401, "InvalidAuthenticationInfo", AccessDenied, "login has expired"),
        (401, "NoAuthenticationInformation", AccessDenied, "isn't public"),
        (409, "PublicAccessNotPermitted", AccessDenied, "isn't public"),
        (404, "ContainerNotFound", BadAddress, None),
        (404, "ResourceNotFound", BadAddress, None),
        (409, "ContainerBeingDeleted", BadAddress, None),
        (400, "InvalidResourceName", BadAddress, None),
        (429, "", Busy, "429"),
        (503, "ServerBusy", Busy, "ServerBusy"),
        (500, "OperationTimedOut", Busy, "OperationTimedOut"),
        (411, "MissingContentLengthHeader", RemoteError, "MissingContentLengthHeader"),
        (418, "", RemoteError, "418"),
    ],
)
def test_every_verb_translates_refusals(backend, faulty, tmp_path, status, name, kind, why):
    faulty.always(status, code(name) if name else b"")
    for call in calls(backend, tmp_path):
        with pytest.raises(RemoteError) as caught:
            call()
        assert type(caught.value) is kind
        assert "container" in caught.value.message
        assert why is None or why in (caught.value.why or "")
        assert KEY not in f"{caught.value} {caught.value.hint}"
    assert not (tmp_path / "landed").exists()


def test_denials_say_what_helps(backend, faulty):
    faulty.always(403, code("AuthorizationPermissionMismatch"))
    with pytest.raises(AccessDenied) as caught:
        backend.list("")
    assert "Storage Blob Data Contributor" in caught.value.hint


def test_nobody_listens(azure, faulty, tmp_path):
    dead = faulty.endpoint
    faulty.server_close()
    options = {"account_name": "account", "account_key": KEY, "endpoint_url": dead}
    backend = open_container("az://container", options, {})
    with pytest.raises(Unreachable, match="can't be reached") as caught:
        backend.get("a")
    assert dead in caught.value.why


def test_silence_is_given_up_after_the_read_timeout(azure, faulty):
    faulty.answer = lambda request: (time.sleep(0.2), (200, HEADERS, b""))[1]
    with pytest.raises(Unreachable, match="doesn't answer"):
        open_(faulty, account_key=KEY, read_timeout="0.05").get("a")


def test_a_body_that_breaks_off_is_an_error_and_leaves_no_file(backend, faulty, tmp_path):
    faulty.always(200, b"half", **HEADERS, **{"Content-Length": "8"})
    with pytest.raises(RemoteError):
        backend.get_file("a", str(tmp_path / "landed"))
    assert not (tmp_path / "landed").exists()


# -- real answers -----------------------------------------------------------------------------


def test_absent_blobs_and_absent_containers_differ(azure, azurite):
    options = {"connection_string": azurite.connection_string}
    with pytest.raises(NotFound):
        open_container(f"az://{azurite.new_container()}", options, {}).get("a")
    nowhere = open_container("az://no-such-container", options, {})
    for call in (
        lambda: nowhere.get("a"),
        lambda: nowhere.get_range("a", 0, 1),
        lambda: nowhere.list(""),
        lambda: nowhere.put("a", b""),
    ):
        with pytest.raises(BadAddress, match="container no-such-container doesn't exist"):
            call()


@pytest.mark.parametrize(
    "given",
    [
        {"account_key": KEY},
        {"sas_token": "sv=2021-12-02&sp=rl&sr=c&sig=dmVyeS1zZWNyZXQ%3D"},
        {"anonymous": "true"},
    ],
)
def test_credentials_that_are_not_taken_deny_access(azure, azurite, given):
    options = {"account_name": ACCOUNT, "endpoint_url": azurite.endpoint, **given}
    backend = open_container(f"az://{azurite.new_container()}", options, {})
    for call in (
        lambda: backend.get("a"),
        lambda: backend.put("a", b"x"),
        lambda: backend.list(""),
    ):
        with pytest.raises(AccessDenied) as caught:
            call()
        said = f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
        assert KEY not in said
        assert "dmVyeS1zZWNyZXQ" not in said


def test_a_range_behind_the_end_is_truncated(azure, azurite):
    options = {"connection_string": azurite.connection_string}
    backend = open_container(f"az://{azurite.new_container()}", options, {})
    backend.put("a", b"0123456789")
    for start in (5, 10, 11):
        with pytest.raises(Truncated):
            backend.get_range("a", start, 10)


# -- logins -----------------------------------------------------------------------------------

PRINCIPAL = {"tenant_id": "tenant", "client_id": "client", "client_secret": "very-secret"}


def login(faulty, status, body):
    """The login service answers so; the storage takes any token."""

    def answer(request):
        if "token" in request.path:
            return status, {"Content-Type": "application/json"}, json.dumps(body).encode()
        return 200, HEADERS, b"fine"

    faulty.answer = answer


def test_a_service_principal_asks_with_a_token(azure, faulty):
    azure.setenv("AZURE_AUTHORITY_HOST", faulty.endpoint)
    login(faulty, 200, {"access_token": "the-token", "expires_in": 3600, "token_type": "Bearer"})
    assert open_(faulty, **PRINCIPAL).get("a") == b"fine"
    asked, got = faulty.seen
    assert asked.path == "/tenant/oauth2/v2.0/token"
    assert got.headers["authorization"] == "Bearer the-token"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("AADSTS7000215", "secret is wrong"),
        ("AADSTS7000222", "secret has expired"),
        ("AADSTS90002", "no such tenant"),
        ("AADSTS99999", "AADSTS99999"),
    ],
)
@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_login_says_why(azure, faulty, status, number, why):
    azure.setenv("AZURE_AUTHORITY_HOST", faulty.endpoint)
    login(faulty, status, {"error": "invalid_client", "error_description": f"{number}: no."})
    with pytest.raises(AccessDenied, match="az://container/pre") as caught:
        open_(faulty, **PRINCIPAL).get("a")
    assert why in caught.value.why
    assert "very-secret" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_a_login_service_that_is_busy_or_gone_is_no_denial(azure, faulty):
    azure.setenv("AZURE_AUTHORITY_HOST", faulty.endpoint)
    login(faulty, 503, {})
    with pytest.raises(Busy):
        open_(faulty, **PRINCIPAL).get("a")
    azure.setenv("AZURE_AUTHORITY_HOST", "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="can't be reached") as caught:
        open_(faulty, **PRINCIPAL).get("a")
    assert "login service" in caught.value.why


def test_a_workload_is_vouched_for_by_its_file(azure, faulty, tmp_path):
    azure.setenv("AZURE_AUTHORITY_HOST", faulty.endpoint)
    login(faulty, 200, {"access_token": "the-token", "expires_in": 3600, "token_type": "Bearer"})
    environ = {
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_ID": "c",
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
    }
    with pytest.raises(AccessDenied, match="is denied"):
        open_(faulty, environ=environ).get("a")
    (tmp_path / "token").write_text("vouched")
    assert open_(faulty, environ=environ).get("a") == b"fine"
    assert faulty.seen[-1].headers["authorization"] == "Bearer the-token"


def test_a_managed_identity_asks_the_machine(azure, faulty):
    azure.setenv("AZURE_MSI_ENDPOINT", f"{faulty.endpoint}/msi/token")
    body = {"access_token": "the-token", "expires_on": "2000000000", "token_type": "Bearer"}
    login(faulty, 200, body)
    backend = open_(faulty, credential="managed_identity", client_id="chosen")
    assert backend.get("a") == b"fine"
    asked, got = faulty.seen
    assert "client_id=chosen" in asked.path
    assert got.headers["authorization"] == "Bearer the-token"
    login(faulty, 400, {"error": "invalid_request", "error_description": "Identity not found"})
    with pytest.raises(AccessDenied):
        open_(faulty, credential="managed_identity").get("a")


@pytest.fixture
def az(azure, tmp_path):
    """Makes Azure's command line answer so to whoever is logged in with it."""

    def answer(text, code=0):
        program = tmp_path / "bin/az"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{text}'\necho 'said: very-secret' >&2\nexit {code}\n")
        program.chmod(0o755)
        (tmp_path / ".azure").mkdir(exist_ok=True)
        (tmp_path / ".azure/azureProfile.json").write_text('{"subscriptions": [{"id": "1"}]}')
        azure.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        return {"HOME": str(tmp_path), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}

    return answer


def test_who_is_logged_in_with_the_command_line_asks_with_its_token(az, faulty):
    faulty.always(200, b"fine", **HEADERS)
    environ = az(
        '{"accessToken": "cli-token", "expiresOn": "2040-01-01 00:00:00.000000",'
        ' "expires_on": 2208988800, "subscription": "s", "tenant": "t", "tokenType": "Bearer"}'
    )
    assert open_(faulty, environ=environ).get("a") == b"fine"
    assert faulty.seen[-1].headers["authorization"] == "Bearer cli-token"


def test_a_login_that_is_over_says_so_and_repeats_nothing(az, faulty):
    environ = az("", code=1)
    with pytest.raises(AccessDenied, match="is denied") as caught:
        open_(faulty, environ=environ).get("a")
    assert "az login" in caught.value.hint
    assert "very-secret" not in f"{caught.value} {caught.value.hint}"
    assert faulty.seen == []


def test_without_credentials_access_is_denied_at_once(azure, tmp_path):
    environ = {"HOME": str(tmp_path), "PATH": "/nowhere"}
    with pytest.raises(AccessDenied, match="no credentials for az://container") as caught:
        open_container("az://container", {"account_name": "account"}, environ)
    assert "az login" in caught.value.hint


def test_anonymous_requests_are_not_signed(azure, faulty):
    faulty.always(200, b"fine", **HEADERS)
    azure.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    azure.setenv("AZURE_STORAGE_SAS_TOKEN", "sig=hidden")
    open_(faulty, anonymous="true").get("a")
    assert faulty.seen[-1].headers["authorization"] is None
    assert "sig" not in faulty.seen[-1].path


def test_the_environment_completes_nothing_that_was_not_asked_for(azure, faulty):
    faulty.always(200, b"fine", **HEADERS)
    azure.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
    azure.setenv("AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:9")
    azure.setenv("AZURE_SKIP_SIGNATURE", "true")
    azure.setenv("AZURE_STORAGE_TOKEN", "of-somebody-else")
    open_(faulty, account_key=KEY).get("a")
    assert faulty.seen[-1].headers["authorization"].startswith("SharedKey account:")
    assert faulty.seen[-1].path == "/container/pre/a"


def test_a_signature_goes_into_the_query(azure, faulty):
    faulty.always(200, b"fine", **HEADERS)
    for token in ("?sv=1&sig=a%3D", "sv=1&sig=a%3D"):
        open_(faulty, sas_token=token).get("a")
        assert faulty.seen[-1].path == "/container/pre/a?sv=1&sig=a%3D"


@pytest.mark.parametrize(
    ("name", "final"), [("AuthorizationPermissionMismatch", False), ("AuthenticationFailed", True)]
)
def test_a_denial_of_who_asks_is_final_and_one_of_what_is_asked_is_not(
    backend, faulty, name, final
):
    faulty.always(403, code(name))
    with pytest.raises(AccessDenied) as caught:
        backend.list("")
    assert caught.value.final is final
