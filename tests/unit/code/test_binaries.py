"""Modules without a source are found where Python finds them."""

from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES

import pytest

from pivot.code.binaries import find_binaries


@pytest.fixture
def folder(tmp_path):
    def make(*files):
        for file in files:
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return str(tmp_path)

    return make


@pytest.mark.parametrize("suffix", [*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES])
def test_a_binary_is_found_by_its_module(folder, suffix):
    base = folder(f"pkg/fast{suffix}", f"alone{suffix}", "pkg/slow.py")
    found = find_binaries(["pkg", "pkg.fast", "pkg.slow", "alone", "gone", "gone.inner"], [base])
    assert found == {"pkg.fast": f"{base}/pkg/fast{suffix}", "alone": f"{base}/alone{suffix}"}


def test_the_first_folder_counts(folder):
    base = folder("one/m.pyc", "two/m.pyc")
    assert find_binaries(["m"], [f"{base}/two", f"{base}/one"]) == {"m": f"{base}/two/m.pyc"}


def test_a_folder_of_such_a_name_is_none(folder):
    base = folder("m.pyc/inside")
    assert find_binaries(["m"], [base]) == {}
