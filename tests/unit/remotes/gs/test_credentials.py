import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pivot_remotes.errors import AccessDenied, BadAddress, Unreachable
from pivot_remotes.gs.backend import open_bucket

SERVICE = {"client_email": "robot@project.iam.gserviceaccount.com", "project_id": "project"}


@pytest.fixture(scope="session")
def private_key() -> str:
    """A key as Google gives one to a service account."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(*pem, serialization.NoEncryption()).decode()


@pytest.fixture
def key_file(faulty, tmp_path, private_key):
    """A service account's key, whose login service is `faulty`."""
    info = {"type": "service_account", "private_key": private_key, "private_key_id": "1", **SERVICE}
    path = tmp_path / "key.json"
    path.write_text(json.dumps({**info, "token_uri": f"{faulty.endpoint}/token"}))
    return path


def login(faulty, status=200, **body):
    def answer(request):
        if request.path == "/token":
            return status, {"Content-Type": "application/json"}, json.dumps(body).encode()
        return 200, {}, b"fine"

    faulty.answer = answer


def open_(faulty, **options):
    return open_bucket("gs://bucket", {"endpoint_url": faulty.endpoint, **options}, {})


def test_a_service_account_asks_with_a_token(google, faulty, key_file):
    login(faulty, access_token="the-token", expires_in=3600)
    backend = open_(faulty, credentials=str(key_file))
    assert backend.get("a") == backend.get("b") == b"fine"
    asked, got, again = faulty.seen
    assert asked.path == "/token"
    assert got.headers["authorization"] == again.headers["authorization"] == "Bearer the-token"


def test_a_refused_login_is_a_denial(google, faulty, key_file):
    login(faulty, 400, error="invalid_grant", error_description="Invalid JWT Signature.")
    with pytest.raises(AccessDenied, match="gs://bucket") as caught:
        open_(faulty, credentials=str(key_file)).get("a")
    assert "gcloud auth application-default login" in caught.value.hint


def test_a_login_service_that_is_gone_is_no_denial(google, faulty, key_file):
    info = json.loads(key_file.read_text())
    key_file.write_text(json.dumps({**info, "token_uri": "http://127.0.0.1:9/token"}))
    with pytest.raises(Unreachable, match="can't be reached") as caught:
        open_(faulty, credentials=str(key_file)).get("a")
    assert "login" in caught.value.why


def test_the_environment_names_a_file_too(google, faulty, key_file):
    google.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file))
    backend = open_bucket("gs://bucket", {}, {})  # Google's own place: nothing is asked of it
    assert backend._fs.credentials.credentials.service_account_email == SERVICE["client_email"]


def test_an_access_token_is_sent_as_it_is(google, faulty):
    login(faulty)
    open_(faulty, access_token="ya29.given").get("a")
    assert faulty.seen[-1].headers["authorization"] == "Bearer ya29.given"


def test_an_access_token_that_expired_is_a_denial(google, faulty):
    body = {
        "error": {
            "code": 401,
            "message": "Invalid Credentials",
            "errors": [{"reason": "authError"}],
        }
    }
    faulty.always(401, json.dumps(body).encode())
    with pytest.raises(AccessDenied, match="is denied") as caught:
        open_(faulty, access_token="ya29.given").get("a")
    assert "expired" in caught.value.why
    assert len(faulty.seen) == 1, "it isn't tried again"
    assert "ya29" not in f"{caught.value} {caught.value.hint}"


def test_anonymous_requests_carry_no_token(google, faulty):
    login(faulty)
    open_(faulty, anonymous="true").get("a")
    assert faulty.seen[-1].headers["authorization"] is None


def test_without_credentials_access_is_denied_at_once(google):
    with pytest.raises(AccessDenied, match="no credentials for gs://bucket") as caught:
        open_bucket("gs://bucket", {}, {})
    assert "gcloud auth application-default login" in caught.value.hint


def test_a_file_of_the_environment_that_is_missing_is_named(google, tmp_path):
    google.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(AccessDenied) as caught:
        open_bucket("gs://bucket", {}, {})
    assert "absent.json" in caught.value.why


@pytest.mark.parametrize(
    "text",
    [
        None,
        "very-secret, no JSON",
        "[]",
        '{"type": "service_account", "private_key": "very-secret"}',
        '{"type": "external_account", "credential_source": {"executable": {"command": "touch x"}}}',
    ],
)
def test_files_that_cannot_be_used_are_refused_and_not_repeated(google, tmp_path, text):
    path = tmp_path / "key.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadAddress, match="credentials /") as caught:
        open_bucket("gs://bucket", {"credentials": str(path)}, {})
    assert "very-secret" not in f"{caught.value} {caught.value.hint}"


def test_nothing_of_gcsfs_is_imported_before_a_bucket_is_opened():
    program = (
        "import sys; import pivot_remotes.connect\n"
        "print([name for name in ('gcsfs', 'google', 'aiohttp', 'fsspec', 'obstore')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
