"""Which remotes are asked for data, and in which order."""

import os

import pytest

from pivot.config import Config
from pivot.errors import DeniedError, UsageError
from pivot.project.givers import chosen, givers
from pivot.settings import Source


def configured(default=None, **layers):
    sources = {
        Source(source): {f"remotes.{name}.url": f"/{name}" for name in names}
        for source, names in layers.items()
    }
    if default is not None:
        sources.setdefault(Source.LOCAL, {})["remote.default"] = default
    order = [Source.LOCAL, Source.PROJECT, Source.USER]
    return Config({source: sources[source] for source in order if source in sources})


def names(config, name=None, environ=None):
    return [remote.name for remote in chosen(config, environ or {}, name)]


@pytest.mark.parametrize(
    ("layers", "default", "expected"),
    [
        ({"project": ["z", "a", "m"]}, None, ["z", "a", "m"]),
        ({"project": ["z", "a", "m"]}, "m", ["m", "z", "a"]),
        ({"user": ["u"], "local": ["l"], "project": ["p"]}, None, ["p", "l", "u"]),
        ({"user": ["u"], "local": ["l"], "project": ["p"]}, "u", ["u", "p", "l"]),
        ({"local": ["p"], "project": ["q", "p"]}, None, ["q", "p"]),
    ],
)
def test_the_default_comes_first_and_the_others_as_configured(layers, default, expected):
    assert names(configured(default, **layers)) == expected


def test_those_of_the_environment_come_last():
    environ = {"PIVOT_REMOTE_CI_URL": "/ci", "PIVOT_REMOTE_A_URL": "/elsewhere"}
    assert names(configured(project=["z"]), environ=environ) == ["z", "a", "ci"]


def test_a_name_means_that_one_alone():
    assert names(configured("a", project=["a", "b"]), "b") == ["b"]


def test_what_names_no_remote_is_an_error():
    with pytest.raises(UsageError, match="no remote"):
        names(Config({}))
    with pytest.raises(UsageError, match="there is no remote 'q'"):
        names(configured(project=["a"]), "q")
    with pytest.raises(UsageError, match="there is no remote 'gone'"):
        names(configured("gone", project=["a"]))


def test_whether_one_is_confirmed_is_asked_when_it_is_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    config = configured(project=["a"], local=["b"])
    store = str(tmp_path / "store")
    theirs, own = givers(config, "/project", store, os.environ)
    assert own.connect() is own.connect()
    with pytest.raises(DeniedError, match="was not confirmed"):
        theirs.connect()
    (theirs, _) = givers(config, "/project", store, os.environ, yes=True)
    assert theirs.connect().address == "/a"
    (theirs, _) = givers(config, "/project", store, os.environ)
    assert theirs.connect().address == "/a", "once for this machine"


def test_yes_confirms_the_first_one_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    config = configured(project=["a", "b"])
    store = str(tmp_path / "store")
    meant, other = givers(config, "/project", store, os.environ, yes=True)
    assert meant.connect().address == "/a"
    with pytest.raises(DeniedError, match=r"'b' .*was not confirmed") as caught:
        other.connect()
    assert "`pivot pull --yes -r b`" in caught.value.hint
    hostile = configured(project=["x; sh evil"])
    with pytest.raises(DeniedError) as caught:
        givers(hostile, "/project", store, os.environ)[0].connect()
    assert "`pivot pull --yes -r 'x; sh evil'`" in caught.value.hint
    (named,) = givers(config, "/project", store, os.environ, "b", yes=True)
    assert named.connect().address == "/b"


def test_the_first_is_confirmed_also_where_it_will_not_be_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    config = configured(project=["a", "b"])
    store = str(tmp_path / "store")
    givers(config, "/project", store, os.environ, yes=True)
    first, second = givers(config, "/project", store, os.environ)
    assert first.connect().address == "/a"
    with pytest.raises(DeniedError, match="was not confirmed"):
        second.connect()
