"""Versions of the distributions behind third-party modules."""

from pathlib import Path

import pytest

from pivot.code.packages import find_providers


@pytest.fixture
def installed(tmp_path, monkeypatch):
    def install(name: str, version: str, module: str) -> None:
        info = Path(tmp_path) / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "top_level.txt").write_text(f"{module}\n")
        (info / "RECORD").write_text(f"{module}/__init__.py,,\n")

    monkeypatch.syspath_prepend(str(tmp_path))
    return install


def test_a_module_is_named_by_its_distribution(installed):
    installed("My-Lib.Extra", "1.2.3", "mylib")
    assert find_providers(["mylib"]) == {"mylib": {"my-lib-extra": "1.2.3"}}


def test_the_local_part_of_a_version_is_dropped(installed):
    installed("torchlike", "2.1.0+cu121", "torchlike")
    assert find_providers(["torchlike"]) == {"torchlike": {"torchlike": "2.1.0"}}


def test_a_shared_namespace_names_all_that_share_it(installed):
    installed("ns-b", "2", "sharedns")
    installed("ns-a", "1", "sharedns")
    assert find_providers(["sharedns"]) == {"sharedns": {"ns-a": "1", "ns-b": "2"}}


def test_modules_without_a_distribution_have_none():
    assert find_providers(["no_such_module_here", "json"]) == {
        "no_such_module_here": {},
        "json": {},
    }
