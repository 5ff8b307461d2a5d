import sys

import pytest

from pivot_remotes.connect import connect, harmless_options, scheme_of, secret_options
from pivot_remotes.errors import BadAddress, Unsupported
from pivot_remotes.schemes import SCHEMES
from pivot_remotes.tracing import Trace


@pytest.mark.parametrize("form", ["{}", "file://{}", "FILE://{}", "file://localhost{}", "{}/"])
def test_a_folder_is_named_by_path_or_url(tmp_path, form):
    connect(form.format(tmp_path), {}).put("a/b", b"x")
    assert (tmp_path / "a" / "b").read_bytes() == b"x"
    assert connect(form.format(tmp_path), {}).address == str(tmp_path)


def test_file_urls_are_unquoted_and_paths_are_not(tmp_path):
    connect(f"file://{tmp_path}/a%20b", {}).put("k", b"url")
    connect(f"{tmp_path}/a%20b", {}).put("k", b"path")
    assert (tmp_path / "a b" / "k").read_bytes() == b"url"
    assert (tmp_path / "a%20b" / "k").read_bytes() == b"path"


def test_memory_is_shared_by_name():
    connect("memory://connect-one", {}).put("a", b"x")
    assert connect("memory://connect-one", {}).get("a") == b"x"
    assert connect("memory://connect-two", {}).list("") == []


@pytest.mark.parametrize("url", ["simplecache::s3://bucket", "memory::file:///tmp"])
def test_chains_are_refused(url):
    with pytest.raises(BadAddress, match="chained"):
        scheme_of(url)
    with pytest.raises(BadAddress, match="chained"):
        connect(url, {}, allowed=frozenset({"simplecache", "memory"}))


@pytest.mark.parametrize(
    ("url", "scheme"), [("S3://bucket", "s3"), ("/a/path", "file"), ("hf://x/y", "hf")]
)
def test_a_scheme_is_in_small_letters(url, scheme):
    assert scheme_of(url) == scheme


def test_the_refusal_of_an_unknown_scheme_names_what_is_known():
    with pytest.raises(BadAddress, match="'gopher'") as caught:
        connect("gopher://host/x", {}, allowed=frozenset({"hf"}))
    for known in ("s3://", "gs://", "az://", "file://"):
        assert known in caught.value.hint


@pytest.mark.parametrize(
    ("url", "meant"),
    [("gcs://bucket", "gs://"), ("abfs://container", "az://"), ("s3a://b", "s3://")],
)
def test_other_names_of_known_schemes_are_corrected(url, meant):
    with pytest.raises(BadAddress) as caught:
        connect(url, {}, allowed=frozenset({"gcs", "abfs", "s3a"}))
    assert meant in caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relative/path",
        "./here",
        "~/cache",
        "file://relative/path",
        "file://other-host/path",
        "file:///path?q=hidden",
        "file://me:hidden@host/path",
        "file:///a%00b",
    ],
)
def test_addresses_of_no_folder_are_refused(url):
    with pytest.raises(BadAddress) as caught:
        connect(url, {})
    assert "hidden" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("/x", {"region": "eu-west-1"}),
        ("memory://x", {"colour": "red"}),
        ("/x", {"attempts": "0"}),
        ("/x", {"attempts": "many"}),
        ("/x", {"attempts": "1000"}),
        ("/x", {"connections": "0"}),
        ("/x", {"limit_rate": "fast"}),
        ("/x", {"limit_rate": "0"}),
        ("/x", {"limit_rate": "10"}),
        ("/x", {"limit_rate": "-5M"}),
    ],
)
def test_options_that_mean_nothing_are_refused(url, options):
    with pytest.raises(BadAddress, match=next(iter(options))):
        connect(url, options)


def test_a_misspelt_option_names_those_of_every_remote_too():
    with pytest.raises(BadAddress) as caught:
        connect("/data", {"limitrate": "1M"})
    assert caught.value.hint == (
        "Known options are attempts, connections, limit_rate, publish, read_only"
    )


def test_s3_is_found_by_the_environment(aws, faulty):
    faulty.always(200, b"fine", ETag='"x"', **{"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"})
    aws.setenv("AWS_ENDPOINT_URL", faulty.endpoint)
    aws.setenv("AWS_ACCESS_KEY_ID", "id")
    aws.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert connect("s3://bucket/pre", {}).get("a") == b"fine"
    assert faulty.seen[-1].path == "/bucket/pre/a"


def test_the_option_attempts_bounds_the_tries(aws, faulty):
    faulty.always(503)
    options = {"anonymous": "true", "endpoint_url": faulty.endpoint, "attempts": "1"}
    trace = Trace()
    with pytest.raises(Exception, match="can't serve now"):
        connect("s3://bucket", options, trace=trace).get("a")
    assert trace.counts().requests == 1


@pytest.mark.parametrize(("missing", "options"), [("obstore", {"anonymous": "yes"}), ("boto3", {})])
def test_a_missing_extra_says_what_to_install(aws, monkeypatch, missing, options):
    for module in [name for name in sys.modules if name.startswith("pivot_remotes.s3")]:
        monkeypatch.delitem(sys.modules, module)
    for module in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(Unsupported, match=missing) as caught:
        connect("s3://bucket", options)
    assert "pip install 'pivot[s3]'" in caught.value.hint


def test_options_that_are_secrets_are_known_by_scheme():
    assert {"secret_access_key", "session_token"} <= secret_options("s3")
    assert secret_options("file") == frozenset()
    for scheme in SCHEMES:
        assert not secret_options(scheme) & harmless_options(scheme)


def test_options_that_lead_data_elsewhere_are_not_harmless():
    for scheme in SCHEMES:
        assert "attempts" in harmless_options(scheme)
        assert not harmless_options(scheme) & {"endpoint_url", "region", "profile"}
    assert "read_timeout" in harmless_options("s3")


@pytest.mark.parametrize(
    ("url", "missing", "options"),
    [
        ("gs://bucket", "gcsfs", {"anonymous": "true"}),
        ("gs://bucket", "google.auth", {"anonymous": "true"}),
        ("az://container", "obstore", {"anonymous": "true", "account_name": "account"}),
    ],
)
def test_a_missing_extra_of_another_cloud_does_too(monkeypatch, url, missing, options):
    scheme = url.partition(":")[0]
    for module in [name for name in sys.modules if name.startswith("pivot_remotes.")]:
        if module.split(".")[1].startswith((scheme, "obstore")):
            monkeypatch.delitem(sys.modules, module)
    for module in [name for name in sys.modules if name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(Unsupported, match="isn't installed") as caught:
        connect(url, options)
    assert missing in caught.value.why
    assert f"pip install 'pivot[{scheme}]'" in caught.value.hint
