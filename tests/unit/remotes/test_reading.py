"""A storage that is only read, although its credentials would allow more."""

import pytest

from pivot_remotes.connect import connect
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import BadAddress, Unsupported
from pivot_remotes.reading import ReadOnly


@pytest.fixture
def folder(tmp_path):
    DirectoryBackend(str(tmp_path / "there")).put("a/b", b"0123456789")
    return str(tmp_path / "there")


def test_everything_that_reads_works(folder, tmp_path):
    backend = ReadOnly(DirectoryBackend(folder))
    assert [info.key for info in backend.list("")] == ["a/b"]
    assert backend.get("a/b") == b"0123456789"
    assert backend.get_range("a/b", 2, 3) == b"234"
    backend.get_file("a/b", str(tmp_path / "landed"))
    assert (tmp_path / "landed").read_bytes() == b"0123456789"
    assert backend.capabilities.can_list
    assert not backend.capabilities.can_write


def test_everything_that_writes_is_refused_and_changes_nothing(folder, tmp_path):
    backend = ReadOnly(DirectoryBackend(folder))
    (tmp_path / "source").write_bytes(b"mine")
    for call in (
        lambda: backend.put("a/b", b"mine"),
        lambda: backend.put_file("c", str(tmp_path / "source")),
        lambda: backend.delete("a/b"),
        lambda: backend.delete_all(["a/b"]),
    ):
        with pytest.raises(Unsupported, match="is read-only") as caught:
            call()
        assert folder in caught.value.message
    assert backend.get("a/b") == b"0123456789"
    assert len(backend.list("")) == 1


@pytest.mark.parametrize(("text", "can_write"), [("true", False), ("True", False), ("no", True)])
def test_the_option_makes_any_remote_read_only(folder, text, can_write):
    backend = connect(folder, {"read_only": text})
    assert backend.capabilities.can_write is can_write


def test_the_option_is_a_truth_value(folder):
    with pytest.raises(BadAddress, match="read_only must be true or false"):
        connect(folder, {"read_only": "sometimes"})
