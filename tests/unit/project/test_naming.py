"""Remotes in the configuration files: which file gets what, and what is left behind."""

import os
import stat
from pathlib import Path

import pytest

from pivot.config import Config, RemoteConfig, config_paths
from pivot.errors import UsageError
from pivot.project import naming
from pivot.project.remotes import index_cache
from pivot.settings import Source


@pytest.fixture
def place(place, isolation, monkeypatch):
    for name in [n for n in os.environ if n.startswith("PIVOT_REMOTE_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return place


@pytest.fixture
def text(place):
    """Reads a configuration file, empty where there is none."""

    def read(source):
        path = Path(config_paths(str(place.path))[source])
        return path.read_text() if path.exists() else ""

    return read


def add(place, name, url="s3://data", where=Source.PROJECT, default=False, **options):
    new = RemoteConfig(name, url, options, from_repository=False)
    naming.add(place.open(), new, options, where, is_default=default)


def remotes(place):
    return Config.load(str(place.path)).remotes({})


SECRET = {"access_key_id": "AKIDXYZ", "secret_access_key": "s3cr3t"}


@pytest.mark.parametrize("where", list(Source)[:3])
def test_secrets_go_to_a_private_file_that_git_does_not_share(place, text, where):
    add(place, "lab", where=where, region="eu", **SECRET)
    assert remotes(place)["lab"].options == {"region": "eu", **SECRET}
    private = Source.USER if where is Source.USER else Source.LOCAL
    path = Path(config_paths(str(place.path))[private])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for source in set(Source) - {private, Source.DEFAULT}:
        assert not any(value in text(source) for value in SECRET.values())
    assert "eu" in text(where)


def test_removing_leaves_no_key_of_it_and_no_copy(place, text):
    add(place, "lab", default=True, region="eu", **SECRET)
    add(place, "other", "s3://elsewhere")
    project = place.open()
    copies = Path(index_cache(remotes(place)["lab"], project.root, project.cache))
    kept = Path(index_cache(remotes(place)["other"], project.root, project.cache))
    for folder in (copies, kept):
        (folder / "index").mkdir(parents=True)
        (folder / "index/x.idx").write_text("x")
    done = naming.remove(project, "lab", from_user=False)
    assert done.was_default
    assert len(done.files) == 2
    assert "lab" not in text(Source.PROJECT) + text(Source.LOCAL)
    assert not any(value in text(Source.LOCAL) for value in SECRET.values())
    assert remotes(place).keys() == {"other"}
    assert not copies.exists()
    assert (kept / "index/x.idx").exists()


def test_copies_stay_while_another_remote_has_the_same_address(place):
    add(place, "one")
    add(place, "two")
    project = place.open()
    copies = Path(index_cache(remotes(place)["one"], project.root, project.cache))
    copies.mkdir(parents=True)
    naming.remove(project, "one", from_user=False)
    assert copies.exists()
    naming.remove(place.open(), "two", from_user=False)
    assert not copies.exists()


def test_renaming_moves_options_of_all_files_and_the_default(place, text):
    add(place, "old", default=True, region="eu", **SECRET)
    before = remotes(place)["old"]
    done = naming.rename(place.open(), "old", "new", of_user=False)
    assert len(done.files) == 2
    after = remotes(place)["new"]
    assert (after.url, after.options) == (before.url, before.options)
    assert Config.load(str(place.path)).text("remote.default") == "new"
    assert "old" not in text(Source.PROJECT) + text(Source.LOCAL)
    assert stat.S_IMODE(os.stat(config_paths(str(place.path))[Source.LOCAL]).st_mode) == 0o600


def test_renaming_keeps_what_people_wrote_around_it(place, text):
    place.write(
        ".pivot/config.toml",
        '# Ours.\n[remotes.old] # the lab\nurl = "/a" # here\n\n[run]\njobs = 4\n\n'
        '[remotes.b]\nurl = "/b"\n',
    )
    naming.rename(place.open(), "old", "new", of_user=False)
    written = text(Source.PROJECT)
    for part in ("# Ours.", "# the lab", "# here", "jobs = 4"):
        assert part in written
    assert {name: r.url for name, r in remotes(place).items()} == {"new": "/a", "b": "/b"}


@pytest.mark.parametrize(
    ("new", "said"), [("b", "there is a remote 'b' already"), ("a/b", "can't name a remote")]
)
def test_name_that_is_taken_or_none_changes_nothing(place, text, new, said):
    add(place, "a")
    add(place, "b", "s3://b")
    before = text(Source.PROJECT)
    with pytest.raises(UsageError, match=said):
        naming.rename(place.open(), "a", new, of_user=False)
    assert text(Source.PROJECT) == before


@pytest.mark.parametrize("verb", ["remove", "rename"])
def test_what_the_user_has_for_all_projects_is_named_and_stays(place, text, verb):
    add(place, "lab")
    add(place, "lab2", where=Source.USER, url="/x")
    path = Path(config_paths(str(place.path))[Source.USER])
    path.write_text(path.read_text().replace("lab2", "lab").replace("url", "profile"))
    before = text(Source.USER)
    if verb == "remove":
        done = naming.remove(place.open(), "lab", from_user=False)
    else:
        done = naming.rename(place.open(), "lab", "new", of_user=False)
    assert done.still == str(path)
    assert text(Source.USER) == before
    assert "lab" not in text(Source.PROJECT)


def test_remote_of_the_user_is_removed_only_when_asked_to(place, text):
    add(place, "mine", "/data", where=Source.USER, default=True)
    with pytest.raises(UsageError, match="isn't in the configuration of this project") as caught:
        naming.remove(place.open(), "mine", from_user=False)
    assert caught.value.hint == "Run it with `--user`"
    assert naming.remove(place.open(), "mine", from_user=True).was_default
    assert "mine" not in text(Source.USER)


def test_remote_of_the_environment_is_no_files(place, monkeypatch):
    monkeypatch.setenv("PIVOT_REMOTE_CI_URL", "/ci")
    with pytest.raises(UsageError, match="comes from the environment"):
        naming.remove(place.open(), "ci", from_user=False)


@pytest.mark.parametrize("verb", [naming.remove, naming.rename])
def test_unknown_name_gets_the_nearest(place, verb):
    add(place, "storage")
    arguments = {"from_user": False} if verb is naming.remove else {"new": "x", "of_user": False}
    with pytest.raises(UsageError, match="no remote 'storge'") as caught:
        verb(place.open(), "storge", **arguments)
    assert caught.value.hint == "Did you mean 'storage'?"


def test_default_must_exist_and_a_nearer_one_is_told(place):
    add(place, "one")
    add(place, "two", "s3://two")
    with pytest.raises(UsageError, match="no remote 'tow'"):
        naming.set_default(place.open(), "tow", Source.PROJECT)
    assert naming.set_default(place.open(), "one", Source.LOCAL) is None
    assert naming.set_default(place.open(), "two", Source.PROJECT) == "one"
