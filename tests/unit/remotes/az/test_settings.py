import pytest

from pivot_remotes.az.credentials import (
    AccountKey,
    Anonymous,
    AzureCli,
    ManagedIdentity,
    SasToken,
    ServicePrincipal,
    WorkloadIdentity,
)
from pivot_remotes.az.settings import AzSettings
from pivot_remotes.errors import BadAddress, BadKey

KEY = "c2VjcmV0LWtleQ=="
OTHER = "b3RoZXIta2V5"
STRING = f"DefaultEndpointsProtocol=https;AccountName=fromstring;AccountKey={KEY};"
PRINCIPAL = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s3cr3t"}


def read(url="az://container", options=None, environ=None):
    return AzSettings.read(url, {"account_name": "account"} | (options or {}), environ or {})


def bare(options=None, environ=None):
    return AzSettings.read("az://container", options or {}, environ or {})


def test_url_gives_container_and_prefix():
    settings = read("az://container/team/cache/")
    assert (settings.container, settings.prefix) == ("container", "team/cache")
    assert settings.address == "az://container/team/cache"
    assert read("az://container/").address == "az://container"
    assert settings.endpoint == "https://account.blob.core.windows.net"


@pytest.mark.parametrize(
    "url",
    [
        "az://",
        "az:///prefix",
        "az://id:s3cr3t@container",
        "az://container@account",
        "az://container?sig=s3cr3t",
        "az://Container",
        "az://ab",
        "az://a--b",
        "az://-ab",
        "az://a.b",
        "az://" + "a" * 64,
    ],
)
def test_unusable_urls_are_refused(url):
    with pytest.raises(BadAddress) as caught:
        read(url)
    assert "s3cr3t" not in f"{caught.value} {caught.value.hint}"
    assert "az://" in caught.value.hint


def test_prefixes_follow_the_rule_of_keys():
    with pytest.raises(BadKey):
        read("az://container/a/../b")


@pytest.mark.parametrize(
    ("options", "credential"),
    [
        ({"account_key": KEY}, AccountKey(KEY)),
        ({"sas_token": "sv=1&sig=x"}, SasToken("sv=1&sig=x")),
        ({"anonymous": "true"}, Anonymous()),
        (
            {"tenant_id": "t", "client_id": "c", "client_secret": "s"},
            ServicePrincipal("t", "c", "s"),
        ),
        ({"credential": "azure_cli"}, AzureCli()),
        ({"credential": "managed_identity"}, ManagedIdentity(None)),
        ({"credential": "managed_identity", "client_id": "c"}, ManagedIdentity("c")),
    ],
)
def test_options_give_every_kind_of_credential_and_beat_the_environment(options, credential):
    environ = {"AZURE_STORAGE_KEY": OTHER, **PRINCIPAL}
    assert read(options=options, environ=environ).credential == credential


@pytest.mark.parametrize(
    ("environ", "credential"),
    [
        ({"AZURE_STORAGE_KEY": KEY}, AccountKey(KEY)),
        ({"AZURE_STORAGE_ACCOUNT_KEY": KEY}, AccountKey(KEY)),
        ({"AZURE_STORAGE_ACCESS_KEY": KEY}, AccountKey(KEY)),
        ({"AZURE_STORAGE_SAS_TOKEN": "sig=x"}, SasToken("sig=x")),
        (PRINCIPAL, ServicePrincipal("t", "c", "s3cr3t")),
        (
            {
                "AZURE_TENANT_ID": "t",
                "AZURE_CLIENT_ID": "c",
                "AZURE_FEDERATED_TOKEN_FILE": "/var/token",
            },
            WorkloadIdentity("t", "c", "/var/token"),
        ),
        ({"AZURE_CLIENT_ID": "c"}, None),
        ({"AZURE_STORAGE_KEY": ""}, None),
        ({}, None),
    ],
)
def test_the_environment_gives_every_kind_of_credential(environ, credential):
    assert read(environ=environ).credential == credential


def test_what_belongs_to_the_account_beats_whoever_is_logged_in():
    environ = {"AZURE_STORAGE_SAS_TOKEN": "sig=x", **PRINCIPAL}
    assert read(environ=environ).credential == SasToken("sig=x")


def test_a_connection_string_gives_account_endpoint_and_key():
    for settings in (
        bare({"connection_string": STRING}),
        bare(environ={"AZURE_STORAGE_CONNECTION_STRING": STRING}),
    ):
        assert settings.account == "fromstring"
        assert settings.endpoint == "https://fromstring.blob.core.windows.net"
        assert settings.credential == AccountKey(KEY)


@pytest.mark.parametrize(
    ("text", "account", "endpoint", "credential"),
    [
        (
            "UseDevelopmentStorage=true",
            "devstoreaccount1",
            "http://127.0.0.1:10000/devstoreaccount1",
            AccountKey,
        ),
        (
            "BlobEndpoint=https://named.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=a%3D",
            "named",
            "https://named.blob.core.windows.net",
            SasToken,
        ),
        (
            f"AccountName=named;AccountKey={KEY};EndpointSuffix=core.chinacloudapi.cn",
            "named",
            "https://named.blob.core.chinacloudapi.cn",
            AccountKey,
        ),
    ],
)
def test_connection_strings_of_all_forms_are_read(text, account, endpoint, credential):
    settings = bare({"connection_string": text})
    assert (settings.account, settings.endpoint) == (account, endpoint)
    assert type(settings.credential) is credential


@pytest.mark.parametrize("text", ["s3cr3t", "AccountKey=s3cr3t", f"AccountName=;AccountKey={KEY}"])
def test_connection_strings_that_cannot_be_read_are_not_repeated(text):
    with pytest.raises(BadAddress, match="connection_string") as caught:
        bare({"connection_string": text})
    assert "s3cr3t" not in f"{caught.value} {caught.value.hint}"


def test_an_account_comes_from_the_first_that_names_one():
    environ = {"AZURE_STORAGE_ACCOUNT": "one", "AZURE_STORAGE_ACCOUNT_NAME": "two"}
    assert bare(environ=environ).account == "one"
    assert bare(environ={"AZURE_STORAGE_ACCOUNT_NAME": "two"}).account == "two"
    assert bare({"account_name": "zero"}, environ).account == "zero"
    string = {"AZURE_STORAGE_CONNECTION_STRING": STRING}
    assert bare(environ=string | environ).account == "one"


def test_without_an_account_the_option_is_named():
    with pytest.raises(BadAddress, match="no storage account") as caught:
        bare()
    assert "account_name" in caught.value.hint


@pytest.mark.parametrize(
    "environ",
    [
        {"AZURE_STORAGE_ACCOUNT": "another", "AZURE_STORAGE_KEY": OTHER},
        {"AZURE_STORAGE_ACCOUNT_NAME": "another", "AZURE_STORAGE_SAS_TOKEN": "sig=x"},
        {"AZURE_STORAGE_CONNECTION_STRING": STRING},
    ],
)
def test_what_the_environment_gives_for_another_account_is_not_sent(environ):
    settings = read(environ=environ)
    assert settings.credential is None
    assert settings.endpoint == "https://account.blob.core.windows.net"


def test_an_endpoint_is_another_place_for_the_same_account():
    settings = read(options={"endpoint_url": "http://127.0.0.1:1/account/", "account_key": KEY})
    assert settings.endpoint == "http://127.0.0.1:1/account"
    assert settings.account == "account"


@pytest.mark.parametrize(
    "options",
    [
        {"colour": "red"},
        {"account_name": "Not.An.Account"},
        {"account_name": "evil.example/"},
        {"account_key": "hidden, no base64"},
        {"client_secret": "hidden"},
        {"client_secret": "hidden", "client_id": "c"},
        {"credential": "guess"},
        {"anonymous": "perhaps"},
        {"endpoint_url": "localhost:1"},
        {"endpoint_url": "ftp://host"},
        {"endpoint_url": "https://id:hidden@host"},
        {"connection_string": STRING},  # of another account than `account_name`
        {"connect_timeout": "soon"},
        {"read_timeout": "0"},
    ],
)
def test_unusable_options_are_refused(options):
    with pytest.raises(BadAddress) as caught:
        read(options=options)
    assert "hidden" not in f"{caught.value} {caught.value.why} {caught.value.hint}"
    assert KEY not in str(caught.value)


def test_secrets_are_not_shown():
    shown = [
        repr(read(options=options))
        for options in (
            {"account_key": KEY},
            {"sas_token": "sig=hidden"},
            {"tenant_id": "t", "client_id": "c", "client_secret": "hidden"},
        )
    ]
    assert not any(KEY in text or "hidden" in text for text in shown)
