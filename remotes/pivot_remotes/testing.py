"""The conformance suite: what every backend must do, written once.

A backend's own test is its setup:

    class TestMine(BackendConformance):
        @pytest.fixture
        def backend(self) -> Backend:
            return MyBackend(...)  # over an empty storage

Call `pytest.register_assert_rewrite("pivot_remotes.testing")` in a `conftest.py` to see values in
failures.
"""

# ruff: noqa: S101 - a suite for pytest speaks in assertions

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pivot_remotes.backend import Backend, ObjectInfo
from pivot_remotes.errors import BadKey, NotFound, Overlong, RemoteError, Truncated, Unsupported

type Place = Callable[[str, bytes], object]

LARGE = 20 << 20
ODD_KEYS = (
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "a/.",
    "a b",
    "a\\b",
    "a\nb",
    "a\n",
    "a\0b",
    "ä",
    "a%2Fb",
    "a?b",
    "a" * 256,
    "a/" * 512 + "a",
    ".pivot-tmp-0",
    "a/.pivot-tmp-0",
)


class ReadingConformance:
    """What reading must do. Inherit, and give fixtures `backend` and `place`.

    `place(key, data)` puts an object into the backend's storage, in whatever way that takes.
    """

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError("a subclass gives the backend")

    @pytest.fixture
    def place(self, backend: Backend) -> Place:
        raise NotImplementedError("a subclass gives what places an object")

    def test_gives_back_what_was_put(self, backend: Backend, place: Place) -> None:
        data = bytes(range(256)) * 4
        place("a/b.bin", data)
        assert backend.get("a/b.bin") == data
        assert type(backend.get("a/b.bin")) is bytes

    def test_an_object_is_no_folder(self, backend: Backend, place: Place) -> None:
        place("a/b", b"1")
        with pytest.raises(NotFound):
            backend.get("a")

    def test_reads_exact_ranges(self, backend: Backend, place: Place) -> None:
        place("digits", b"0123456789")
        assert backend.get_range("digits", 0, 10) == b"0123456789"
        assert backend.get_range("digits", 0, 1) == b"0"
        assert backend.get_range("digits", 3, 4) == b"3456"
        assert backend.get_range("digits", 9, 1) == b"9"
        assert backend.get_range("digits", 4, 0) == b""

    @pytest.mark.parametrize(("start", "length"), [(0, 11), (9, 2), (10, 1), (100, 5)])
    def test_a_range_past_the_end_is_an_error(
        self, backend: Backend, place: Place, start: int, length: int
    ) -> None:
        place("digits", b"0123456789")
        with pytest.raises(Truncated, match="digits"):
            backend.get_range("digits", start, length)

    def test_absent_objects_are_not_found(self, backend: Backend, tmp_path: Path) -> None:
        landed = tmp_path / "landed"
        with pytest.raises(NotFound, match="no/such"):
            backend.get("no/such")
        with pytest.raises(NotFound, match="no/such"):
            backend.get_range("no/such", 0, 1)
        with pytest.raises(NotFound, match="no/such"):
            backend.get_file("no/such", str(landed))
        assert not landed.exists()

    def test_never_overwrites_a_local_file(
        self, backend: Backend, place: Place, tmp_path: Path
    ) -> None:
        place("a", b"new")
        mine = tmp_path / "mine"
        mine.write_bytes(b"mine")
        with pytest.raises(RemoteError, match="mine"):
            backend.get_file("a", str(mine))
        assert mine.read_bytes() == b"mine"

    def test_leaves_nothing_of_an_object_larger_than_its_file_may_be(
        self, backend: Backend, place: Place, tmp_path: Path
    ) -> None:
        place("digits", b"0123456789")
        for limit in (0, 9):
            with pytest.raises(Overlong, match=f"{limit} bytes"):
                backend.get_file("digits", str(tmp_path / "landed"), limit)
            assert not (tmp_path / "landed").exists()
        backend.get_file("digits", str(tmp_path / "landed"), 10)
        assert (tmp_path / "landed").read_bytes() == b"0123456789"

    def test_address_names_the_storage(self, backend: Backend) -> None:
        with pytest.raises(NotFound) as caught:
            backend.get("absent")
        assert backend.address
        assert backend.address in str(caught.value)

    def test_streams_large_objects_into_files(
        self, backend: Backend, place: Place, tmp_path: Path
    ) -> None:
        data = os.urandom(1 << 20) * (LARGE >> 20) + b"tail"
        place("packs/large", data)
        backend.get_file("packs/large", str(tmp_path / "landed"))
        assert (tmp_path / "landed").read_bytes() == data
        assert backend.get_range("packs/large", LARGE - 1, 5)[1:] == b"tail"

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_reads_no_odd_keys(self, backend: Backend, tmp_path: Path, key: str) -> None:
        for call in (
            lambda: backend.get(key),
            lambda: backend.get_range(key, 0, 0),
            lambda: backend.get_file(key, str(tmp_path / "landed")),
        ):
            with pytest.raises(BadKey):
                call()
        assert not (tmp_path / "landed").exists()

    def test_serves_readers_at_once(self, backend: Backend, place: Place) -> None:
        keys = [f"t/{i % 4}/{i}" for i in range(32)]
        for key in keys:
            place(key, key.encode() * 1000)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(backend.get, keys)) == [key.encode() * 1000 for key in keys]


class ReadOnlyConformance(ReadingConformance):
    """Inherit for a storage that can only be read, with fixtures `backend` and `place`."""

    def test_says_what_it_cannot(self, backend: Backend) -> None:
        assert not backend.capabilities.can_write
        if not backend.capabilities.can_list:
            with pytest.raises(Unsupported):
                backend.list("")

    def test_refuses_to_write(self, backend: Backend, place: Place, tmp_path: Path) -> None:
        place("a", b"old")
        source = tmp_path / "source"
        source.write_bytes(b"x")
        calls: tuple[Callable[[], None], ...] = (
            lambda: backend.put("a", b"x"),
            lambda: backend.put_file("a", str(source)),
            lambda: backend.delete("a"),
            lambda: backend.delete_all(["a"]),
        )
        for call in calls:
            with pytest.raises(Unsupported) as caught:
                call()
            assert backend.address in str(caught.value)
        assert backend.get("a") == b"old"


class BackendConformance(ReadingConformance):
    """Inherit, and give a fixture `backend` over an empty storage that can list and write."""

    @pytest.fixture
    def place(self, backend: Backend) -> Place:
        return backend.put

    def test_lists_nothing_where_nothing_is(self, backend: Backend) -> None:
        assert backend.list("") == []
        assert backend.list("index/") == []

    def test_keeps_empty_objects(self, backend: Backend, tmp_path: Path) -> None:
        backend.put("empty", b"")
        (tmp_path / "source").touch()
        backend.put_file("empty-file", str(tmp_path / "source"))
        assert backend.get("empty") == b""
        backend.get_file("empty-file", str(tmp_path / "landed"))
        assert (tmp_path / "landed").read_bytes() == b""
        assert backend.list("") == [ObjectInfo("empty", 0), ObjectInfo("empty-file", 0)]

    def test_lists_at_any_depth_sorted_with_sizes(self, backend: Backend) -> None:
        for key in ("b", "a/c/d", "a/b", "ab/x", "a-b"):
            backend.put(key, key.encode())
        assert backend.list("") == [
            ObjectInfo("a-b", 3),
            ObjectInfo("a/b", 3),
            ObjectInfo("a/c/d", 5),
            ObjectInfo("ab/x", 4),
            ObjectInfo("b", 1),
        ]

    @pytest.mark.parametrize("prefix", ["a", "a/"])
    def test_a_prefix_is_whole_parts(self, backend: Backend, prefix: str) -> None:
        for key in ("a/b", "a/c/d", "ab", "ac/a/x"):
            backend.put(key, b"")
        assert [info.key for info in backend.list(prefix)] == ["a/b", "a/c/d"]
        assert [info.key for info in backend.list("a/c")] == ["a/c/d"]

    def test_replaces_an_object(self, backend: Backend) -> None:
        backend.put("a", b"longer than new")
        backend.put("a", b"new")
        assert backend.get("a") == b"new"
        assert backend.list("") == [ObjectInfo("a", 3)]

    def test_deletes(self, backend: Backend) -> None:
        backend.put("a/b", b"1")
        backend.put("a/c", b"2")
        backend.delete("a/b")
        backend.delete("a/b")
        backend.delete("never/was")
        assert backend.list("") == [ObjectInfo("a/c", 1)]
        with pytest.raises(NotFound):
            backend.get("a/b")

    def test_deletes_many(self, backend: Backend) -> None:
        keys = [f"a/{number}" for number in range(20)]
        for key in (*keys, "b"):
            backend.put(key, b"1")
        backend.delete_all([])
        backend.delete_all([*keys, "never/was"])
        backend.delete_all(keys)
        assert backend.list("") == [ObjectInfo("b", 1)]
        with pytest.raises(BadKey):
            backend.delete_all(["b", "../b"])
        assert backend.list("") == [ObjectInfo("b", 1)]

    def test_tells_when_objects_were_put(self, backend: Backend) -> None:
        begun = time.time()
        backend.put("a", b"1")
        (info,) = backend.list("")
        # Storages of seconds' resolution round; a minute's skew between clocks is forgiven.
        assert info.modified is None or abs(info.modified - begun) < 60

    def test_streams_large_files_both_ways(self, backend: Backend, tmp_path: Path) -> None:
        source, landed = tmp_path / "source", tmp_path / "landed"
        source.write_bytes(os.urandom(1 << 20) * (LARGE >> 20) + b"tail")
        backend.put_file("packs/large", str(source))
        backend.get_file("packs/large", str(landed))
        assert _digest(landed) == _digest(source)
        assert backend.list("packs") == [ObjectInfo("packs/large", LARGE + 4)]
        assert backend.get_range("packs/large", LARGE - 1, 5)[1:] == b"tail"

    def test_a_put_that_fails_leaves_nothing(self, backend: Backend, tmp_path: Path) -> None:
        backend.put("kept", b"old")
        for source in (tmp_path / "absent", tmp_path):  # a folder opens, or not, but never reads
            for key in ("a/b", "kept"):
                with pytest.raises(RemoteError):
                    backend.put_file(key, str(source))
        assert backend.list("") == [ObjectInfo("kept", 3)]
        assert backend.get("kept") == b"old"

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_refuses_odd_keys(self, backend: Backend, tmp_path: Path, key: str) -> None:
        source, landed = tmp_path / "source", tmp_path / "landed"
        source.write_bytes(b"x")
        for call in (
            lambda: backend.get(key),
            lambda: backend.get_range(key, 0, 0),
            lambda: backend.get_file(key, str(landed)),
            lambda: backend.put(key, b"x"),
            lambda: backend.put_file(key, str(source)),
            lambda: backend.delete(key),
        ):
            with pytest.raises(BadKey):
                call()
        assert not landed.exists()

    @pytest.mark.parametrize("prefix", ["/", "..", "a//", "../a", "a b"])
    def test_refuses_odd_prefixes(self, backend: Backend, prefix: str) -> None:
        with pytest.raises(BadKey):
            backend.list(prefix)

    def test_serves_threads_at_once(self, backend: Backend) -> None:
        keys = [f"t/{i % 4}/{i}" for i in range(32)]

        def use(key: str) -> bytes:
            backend.put(key, key.encode() * 1000)
            return backend.get(key)

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(use, keys)) == [key.encode() * 1000 for key in keys]
        assert [info.key for info in backend.list("t")] == sorted(keys)

    def test_readers_see_whole_objects_while_it_is_replaced(self, backend: Backend) -> None:
        wholes = [bytes([i]) * 200_000 for i in range(4)]
        backend.put("a", wholes[0])
        listings: list[list[ObjectInfo]] = [[ObjectInfo("a", 200_000)]]
        if not backend.capabilities.atomic_replace:
            listings.append([])

        def replace(i: int) -> None:
            backend.put("a", wholes[i % 4])
            try:
                assert backend.get("a") in wholes
            except NotFound:
                assert not backend.capabilities.atomic_replace
            assert backend.list("") in listings

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(replace, range(24)))
        assert backend.get("a") in wholes


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
