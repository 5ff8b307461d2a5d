"""Changing configuration files keeps what people wrote."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.configure import parse_value, update
from pivot.errors import UsageError
from pivot.settings import SETTINGS

WRITTEN = """\
# Ours.
[run]
jobs = 4  # the build server has four

[remotes.team]
url = "s3://bucket"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "folder/config.toml"
    path.parent.mkdir()
    path.write_text(WRITTEN)
    return path


def test_comments_and_order_stay(file):
    update(str(file), {"run.jobs": 2, "cache.level": 3})
    assert file.read_text() == WRITTEN.replace("jobs = 4", "jobs = 2") + "\n[cache]\nlevel = 3\n"


def test_removed_key_takes_its_empty_table_along(file):
    update(str(file), {"remotes.team.url": None})
    assert tomllib.loads(file.read_text()) == {"run": {"jobs": 4}}


def test_removing_what_was_added_gives_back_the_same_file(file):
    update(str(file), {"fingerprint.ignore_env": ["REGION"]})
    update(str(file), {"fingerprint.ignore_env": None})
    assert file.read_text() == WRITTEN


def test_removing_what_is_absent_changes_nothing(file):
    update(str(file), {"cache.level": None})
    assert tomllib.loads(file.read_text()) == tomllib.loads(WRITTEN)


def test_file_and_folder_are_made(tmp_path):
    path = tmp_path / "new/deep/config.toml"
    update(str(path), {"remotes.a.url": "x", "remotes.b.url": "y"})
    assert tomllib.loads(path.read_text()) == {"remotes": {"a": {"url": "x"}, "b": {"url": "y"}}}


def test_file_that_is_no_toml_is_left_alone(file):
    file.write_text("[run")
    with pytest.raises(UsageError, match="no valid TOML"):
        update(str(file), {"run.jobs": 2})
    assert file.read_text() == "[run"


def test_value_where_a_table_should_be_is_said(file):
    file.write_text("run = 1\n")
    with pytest.raises(UsageError, match="'run' is no table"):
        update(str(file), {"run.jobs": 2})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("run.jobs", "3", 3), ("run.fetch", "never", "never"), ("cache.dir", "/data", "/data")],
)
def test_text_becomes_a_value_of_the_settings_kind(name, text, value):
    assert parse_value(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("run.jobs", "0"), ("run.jobs", "many"), ("run.fetch", "x"), ("no", "1")]
)
def test_value_that_is_not_allowed_is_refused(name, text):
    with pytest.raises(UsageError):
        parse_value(name, text)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["run.jobs", "run.fetch", "remotes.a.url", "remotes.b.url"]),
            st.none() | st.integers(1, 9) | st.text("ab", min_size=1),
            max_size=4,
        ),
        max_size=5,
    )
)
def test_file_holds_the_last_value_of_each_key(tmp_path_factory, updates):
    path = str(tmp_path_factory.mktemp("config") / "config.toml")
    expected = {}
    for values in updates:
        update(path, values)
        expected |= values
    expected = {key: value for key, value in expected.items() if value is not None}
    found = {}
    if updates:
        with open(path, "rb") as f:
            found = dict(_flat(tomllib.load(f)))
    assert found == expected


def _flat(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def test_every_default_is_allowed():
    for setting in SETTINGS.values():
        assert setting.default is None or setting.check(setting.default) is None


def test_a_package_is_found_under_the_spelling_that_the_file_has(file):
    file.write_text('[fingerprint.package]\nScikit_Learn = "ignore"  # slow\n')
    update(str(file), {"fingerprint.package.scikit-learn": "version"})
    assert file.read_text() == '[fingerprint.package]\nScikit_Learn = "version"  # slow\n'
    update(str(file), {"fingerprint.package.scikit-learn": None})
    assert tomllib.loads(file.read_text()) == {}
