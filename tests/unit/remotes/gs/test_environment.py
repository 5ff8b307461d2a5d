"""What the environment of a process adds to requests: proxies, and nothing that is for others."""

import pytest

from pivot_remotes.gs.backend import open_bucket


def open_(faulty, **options):
    return open_bucket("gs://bucket/pre", {"endpoint_url": faulty.endpoint, **options}, {})


def authorizations(faulty):
    return {request.headers["authorization"] for request in faulty.seen}


@pytest.mark.parametrize("entry", ["default", "machine 127.0.0.1"])
def test_what_the_netrc_has_is_for_others(google, faulty, tmp_path, entry):
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"{entry} login ada password secret\n")
    netrc.chmod(0o600)
    google.setenv("NETRC", str(netrc))
    faulty.always(200, b"fine")
    assert open_(faulty).get("a") == b"fine"
    assert authorizations(faulty) == {None}
    faulty.seen.clear()
    assert open_(faulty, access_token="token").get("a") == b"fine"
    assert authorizations(faulty) == {"Bearer token"}


def test_the_proxy_of_the_environment_is_asked(google, faulty):
    faulty.always(200, b"by proxy")
    google.setenv("http_proxy", f"ada:p%40ss@127.0.0.1:{faulty.server_port}")
    elsewhere = {"endpoint_url": "http://storage.example"}
    assert open_bucket("gs://bucket/pre", elsewhere, {}).get("a") == b"by proxy"
    assert faulty.seen[-1].path.startswith("http://storage.example/")
    assert faulty.seen[-1].headers["proxy-authorization"].startswith("Basic ")
    google.setenv("no_proxy", "127.0.0.1")
    assert open_(faulty).get("a") == b"by proxy"
    assert faulty.seen[-1].path.startswith("/")
