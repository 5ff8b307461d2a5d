import pytest

from pivot_remotes.backend import ObjectInfo
from pivot_remotes.errors import BadKey, NotFound, RemoteError, Truncated
from pivot_remotes.foreign import Foreign


class Careless:
    """A backend of which each method does what `does` says."""

    capabilities = "the capabilities"
    address = "careless://here"

    def __init__(self, does):
        self.does = does

    def __getattr__(self, name):
        def call(*args):
            if isinstance(self.does, Exception):
                raise self.does
            return self.does

        return call


CALLS = {
    "list": lambda b: b.list("a"),
    "get_range": lambda b: b.get_range("a", 0, 1),
    "get": lambda b: b.get("a"),
    "get_file": lambda b: b.get_file("a", "/nowhere"),
    "put": lambda b: b.put("a", b"x"),
    "put_file": lambda b: b.put_file("a", "/nowhere"),
    "delete": lambda b: b.delete("a"),
    "delete_all": lambda b: b.delete_all(["a"]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_foreign_error_leaves_and_none_is_repeated_in_words(call):
    with pytest.raises(RemoteError, match="careless://here failed") as caught:
        call(Foreign(Careless(KeyError("token=very-secret"))))
    assert caught.value.why == "KeyError"
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_errors_of_this_package_pass(call):
    with pytest.raises(NotFound, match="gone"):
        call(Foreign(Careless(NotFound("gone"))))


def test_an_interrupt_passes():
    class Interrupted(Careless):
        def get(self, key):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Foreign(Interrupted(None)).get("a")


def test_listings_hold_only_keys_below_the_prefix_in_order():
    listed = [("a/c", 1), ("a/b", 2), ("../x", 1), ("/etc/passwd", 1), ("ab", 1), ("a/d", -1)]
    found = Foreign(Careless([ObjectInfo(*row) for row in listed])).list("a/")
    assert found == [ObjectInfo("a/b", 2), ObjectInfo("a/c", 1)]


def test_ranges_have_the_length_that_was_asked_for():
    with pytest.raises(Truncated):
        Foreign(Careless(b"12")).get_range("a", 0, 3)
    with pytest.raises(RemoteError, match="more of a"):
        Foreign(Careless(b"1234")).get_range("a", 0, 3)
    assert Foreign(Careless(b"123")).get_range("a", 0, 3) == b"123"


def test_keys_are_checked_before_anything_is_asked():
    for name, call in CALLS.items():
        if name != "list":
            with pytest.raises(BadKey):
                call(_Renaming(Foreign(Careless(AssertionError("was asked")))))


class _Renaming:
    """Asks for a key that climbs out, where the calls above ask for `a`."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        def call(first, *rest):
            first = ["../a"] if isinstance(first, list) else "../a"
            return getattr(self.inner, name)(first, *rest)

        return call


def test_shows_what_is_below():
    assert Foreign(Careless(None)).capabilities == "the capabilities"
    assert Foreign(Careless(None)).address == "careless://here"
