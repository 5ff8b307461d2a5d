import base64
import contextlib
import socket
import ssl
import subprocess
import time
from email.utils import formatdate
from threading import Thread

import pytest

from pivot_remotes.connect import connect
from pivot_remotes.errors import (
    AccessDenied,
    BadAddress,
    Busy,
    NotFound,
    RemoteError,
    Truncated,
    Unreachable,
)
from tests.unit.remotes.servers.programs import program


def calls(backend, tmp_path):
    return [
        lambda: backend.get("a"),
        lambda: backend.get_range("a", 0, 4),
        lambda: backend.get_file("a", str(tmp_path / "landed")),
    ]


@pytest.fixture
def opened(faulty):
    def make(**options):
        return connect(f"{faulty.endpoint}/team", {"attempts": "1", **options})

    return make


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessDenied),
        (403, AccessDenied),
        (407, AccessDenied),
        (404, NotFound),
        (410, NotFound),
        (416, Truncated),
        (408, Busy),
        (429, Busy),
        (500, Busy),
        (503, Busy),
        (304, BadAddress),
        (418, RemoteError),
        (204, RemoteError),
    ],
)
def test_every_verb_translates_refusals(opened, faulty, tmp_path, status, kind):
    faulty.always(status)
    for call in calls(opened(token="very-secret"), tmp_path):
        with pytest.raises(RemoteError) as caught:
            call()
        assert type(caught.value) is kind
        assert f"{faulty.endpoint}/team" in caught.value.message
        assert "very-secret" not in f"{caught.value} {caught.value.hint}"
    assert not (tmp_path / "landed").exists()


@pytest.mark.parametrize("said", ["7", "date", "soon", ""])
def test_a_busy_server_says_when_to_come_again(opened, faulty, said):
    text = formatdate(time.time() + 8, usegmt=True) if said == "date" else said
    faulty.always(503, **{"Retry-After": text})
    with pytest.raises(Busy) as caught:
        opened().get("a")
    if said in ("soon", ""):
        assert caught.value.retry_after is None
    else:
        assert 4 < caught.value.retry_after <= 8


def test_a_body_that_breaks_off_is_unreachable_and_leaves_no_file(opened, faulty, tmp_path):
    faulty.always(200, b"half", **{"Content-Length": "8"})
    with pytest.raises(Unreachable) as caught:
        opened().get("a")
    assert "broke off" in caught.value.why
    with pytest.raises(Unreachable):
        opened().get_file("a", str(tmp_path / "landed"))
    assert not (tmp_path / "landed").exists()


def test_a_server_that_ignores_ranges_is_read_anyway(opened, faulty):
    faulty.always(200, b"0123456789")
    assert opened().get_range("a", 0, 3) == b"012"
    assert opened().get_range("a", 4, 3) == b"456"
    with pytest.raises(Truncated):
        opened().get_range("a", 9, 2)


@pytest.mark.parametrize("told", ["bytes 1-4/10", "bytes */10", ""])
def test_another_range_than_was_asked_is_not_taken(opened, faulty, told):
    faulty.always(206, b"1234", **({"Content-Range": told} if told else {}))
    with pytest.raises(RemoteError, match="another range"):
        opened().get_range("a", 0, 4)


def test_nothing_is_unpacked_on_the_way(opened, faulty):
    faulty.always(200, b"\x1f\x8b not gzip", **{"Content-Encoding": "gzip"})
    assert opened().get("a") == b"\x1f\x8b not gzip"
    assert faulty.seen[-1].headers["accept-encoding"] == "identity"


# -- credentials --------------------------------------------------------------------------------


def basic(user, password):
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def given(faulty):
    return faulty.seen[-1].headers["authorization"]


def test_user_and_password_or_a_token_are_sent(opened, faulty):
    faulty.always(200)
    opened(username="ada", password="secret").get("a")
    assert given(faulty) == basic("ada", "secret")
    opened(token="secret").get("a")
    assert given(faulty) == "Bearer secret"
    opened().get("a")
    assert given(faulty) is None


def test_the_netrc_gives_them_for_its_hosts_only(opened, faulty, isolation):
    faulty.always(200)
    netrc = isolation / ".netrc"
    netrc.write_text("default login anybody password secret\n")
    netrc.chmod(0o600)
    opened().get("a")
    assert given(faulty) is None
    netrc.write_text("machine 127.0.0.1 login ada password secret\n")
    opened().get("a")
    assert given(faulty) == basic("ada", "secret")
    opened(token="other").get("a")
    assert given(faulty) == "Bearer other"


def test_a_netrc_that_can_not_be_read_is_said_without_its_content(opened, isolation):
    (isolation / ".netrc").write_text("machine 127.0.0.1 login ada passwort secret\n")
    with pytest.raises(BadAddress, match="netrc can't be read") as caught:
        opened()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("https://", {}),
        ("https:///x", {}),
        ("https://me:hidden@host/x", {}),
        ("https://host:port/x", {}),
        ("https://host:0/x", {}),
        ("https://host/x?token=hidden", {}),
        ("https://host/x y", {}),
        ("https://host", {"username": "ada"}),
        ("https://host", {"password": "hidden"}),
        ("https://host", {"token": "hidden", "username": "ada", "password": "hidden"}),
        ("https://host", {"ca_file": "/no/such/file"}),
        ("https://host", {"verify": "false"}),
    ],
)
def test_what_can_not_be_used_is_refused(url, options):
    with pytest.raises(BadAddress) as caught:
        connect(url, options)
    assert "hidden" not in f"{caught.value} {caught.value.hint}"


# -- redirects ----------------------------------------------------------------------------------


def test_a_redirect_is_followed_and_credentials_stay_with_their_server(opened, faulty):
    elsewhere = f"http://localhost:{faulty.server_port}/other"
    faulty.answer = lambda request: (
        (302, {"Location": elsewhere}, b"") if request.path == "/team/a" else (200, {}, b"fine")
    )
    assert opened(token="secret").get("a") == b"fine"
    first, second = faulty.seen
    assert (first.path, first.headers["authorization"]) == ("/team/a", "Bearer secret")
    assert (second.path, second.headers["authorization"]) == ("/other", None)


def test_within_its_server_credentials_are_kept(opened, faulty):
    faulty.answer = lambda request: (
        (307, {"Location": "/b"}, b"") if request.path == "/team/a" else (200, {}, b"fine")
    )
    opened(token="secret").get("a")
    assert given(faulty) == "Bearer secret"


@pytest.mark.parametrize("location", ["ftp://host/x", "file:///etc/passwd", "gopher://x/"])
def test_redirects_to_other_schemes_are_refused(opened, faulty, location):
    faulty.always(302, Location=location)
    with pytest.raises(BadAddress, match="redirects"):
        opened().get("a")
    assert len(faulty.seen) == 1


def test_redirects_in_circles_end(opened, faulty):
    faulty.always(302, Location="/team/a")
    with pytest.raises(BadAddress, match="circles"):
        opened().get("a")
    assert len(faulty.seen) < 10


def test_a_folder_is_no_object(opened, faulty):
    faulty.always(301, Location="/team/a/")
    with pytest.raises(NotFound):
        opened().get("a")


# -- connections --------------------------------------------------------------------------------


def test_nobody_listens(faulty):
    dead = faulty.endpoint
    faulty.server_close()
    with pytest.raises(Unreachable, match="can't be reached"):
        connect(dead, {"attempts": "1"}).get("a")


def test_a_small_file_without_an_end_is_given_up(opened, faulty, monkeypatch):
    monkeypatch.setattr("pivot_remotes.small.LIMIT", 5)
    faulty.always(200, b"12345")
    assert opened().get("a") == b"12345"
    faulty.always(200, b"123456")
    with pytest.raises(RemoteError, match=r"a in http://.* is larger than any small file"):
        opened().get("a")


def test_silence_is_given_up_after_the_read_timeout(opened, faulty):
    faulty.answer = lambda request: (time.sleep(0.3), (200, {}, b""))[1]
    with pytest.raises(Unreachable) as caught:
        opened(read_timeout="0.05").get("a")
    assert "doesn't answer" in caught.value.why


def test_the_proxy_of_the_environment_is_asked(faulty, monkeypatch):
    faulty.always(200, b"by proxy")
    monkeypatch.setenv("http_proxy", f"http://ada:p%40ss@127.0.0.1:{faulty.server_port}")
    assert connect("http://files.example/x", {}).get("a") == b"by proxy"
    assert faulty.seen[-1].path == "http://files.example/x/a"
    assert faulty.seen[-1].headers["proxy-authorization"] == basic("ada", "p@ss")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert connect(f"{faulty.endpoint}/x", {}).get("a") == b"by proxy"
    assert faulty.seen[-1].path == "/x/a"


@pytest.fixture
def secure(faulty, tmp_path):
    """Puts TLS before the server; its URL and the file of its certificate."""
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    line = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
        " -addext subjectAltName=IP:127.0.0.1"
    )
    files = ("-keyout", key, "-out", certificate)
    command = [program("openssl"), *line.split(), *files]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    faulty.socket = context.wrap_socket(faulty.socket, server_side=True)
    faulty.handle_error = lambda *args: None  # a client that goes away is what is tested
    return f"https://127.0.0.1:{faulty.server_port}", certificate


def test_a_certificate_that_nobody_signed_is_refused(secure):
    with pytest.raises(RemoteError, match="is not trusted") as caught:
        connect(secure[0], {}).get("a")
    assert "self-signed" in caught.value.why
    assert "ca_file" in caught.value.hint


def test_certificates_of_ones_own_are_trusted_when_named(secure, faulty):
    faulty.always(200, b"fine")
    assert connect(secure[0], {"ca_file": str(secure[1])}).get("a") == b"fine"


def test_what_is_asked_for_by_https_is_not_taken_from_http(secure, faulty):
    faulty.always(302, Location=f"http://127.0.0.1:{faulty.server_port}/x")
    with pytest.raises(BadAddress, match="scheme 'http'"):
        connect(secure[0], {"ca_file": str(secure[1])}).get("a")
    assert len(faulty.seen) == 1


def test_a_part_of_a_long_object_is_not_waited_for(tmp_path):
    """The server sends what was asked for, and then nothing for as long as the client waits."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _ = listening.accept()
            with connection:
                connection.recv(10_000)
                head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"
                connection.sendall(head + bytes(2 << 20))
                with contextlib.suppress(ConnectionResetError):
                    connection.recv(1)

        thread = Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert connect(url, {"attempts": "1"}).get_range("a", 10, 100) == bytes(100)
        thread.join(10)
        assert not thread.is_alive(), "the connection is closed"


@pytest.mark.parametrize(
    ("status", "options", "final"),
    [(401, {"token": "wrong"}, True), (401, {}, False), (403, {"token": "right"}, False)],
)
def test_a_denial_is_final_where_credentials_were_refused(opened, faulty, status, options, final):
    faulty.always(status)
    with pytest.raises(AccessDenied) as caught:
        opened(**options).get("a")
    assert caught.value.final is final
