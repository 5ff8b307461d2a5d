import pytest

from pivot_remotes.errors import BadAddress, BadKey
from pivot_remotes.gs.settings import AccessToken, Anonymous, CredentialsFile, GsSettings


def read(url="gs://bucket", options=None, environ=None):
    return GsSettings.read(url, options or {}, environ or {})


def test_url_gives_bucket_and_prefix():
    settings = read("gs://bucket/team/cache/")
    assert (settings.bucket, settings.prefix) == ("bucket", "team/cache")
    assert settings.address == "gs://bucket/team/cache"
    assert read("gs://my-bucket.example.com/").address == "gs://my-bucket.example.com"


@pytest.mark.parametrize(
    "url",
    [
        "gs://",
        "gs:///prefix",
        "gs://id:s3cr3t@bucket",
        "gs://bucket?x=s3cr3t",
        "gs://b#f",
        "gs://[",
        "gs://Bucket",
        "gs://ab",
        "gs://-bucket",
    ],
)
def test_unusable_urls_are_refused(url):
    with pytest.raises(BadAddress) as caught:
        read(url)
    assert "s3cr3t" not in f"{caught.value} {caught.value.hint}"


def test_prefixes_follow_the_rule_of_keys():
    with pytest.raises(BadKey):
        read("gs://bucket/a/../b")


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("http://localhost:9023", "http://localhost:9023"),
        ("localhost:9023", "http://localhost:9023"),
        ("https://storage.example/", "https://storage.example"),
        ("", None),
    ],
)
def test_an_emulator_is_named_by_the_environment(given, endpoint):
    assert read(environ={"STORAGE_EMULATOR_HOST": given}).endpoint == endpoint


def test_the_option_beats_the_environment():
    options = {"endpoint_url": "https://private.example"}
    settings = read(options=options, environ={"STORAGE_EMULATOR_HOST": "localhost:1"})
    assert settings.endpoint == "https://private.example"


def test_no_token_of_google_goes_to_an_emulator():
    assert read(environ={"STORAGE_EMULATOR_HOST": "localhost:1"}).credential == Anonymous()
    assert read(options={"endpoint_url": "http://localhost:1"}).credential == Anonymous()
    assert read(options={"endpoint_url": "https://private.example"}).credential is None
    assert read().credential is None


@pytest.mark.parametrize(
    ("options", "credential"),
    [
        ({"anonymous": "true"}, Anonymous()),
        ({"access_token": "ya29"}, AccessToken("ya29")),
        ({"credentials": "/etc/key.json"}, CredentialsFile("/etc/key.json")),
        ({"anonymous": "true", "access_token": "ya29"}, Anonymous()),
    ],
)
def test_options_say_who_asks(options, credential):
    assert read(options=options).credential == credential


def test_credentials_may_lie_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    found = read(options={"credentials": "~/key.json"}).credential
    assert found == CredentialsFile("/home/ada/key.json")


@pytest.mark.parametrize(
    "options",
    [
        {"colour": "red"},
        {"anonymous": "perhaps"},
        {"credentials": "key.json"},
        {"credentials": "/key.json", "access_token": "hidden"},
        {"endpoint_url": "localhost:9023"},
        {"endpoint_url": "https://id:hidden@host"},
        {"connect_timeout": "soon"},
        {"read_timeout": "0"},
    ],
)
def test_unusable_options_are_refused(options):
    with pytest.raises(BadAddress) as caught:
        read(options=options)
    assert "hidden" not in f"{caught.value} {caught.value.hint}"


def test_secrets_are_not_shown():
    assert "hidden" not in repr(read(options={"access_token": "hidden"}))
