"""Which remote is meant, where it is, and whether it may be used."""

import pytest

from pivot.config import Config
from pivot.errors import DeniedError, UsageError
from pivot.project.confirmed import address_digest, confirm, confirmed_file
from pivot.project.remotes import (
    absolute_url,
    allow,
    choose,
    index_cache,
    is_confirmed_here,
    is_read_only,
    open_remote,
    secrets_of,
    shown_url,
)
from pivot.settings import Source
from pivot_remotes.schemes import SCHEMES


def configured(source=Source.PROJECT, default=None, **urls):
    values = {f"remotes.{name}.url": url for name, url in urls.items()}
    if default:
        values["remote.default"] = default
    return Config({source: values})


@pytest.fixture
def own(tmp_path):
    """An environment in which nothing was confirmed yet."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_named_one_wins_over_the_default_and_that_over_the_others():
    config = configured(default="b", a="/a", b="/b", c="/c")
    assert choose(config, {}, None).name == "b"
    assert choose(config, {}, "c").url == "/c"


def test_only_one_needs_no_name():
    assert choose(configured(a="/a"), {}, None).url == "/a"
    assert choose(Config({}), {"PIVOT_REMOTE_CI_URL": "/ci"}, None).url == "/ci"


@pytest.mark.parametrize("name", ["team-cache", "team_cache", "Team_Cache"])
def test_variable_gives_the_address_of_a_remote_however_it_is_spelt(name):
    environ = {"PIVOT_REMOTE_TEAM_CACHE_URL": "/mine"}
    found = choose(configured(**{name: "/theirs"}), environ, None)
    assert (found.name, found.url) == (name, "/mine")


@pytest.mark.parametrize(
    ("config", "name", "said", "hint"),
    [
        (Config({}), None, "this project has no remote", "`pivot remote add"),
        (configured(a="/a", b="/b"), None, "no remote was named", "`pivot remote default"),
        (configured(storage="/a"), "storge", "no remote 'storge'", "Did you mean 'storage'?"),
        (configured(storage="/a"), "x", "no remote 'x'", "`pivot remote list`"),
        (configured(default="gone", a="/a"), None, "no remote 'gone'", "`pivot remote list`"),
    ],
)
def test_what_names_no_remote_is_an_error_with_a_remedy(config, name, said, hint):
    with pytest.raises(UsageError, match=said) as caught:
        choose(config, {}, name)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("../shared", "/home/ada/shared"),
        (".", "/home/ada/project"),
        ("/data/./x/", "/data/x"),
        ("s3://bucket/../x", "s3://bucket/../x"),
        ("a::b", "a::b"),
    ],
)
def test_paths_start_at_the_root_and_urls_stay(url, expected):
    assert absolute_url(url, "/home/ada/project") == expected


def test_home_is_the_readers(isolation):
    assert absolute_url("~/shared", "/work") == str(isolation / "shared")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://AKID:s3cret@bucket/x", "s3://***@bucket/x"),
        ("s3://AKID:s3c/ret@bucket/x", "s3://***@bucket/x"),
        ("s3://s3cret@bucket", "s3://***@bucket"),
        ("s3://bucket/x?token=s3cret", "s3://bucket/x?***"),
        ("s3://bucket/x#s3cret", "s3://bucket/x#***"),
        ("s3://bucket/team@home", "s3://bucket/team@home"),
        ("/data/a@b?c", "/data/a@b?c"),
    ],
)
def test_what_could_be_a_credential_is_not_shown(url, expected):
    assert shown_url(url, "/work") == expected


def test_address_of_the_repository_needs_one_confirmation(own):
    remote = choose(configured(a="s3://data"), own, None)
    with pytest.raises(DeniedError, match=r"remote 'a' \(s3://data\) was not confirmed") as caught:
        allow(remote, "/work", own, yes=False)
    assert "PIVOT_REMOTE_A_URL" in caught.value.hint
    allow(remote, "/work", own, yes=True)
    allow(remote, "/work", own, yes=False)
    other = choose(configured(a="s3://elsewhere"), own, None)
    with pytest.raises(DeniedError):
        allow(other, "/work", own, yes=False)


@pytest.mark.parametrize("source", [Source.LOCAL, Source.USER])
def test_ones_own_address_needs_none(own, source):
    allow(choose(configured(source, a="s3://data"), own, None), "/work", own, yes=False)


def test_address_of_the_environment_needs_none(own):
    own["PIVOT_REMOTE_A_URL"] = "s3://mine"
    remote = choose(configured(a="s3://data"), own, None)
    assert remote.url == "s3://mine"
    allow(remote, "/work", own, yes=False)


def test_endpoint_of_the_repository_counts_and_is_shown(own):
    shared = {"remotes.a.url": "s3://data", "remotes.a.endpoint_url": "https://u:p@evil"}
    config = Config({Source.LOCAL: {"remotes.a.url": "s3://mine"}, Source.PROJECT: shared})
    remote = choose(config, own, None)
    with pytest.raises(DeniedError, match=r"\(s3://mine at https://\*\*\*@evil\)"):
        allow(remote, "/work", own, yes=False)


def test_another_endpoint_is_confirmed_anew(own):
    def shared(endpoint):
        values = {"remotes.a.url": "s3://data", "remotes.a.endpoint_url": endpoint}
        return choose(Config({Source.PROJECT: values}), own, None)

    allow(shared("https://one"), "/work", own, yes=True)
    allow(shared("https://one"), "/work", own, yes=False)
    with pytest.raises(DeniedError, match=r"\(s3://data at https://two\)"):
        allow(shared("https://two"), "/work", own, yes=False)


@pytest.mark.parametrize("option", ["region", "profile", "sse_kms_key_id", "access_key_id"])
def test_option_of_the_repository_that_could_lead_elsewhere_is_confirmed_with_its_value(
    own, option
):
    def shared(value):
        values = {"remotes.a.url": "s3://data", f"remotes.a.{option}": value}
        return choose(Config({Source.PROJECT: values}), own, None)

    allow(choose(configured(a="s3://data"), own, None), "/work", own, yes=True)
    with pytest.raises(DeniedError, match=rf"\(s3://data with {option} ") as caught:
        allow(shared("one"), "/work", own, yes=False)
    assert ("one" in caught.value.message) == (option != "access_key_id"), "secrets aren't shown"
    assert not is_confirmed_here(shared("one"), "/work", own)
    allow(shared("one"), "/work", own, yes=True)
    allow(shared("one"), "/work", own, yes=False)
    assert is_confirmed_here(shared("one"), "/work", own)
    with pytest.raises(DeniedError):
        allow(shared("two"), "/work", own, yes=False)


def test_ones_own_address_with_an_option_of_the_repository_names_the_variable(own):
    shared = {"remotes.a.url": "s3://data", "remotes.a.region": "there"}
    own["PIVOT_REMOTE_A_URL"] = "s3://mine"
    with pytest.raises(DeniedError) as caught:
        allow(choose(Config({Source.PROJECT: shared}), own, None), "/work", own, yes=False)
    assert caught.value.hint.endswith("in CI set PIVOT_REMOTE_A_REGION")
    own["PIVOT_REMOTE_A_REGION"] = "here"
    allow(choose(Config({Source.PROJECT: shared}), own, None), "/work", own, yes=False)


def test_variable_lets_one_push_to_what_others_only_read(own):
    shared = {"remotes.a.url": "s3://data", "remotes.a.read_only": True}
    assert is_read_only(choose(Config({Source.PROJECT: shared}), own, None))
    own["PIVOT_REMOTE_A_READ_ONLY"] = "false"
    assert not is_read_only(choose(Config({Source.PROJECT: shared}), own, None))


@pytest.mark.parametrize("option", ["read_timeout", "attempts", "publish", "read_only"])
def test_harmless_option_of_the_repository_needs_no_other_confirmation(own, option):
    """What was confirmed before there were further options stays so."""
    confirm(confirmed_file(own), address_digest("s3://data", None))
    shared = {"remotes.a.url": "s3://data", f"remotes.a.{option}": "1"}
    allow(choose(Config({Source.PROJECT: shared}), own, None), "/work", own, yes=False)


def test_ones_own_options_need_no_confirmation(own):
    layers = {
        Source.PROJECT: {"remotes.a.url": "s3://data"},
        Source.LOCAL: {"remotes.a.region": "x", "remotes.a.profile": "me"},
    }
    allow(choose(configured(a="s3://data"), own, None), "/work", own, yes=True)
    allow(choose(Config(layers), own, None), "/work", own, yes=False)


def test_what_is_to_be_trusted_cannot_write_over_itself(own):
    remote = choose(configured(a="s3://evil\r\x1b[2Ks3://data"), own, None)
    with pytest.raises(DeniedError) as caught:
        allow(remote, "/work", own, yes=False)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("url", "expected"),
    [("s3://b", {"secret_access_key"}), ("hf://b", {"secret_access_key", "region"}), ("/b", set())],
)
def test_options_of_unknown_storage_may_all_be_secret(url, expected):
    assert secrets_of(url, ["secret_access_key", "region", "attempts"]) == expected


def test_relative_address_is_confirmed_for_the_place_that_it_means(own):
    remote = choose(configured(a="../shared"), own, None)
    allow(remote, "/home/ada/one", own, yes=True)
    allow(remote, "/home/ada/two", own, yes=False)
    with pytest.raises(DeniedError):
        allow(remote, "/home/three", own, yes=False)


def test_copies_of_what_is_listed_belong_to_one_address():
    def place(url, **options):
        values = {"remotes.a.url": url, **{f"remotes.a.{k}": v for k, v in options.items()}}
        remote = choose(Config({Source.LOCAL: values}), {}, None)
        return index_cache(remote, "/home/ada/p", "/cache")

    there = place("s3://a")
    assert there.startswith("/cache/remotes/")
    assert there == place("s3://a", read_timeout="5", secret_access_key="x", access_key_id="y")
    others = [
        place("s3://b"),
        place("s3://a", endpoint_url="https://x"),
        place("s3://a", region="x"),
    ]
    assert len({there, *others}) == 4
    assert place("../b") == place("/home/ada/b")


def test_opening_asks_nothing(tmp_path):
    remote = choose(configured(a="../absent"), {}, None)
    store = open_remote(remote, str(tmp_path / "p"), str(tmp_path / "cache"))
    assert store.address == str(tmp_path / "absent")
    assert store.requests == 0
    assert list(tmp_path.iterdir()) == []


def test_opening_what_holds_credentials_does_not_repeat_them(tmp_path):
    remote = choose(configured(a="s3://AKID:s3c/ret@bucket"), {}, None)
    with pytest.raises(UsageError, match="credentials") as caught:
        open_remote(remote, str(tmp_path), str(tmp_path / "cache"))
    assert "s3c" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_no_secret_of_a_scheme_is_harmless_or_shared(own, scheme):
    """What the storages declare fits together, so that no secret is taken for a small matter."""
    declared = SCHEMES[scheme]
    assert not declared.secrets & declared.harmless
    names = {*declared.secrets, *declared.harmless, "attempts", "read_only"}
    assert secrets_of(f"{scheme}://x", names) == declared.secrets
    for secret in declared.secrets:
        shared = {"remotes.a.url": f"{scheme}://x", f"remotes.a.{secret}": "s3cr3t"}
        remote = choose(Config({Source.PROJECT: shared}), own, None)
        confirm(confirmed_file(own), address_digest(f"{scheme}://x", None))
        with pytest.raises(DeniedError) as caught:
            allow(remote, "/work", own, yes=False)
        assert "s3cr3t" not in str(caught.value)
