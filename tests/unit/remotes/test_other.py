"""File systems of fsspec that Pivot doesn't know, of which the user has allowed some."""

import uuid
from typing import ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry

from pivot_remotes.connect import connect
from pivot_remotes.errors import BadAddress, BadKey, RemoteError, Unsupported
from pivot_remotes.testing import BackendConformance

ALLOWED = frozenset({"attic", "hf", "local", "zip", "reference"})


class Attic(MemoryFileSystem):
    """A file system of somebody else's, which takes options and can be broken."""

    protocol = "attic"
    store: ClassVar = {}
    pseudo_dirs: ClassVar = [""]
    made: ClassVar = []

    def __init__(self, *, key=None, depth=None, dusty=None, **options):
        if key == "very-secret":
            raise ValueError(f"bad key {key}")
        self.made.append({"key": key, "depth": depth, "dusty": dusty, **options})
        super().__init__(**options)

    def cat_file(self, path, start=None, end=None, **options):
        if path.endswith("broken"):
            raise RuntimeError("token=very-secret")
        return super().cat_file(path, start, end, **options)


@pytest.fixture
def attic():
    fsspec.register_implementation("attic", Attic)
    Attic.made.clear()
    yield Attic
    _registry.pop("attic")
    Attic.store.clear()


class TestOther(BackendConformance):
    @pytest.fixture
    def backend(self, attic):
        return connect(f"attic://box/{uuid.uuid4()}", {"attempts": "1"}, allowed=ALLOWED)


class TestOtherThatIsInstalled(BackendConformance):
    @pytest.fixture
    def backend(self, tmp_path):
        return connect(f"local://{tmp_path}/remote", {}, allowed=ALLOWED)


def test_only_what_the_user_allowed_is_opened(attic):
    with pytest.raises(BadAddress, match="'attic' were not allowed") as caught:
        connect("attic://box", {}, allowed=frozenset({"hf"}))
    assert "remote.schemes" in caught.value.why
    assert attic.made == []


def test_options_go_to_the_file_system_and_listings_are_not_kept(attic):
    options = {"key": "abc", "depth": "3", "dusty": "false", "attempts": "2"}
    connect("attic://box", options, allowed=ALLOWED)
    (made,) = attic.made
    assert (made["key"], made["depth"], made["dusty"]) == ("abc", 3, False)
    assert made["use_listings_cache"] is False
    assert "attempts" not in made


def test_what_is_not_installed_says_so():
    with pytest.raises(Unsupported, match="hf storage needs a package") as caught:
        connect("hf://datasets/me/data", {}, allowed=ALLOWED)
    assert "huggingface_hub" in caught.value.why


@pytest.mark.parametrize("scheme", ["zip", "reference"])
def test_those_over_another_file_system_stay_refused(scheme, tmp_path):
    with pytest.raises(BadAddress, match="not supported"):
        connect(f"{scheme}://x", {"fo": "file:///etc"}, allowed=ALLOWED)


def test_unknown_to_fsspec_even_if_allowed():
    with pytest.raises(BadAddress, match="gopher"):
        connect("gopher://x", {}, allowed=frozenset({"gopher"}))


def test_options_that_it_refuses_are_not_repeated(attic):
    with pytest.raises(BadAddress, match="attic storage can't be opened") as caught:
        connect("attic://box", {"key": "very-secret"}, allowed=ALLOWED)
    assert "very-secret" not in f"{caught.value} {caught.value.hint}"


def test_whatever_it_raises_is_an_error_of_this_package(attic):
    backend = connect("attic://box", {}, allowed=ALLOWED)
    with pytest.raises(RemoteError) as caught:
        backend.get("broken")
    assert caught.value.why == "RuntimeError"
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["attic://me:very-secret@box/x", "attic://box/x?key=very-secret"])
def test_credentials_in_urls_are_refused(attic, url):
    with pytest.raises(BadAddress) as caught:
        connect(url, {}, allowed=ALLOWED)
    assert "very-secret" not in f"{caught.value} {caught.value.hint}"


def test_folders_follow_the_rule_of_keys(attic):
    with pytest.raises(BadKey):
        connect("attic://box/../x", {}, allowed=ALLOWED)
