"""Settings: where values come from, and what is said of bad ones."""

import pytest

from pivot.config import Config, config_paths
from pivot.configure import parse_value
from pivot.errors import UsageError
from pivot.settings import SETTINGS, Source, known_setting
from pivot.variables import environment_name


@pytest.fixture
def write(tmp_path, isolation):
    """Writes a layer's file; gives the project's path."""
    project = tmp_path / "project"
    paths = config_paths(str(project))

    def write(source, text):
        place = paths[source]
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        with open(place, "w") as f:
            f.write(text)
        return str(project)

    return write


def test_without_files_defaults_count(tmp_path):
    config = Config.load(str(tmp_path))
    for name, setting in SETTINGS.items():
        assert config.get(name) == (setting.default, Source.DEFAULT)


def test_nearest_file_wins(write):
    order = [Source.USER, Source.PROJECT, Source.LOCAL]
    for number, source in enumerate(order, 1):
        project = write(source, f"[run]\njobs = {number}\n")
        assert Config.load(project).get("run.jobs") == (number, source)


def test_user_file_is_in_the_configured_folder(monkeypatch, isolation):
    assert config_paths(None) == {Source.USER: f"{isolation}/.config/pivot/config.toml"}
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert config_paths(None) == {Source.USER: f"{isolation}/.config/pivot/config.toml"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run", "no valid TOML"),
        ("\xff", "no valid TOML"),
        ("[run]\njob = 1", "run.job"),
        ("[run]\njobs = [1]", "run.jobs"),
        ("jobs = 1", "jobs"),
    ],
)
def test_bad_file_is_named(write, text, said):
    project = write(Source.PROJECT, "")
    with open(config_paths(project)[Source.PROJECT], "wb") as f:
        f.write(text.encode("latin-1"))
    with pytest.raises(UsageError, match=said) as caught:
        Config.load(project)
    assert "config.toml" in caught.value.message


@pytest.mark.parametrize("value", ["0", "1025", "true", '"many"'])
def test_bad_value_is_named_with_what_is_allowed(write, value):
    config = Config.load(write(Source.LOCAL, f"[run]\njobs = {value}\n"))
    with pytest.raises(UsageError, match="from 1 to 1024") as caught:
        config.get("run.jobs")
    assert "local" in caught.value.message
    assert caught.value.hint == "Correct it with `pivot config set run.jobs --local VALUE`"


def test_unknown_name_gets_the_nearest():
    with pytest.raises(UsageError) as caught:
        known_setting("run.job")
    assert caught.value.hint == "Did you mean `run.jobs`?"


def test_remote_joins_its_options_from_all_files(write):
    write(Source.USER, '[remotes.team]\nprofile = "me"\n')
    project = write(Source.PROJECT, '[remotes.team]\nurl = "s3://bucket/x"\n')
    (remote,) = Config.load(project).remotes({}).values()
    assert (remote.url, remote.options) == ("s3://bucket/x", {"profile": "me"})
    assert remote.from_repository


def test_address_from_this_machine_is_not_the_repositorys(write):
    write(Source.PROJECT, '[remotes.team]\nurl = "s3://theirs"\n')
    project = write(Source.LOCAL, '[remotes.team]\nurl = "s3://mine"\n')
    (remote,) = Config.load(project).remotes({}).values()
    assert (remote.url, remote.from_repository) == ("s3://mine", False)


def test_endpoint_from_the_repository_is_the_repositorys(write):
    """Else a pull request could send one's own bucket's requests elsewhere."""
    write(Source.PROJECT, '[remotes.team]\nendpoint_url = "http://theirs"\n')
    project = write(Source.USER, '[remotes.team]\nurl = "s3://mine"\n')
    (remote,) = Config.load(project).remotes({}).values()
    assert (remote.from_repository, remote.shared) == (False, {"endpoint_url"})


@pytest.mark.parametrize("near", [Source.LOCAL, Source.USER])
def test_address_of_ones_own_does_not_vouch_for_the_repositorys_endpoint(write, near):
    write(Source.PROJECT, '[remotes.team]\nurl = "s3://a"\nendpoint_url = "http://theirs"\n')
    project = write(near, '[remotes.team]\nurl = "s3://mine"\n')
    (remote,) = Config.load(project).remotes({}).values()
    assert remote.options["endpoint_url"] == "http://theirs"
    assert remote.shared == {"endpoint_url"}
    assert remote.from_repository == (near is Source.USER), "the project's address is nearer"


def test_address_in_the_environment_does_not_vouch_for_the_repositorys_endpoint(write):
    project = write(Source.PROJECT, '[remotes.team]\nendpoint_url = "http://theirs"\n')
    found = Config.load(project).remotes({environment_name("team"): "s3://mine"})
    assert (found["team"].from_repository, found["team"].shared) == (False, {"endpoint_url"})


def test_environment_gives_options_which_are_ones_own(write):
    project = write(Source.PROJECT, '[remotes.lab]\nurl = "s3://x"\nregion = "theirs"\n')
    environ = {
        environment_name("lab", "region"): "mine",
        environment_name("lab", "endpoint_url"): "https://mine",
        environment_name("lab", "profile"): "",
    }
    (remote,) = Config.load(project).remotes(environ).values()
    assert remote.options == {"region": "mine", "endpoint_url": "https://mine"}
    assert (remote.from_repository, remote.shared) == (True, frozenset())


def test_variable_belongs_to_the_remote_with_the_longest_name(write):
    text = '[remotes.lab]\nurl = "s3://x"\n[remotes.lab-two]\nurl = "s3://y"\n'
    environ = {
        "PIVOT_REMOTE_LAB_TWO_REGION": "eu",
        "PIVOT_REMOTE_LAB_THREE_URL": "/three",
        "PIVOT_REMOTE_CI_URL": "s3://ci",
        "PIVOT_REMOTE_CI_ENDPOINT_URL": "https://ci",
        "PIVOT_REMOTE_URL": "s3://nobody",
    }
    found = Config.load(write(Source.PROJECT, text)).remotes(environ)
    assert {name: (remote.url, dict(remote.options)) for name, remote in found.items()} == {
        "ci": ("s3://ci", {"endpoint_url": "https://ci"}),
        "lab": ("s3://x", {}),
        "lab-three": ("/three", {}),
        "lab-two": ("s3://y", {"region": "eu"}),
    }


def test_options_are_not_in_what_a_traceback_shows(write):
    project = write(Source.LOCAL, '[remotes.lab]\nurl = "s3://x"\npassword = "s3cr3t"\n')
    assert "s3cr3t" not in repr(Config.load(project).remotes({}))


def test_further_schemes_are_allowed_by_the_user_alone(write):
    project = write(Source.PROJECT, '[remote]\nschemes = "evil"\n[remotes.a]\nurl = "hf://x"\n')
    config = Config.load(project)
    assert config.get("remote.schemes") == (None, Source.DEFAULT)
    assert config.remotes({})["a"].allowed == frozenset()
    write(Source.USER, '[remote]\nschemes = "hf, gdrive,"\n')
    assert Config.load(project).remotes({})["a"].allowed == {"hf", "gdrive"}
    write(Source.LOCAL, '[remote]\nschemes = "HF://"\n')
    with pytest.raises(UsageError, match="names of schemes"):
        Config.load(project).get("remote.schemes")


def test_files_that_tell_of_a_remote_are_known(write):
    write(Source.USER, '[remotes.team]\nprofile = "me"\n')
    project = write(Source.PROJECT, '[remotes.team]\nurl = "s3://bucket/x"\n')
    config = Config.load(project)
    assert config.places("team") == (Source.PROJECT, Source.USER)
    assert config.places("other") == ()


def test_environment_gives_and_replaces_addresses(write):
    project = write(Source.PROJECT, '[remotes.team-cache]\nurl = "s3://theirs"\n')
    environ = {environment_name("team-cache"): "/mnt/x", "PIVOT_REMOTE_OTHER_URL": "/mnt/y"}
    found = Config.load(project).remotes(environ)
    assert {name: (r.url, r.from_repository) for name, r in found.items()} == {
        "other": ("/mnt/y", False),
        "team-cache": ("/mnt/x", False),
    }


def test_remote_without_an_address_is_none(write):
    assert Config.load(write(Source.USER, '[remotes.team]\nprofile = "me"\n')).remotes({}) == {}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False)])
def test_a_switch_is_true_or_false(text, value):
    assert parse_value("run.strict", text) is value
    assert Config({Source.PROJECT: {"run.strict": value}}).flag("run.strict") is value
    assert Config({}).flag("run.strict") is False


def test_a_switch_is_nothing_else():
    with pytest.raises(UsageError, match="true or false"):
        parse_value("run.strict", "yes")


def test_patterns_of_variables_are_a_list():
    layers = {Source.PROJECT: {"fingerprint.ignore_env": "WANDB_*, RUN_NAME"}}
    assert Config(layers).listed("fingerprint.ignore_env") == ("WANDB_*", "RUN_NAME")
    assert Config({}).listed("fingerprint.ignore_env") == ()
    with pytest.raises(UsageError, match="names of variables"):
        parse_value("fingerprint.ignore_env", "A B")


def test_a_package_has_a_policy_of_its_own_under_any_spelling(write):
    write(Source.USER, '[fingerprint.package]\ntorch = "ignore"\n"Ruamel.Yaml" = "version"\n')
    project = write(Source.PROJECT, '[fingerprint.package]\nTorch = "version"\n')
    config = Config.load(project)
    assert config.packages == {"torch": "version", "ruamel-yaml": "version"}
    assert config.get("fingerprint.package.TORCH") == ("version", Source.PROJECT)
    assert config.get("fingerprint.package.numpy") == (None, Source.DEFAULT)
    assert set(config.names) - set(SETTINGS) == {
        "fingerprint.package.ruamel-yaml",
        "fingerprint.package.torch",
    }


@pytest.mark.parametrize(
    "name", ["fingerprint.package.", "fingerprint.package.a b", "fingerprint.package"]
)
def test_what_is_no_packages_name_is_no_setting(name):
    with pytest.raises(UsageError, match="there is no setting"):
        known_setting(name)


def test_a_packages_bad_policy_is_named(write):
    project = write(Source.PROJECT, '[fingerprint.package]\ntorch = "major"\n')
    with pytest.raises(UsageError, match=r"fingerprint\.package\.torch .* 'major'"):
        Config.load(project).packages  # noqa: B018
