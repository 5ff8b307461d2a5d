"""Plugins as an installed distribution has them: a module and its metadata on the path."""

import sys
import textwrap

import pytest

from pivot_remotes import plugins
from pivot_remotes.connect import connect
from pivot_remotes.errors import AccessDenied, BadAddress, Unsupported
from pivot_remotes.testing import BackendConformance

MODULE = """
    from pivot_remotes.directory import DirectoryBackend
    from pivot_remotes.errors import AccessDenied

    opened = []

    def open_shelf(url, options):
        opened.append((url, dict(options)))
        if options.get("fail") == "denied":
            raise AccessDenied("the shelf is locked")
        if "fail" in options:
            raise RuntimeError(options["fail"])
        return DirectoryBackend(options["room"] + "/" + url.removeprefix("shelf://"))

    def open_never(url, options):
        raise AssertionError("a known scheme was taken over")
"""


def install(folder, name, module, points):
    """What an installer leaves of a distribution in a folder of the path."""
    (folder / f"{module}.py").write_text(textwrap.dedent(MODULE))
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "".join(f"{scheme} = {value}\n" for scheme, value in points.items())
    (info / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{lines}")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A distribution with a backend for `shelf://`."""
    folder = tmp_path / "site"
    folder.mkdir()
    points = {
        "shelf": "shelving:open_shelf",
        "s3": "shelving:open_never",
        "lost": "shelving:no_such_function",
        "absent": "no_such_module:open",
    }
    install(folder, "pivot-shelf", "shelving", points)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("shelving", None)


class TestPlugin(BackendConformance):
    @pytest.fixture
    def backend(self, installed, tmp_path):
        return connect("shelf://top", {"room": str(tmp_path / "room"), "attempts": "1"})


def test_gets_the_url_and_its_own_options(installed, tmp_path):
    connect("shelf://top", {"room": str(tmp_path), "attempts": "2", "limit_rate": "1M"})
    assert sys.modules["shelving"].opened == [("shelf://top", {"room": str(tmp_path)})]


def test_cannot_take_over_a_known_scheme(installed):
    assert connect("s3://bucket", {"anonymous": "true"}).address == "s3://bucket"
    assert "shelving" not in sys.modules


def test_known_schemes_do_not_look_for_plugins(installed, monkeypatch):
    monkeypatch.setattr(plugins, "find", lambda scheme: pytest.fail("looked"))
    connect("memory://plugins", {})


def test_errors_of_its_own_kind_are_shown_and_others_only_named(installed):
    with pytest.raises(AccessDenied, match="the shelf is locked"):
        connect("shelf://top", {"fail": "denied"})
    with pytest.raises(BadAddress, match="plugin for remotes of shelf") as caught:
        connect("shelf://top", {"fail": "very-secret"})
    assert "RuntimeError" in caught.value.why
    assert "very-secret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(("scheme", "said"), [("lost", "no_such_function"), ("absent", "no_such")])
def test_one_that_cannot_be_loaded_is_named(installed, scheme, said):
    with pytest.raises(Unsupported, match=f"plugin for remotes of {scheme}") as caught:
        connect(f"{scheme}://x", {})
    assert said in caught.value.why


def test_two_that_claim_one_scheme_are_named(installed):
    install(installed, "pivot-board", "boarding", {"shelf": "boarding:open_shelf"})
    with pytest.raises(Unsupported, match="several") as caught:
        connect("shelf://top", {})
    assert "pivot-board, pivot-shelf" in caught.value.why
