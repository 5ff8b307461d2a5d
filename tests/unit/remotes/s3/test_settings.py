import pytest

from pivot_remotes.errors import BadAddress, BadKey
from pivot_remotes.s3.settings import AccessKeys, S3Settings

PAIR = {"AWS_ACCESS_KEY_ID": "env-id", "AWS_SECRET_ACCESS_KEY": "env-secret"}


def read(url="s3://bucket", options=None, environ=None):
    return S3Settings.read(url, options or {}, environ or {})


def test_url_gives_bucket_and_prefix():
    settings = read("s3://bucket/team/cache/")
    assert (settings.bucket, settings.prefix) == ("bucket", "team/cache")
    assert settings.address == "s3://bucket/team/cache"
    assert read("s3://bucket/").address == "s3://bucket"


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://id:secret@bucket",
        "s3://bucket?x=secret",
        "s3://b#f",
        "s3://[",
    ],
)
def test_unusable_urls_are_refused_without_repeating_them(url):
    with pytest.raises(BadAddress) as caught:
        read(url)
    assert "secret" not in f"{caught.value} {caught.value.hint}"


def test_prefixes_follow_the_rule_of_keys():
    with pytest.raises(BadKey):
        read("s3://bucket/a/../b")


def test_options_beat_the_environment():
    environ = {
        **PAIR,
        "AWS_SESSION_TOKEN": "env-token",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_S3": "https://env",
    }
    options = {
        "access_key_id": "id",
        "secret_access_key": "secret",
        "region": "us-west-2",
        "endpoint_url": "http://localhost:1",
    }
    settings = read(options=options, environ=environ)
    assert settings.keys == AccessKeys("id", "secret", None), "no token of other keys"
    assert (settings.region, settings.endpoint) == ("us-west-2", "http://localhost:1")


def test_environment_is_read_in_the_order_of_aws():
    environ = {**PAIR, "AWS_DEFAULT_REGION": "b", "AWS_ENDPOINT_URL": "https://general"}
    assert read(environ=environ).region == "b"
    assert read(environ={**environ, "AWS_REGION": "a"}).region == "a"
    assert read(environ=environ).endpoint == "https://general"
    special = {**environ, "AWS_ENDPOINT_URL_S3": "https://special/"}
    assert read(environ=special).endpoint == "https://special"
    assert read(environ={"AWS_ENDPOINT_URL": ""}).endpoint is None
    token = {**PAIR, "AWS_SESSION_TOKEN": "t"}
    assert read(environ=token).keys == AccessKeys("env-id", "env-secret", "t")


def test_a_named_profile_beats_keys_of_the_environment():
    assert read(options={"profile": "team"}, environ=PAIR).keys is None


def test_anonymous_takes_no_keys():
    settings = read(options={"anonymous": "true"}, environ=PAIR)
    assert settings.anonymous
    assert settings.keys is None


def test_path_style_is_for_other_services_and_dotted_names():
    assert not read().path_style
    assert read("s3://my.bucket").path_style
    assert read(options={"endpoint_url": "http://localhost:1"}).path_style
    assert not read(options={"endpoint_url": "http://a", "path_style": "false"}).path_style


@pytest.mark.parametrize(
    "options",
    [
        {"colour": "red"},
        {"access_key_id": "lonely"},
        {"secret_access_key": "lonely"},
        {"anonymous": "perhaps"},
        {"path_style": ""},
        {"connect_timeout": "soon"},
        {"read_timeout": "0"},
        {"read_timeout": "nan"},
        {"endpoint_url": "localhost:9000"},
        {"endpoint_url": "ftp://host"},
        {"endpoint_url": "https://"},
        {"endpoint_url": "https://id:hidden@host"},
    ],
)
def test_unusable_options_are_refused(options):
    with pytest.raises(BadAddress) as caught:
        read(options=options)
    assert "hidden" not in str(caught.value)


def test_secrets_are_not_shown():
    settings = read(environ={**PAIR, "AWS_SESSION_TOKEN": "env-token"})
    for secret in ("env-id", "env-secret", "env-token"):
        assert secret not in repr(settings)
