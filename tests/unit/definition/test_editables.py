"""What import hooks of editable installs say of the packages that they find."""

import sys
from types import ModuleType

import pytest

from pivot.definition.editables import mapped_roots


@pytest.fixture
def mapped(monkeypatch):
    """A hook of setuptools with this mapping."""

    def make(mapping):
        module = ModuleType("__editable___ours_1_finder")
        module.MAPPING = mapping
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return make


@pytest.mark.parametrize(
    ("name", "place", "roots"),
    [
        ("ours", "/work/flat/ours", ["/work/flat"]),
        ("single", "/work/lib/single", ["/work/lib"]),
        ("single", "/work/lib/single.py", ["/work/lib"]),
        ("space.ours", "/work/src/space/ours", ["/work/src"]),
        ("ours", "/work/src", []),
        ("space.ours", "/work/src/ours", []),
    ],
)
def test_a_package_under_its_own_name_gives_its_root(mapped, name, place, roots):
    mapped({name: place})
    assert [root for root in mapped_roots() if root.startswith("/work/")] == roots


def test_redirections_name_the_file_of_a_package(monkeypatch):
    class Finder:
        _redirections = {"ours": "/work/flat/ours/__init__.py"}  # noqa: RUF012 - as it is there

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert "/work/flat" in list(mapped_roots())


def test_hooks_of_another_kind_are_passed_over(mapped):
    mapped({1: "/work/a", "b": None, "c": ["/work/c"]})
    assert not [root for root in mapped_roots() if root.startswith("/work/")]
