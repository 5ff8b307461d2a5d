import math
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pivot.params import ParamsError, deep_merge, read_overrides


class TrainParams(BaseModel):
    learning_rate: float = 0.01
    batch_size: int = 32


class Optimizer(BaseModel):
    name: str = "sgd"
    lr: float = 0.1


class Nested(BaseModel):
    optimizer: Optimizer = Optimizer(lr=0.5)
    layers: list[int] = [1, 2, 3]
    extra: dict[str, dict[str, int]] = {"a": {"x": 1}}


def effective(tmp_path, params, yaml="", stage="train"):
    path = tmp_path / "params.yaml"
    path.write_text(yaml)
    return read_overrides(str(path)).effective(stage, params)


def problem(tmp_path, params, yaml=""):
    with pytest.raises(ParamsError) as caught:
        effective(tmp_path, params, yaml)
    return str(caught.value)


def broken(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_bytes(text)
    with pytest.raises(ParamsError) as caught:
        read_overrides(str(path))
    return str(caught.value)


def test_defaults_hold_without_a_file(tmp_path):
    overrides = read_overrides(str(tmp_path / "params.yaml"))
    result = overrides.effective("train", TrainParams)
    assert result.values == {"learning_rate": 0.01, "batch_size": 32}
    assert result.model == TrainParams()


def test_section_of_the_stage_overrides_defaults(tmp_path):
    result = effective(tmp_path, TrainParams, "train:\n  learning_rate: 0.001\n")
    assert result.values == {"learning_rate": 0.001, "batch_size": 32}
    assert result.model == TrainParams(learning_rate=0.001)


def test_instance_stands_in_for_defaults_and_yields_to_overrides(tmp_path):
    instance = TrainParams(learning_rate=0.5, batch_size=8)
    assert effective(tmp_path, instance).model is instance
    result = effective(tmp_path, instance, "train: {batch_size: 16}")
    assert result.values == {"learning_rate": 0.5, "batch_size": 16}


@pytest.mark.parametrize("params", [Nested, Nested()])
def test_mappings_merge_and_lists_are_replaced(tmp_path, params):
    yaml = "train: {optimizer: {name: adam}, layers: [9], extra: {a: {y: 2}, b: {z: 3}}}"
    assert effective(tmp_path, params, yaml).values == {
        "optimizer": {"name": "adam", "lr": 0.5},
        "layers": [9],
        "extra": {"a": {"x": 1, "y": 2}, "b": {"z": 3}},
    }


@pytest.mark.parametrize(
    "yaml", ["other: {x: 1}", "seed: 42", "", "# nothing\n", "train:\n", "1: 2"]
)
def test_what_is_not_the_stages_section_is_ignored(tmp_path, yaml):
    assert effective(tmp_path, TrainParams, yaml).model == TrainParams()


def test_required_field_may_come_from_the_file(tmp_path):
    class Required(BaseModel):
        threshold: float

    assert effective(tmp_path, Required, "train: {threshold: 1}").values == {"threshold": 1.0}
    assert "threshold: Field required" in problem(tmp_path, Required)


def test_every_invalid_value_is_named_with_path_value_and_problem(tmp_path):
    text = problem(tmp_path, Nested, "train: {optimizer: {lr: fast}, layers: [1, x]}")
    assert "optimizer.lr: Input should be a valid number" in text
    assert "'fast'" in text
    assert "layers.1: Input should be a valid integer" in text


def test_section_that_is_no_mapping_is_refused(tmp_path):
    assert "not a mapping" in problem(tmp_path, TrainParams, "train: 3")


def test_name_that_the_model_ignores_is_reported(tmp_path):
    result = effective(tmp_path, TrainParams, "train: {learning_rte: 1}")
    assert result.unknown == ("learning_rte",)


def test_model_that_forbids_or_allows_extra_names_decides_itself(tmp_path):
    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

    assert "x: Extra inputs" in problem(tmp_path, Strict, "train: {x: 1}")
    result = effective(tmp_path, Open, "train: {x: 1}")
    assert (result.values, result.unknown) == ({"x": 1}, ())


def test_aliases_may_be_used_in_the_file(tmp_path):
    class Aliased(BaseModel):
        rate: float = Field(default=0.1, alias="learning-rate")
        size: int = 3

    result = effective(tmp_path, Aliased, "train: {learning-rate: 0.2}")
    assert result.values == {"rate": 0.2, "size": 3}
    assert effective(tmp_path, Aliased, "train: {rate: 0.3}").values["rate"] == 0.3


def test_values_are_json(tmp_path):
    class Color(StrEnum):
        RED = "red"

    class Rich(BaseModel):
        path: Path = Path("a/b")
        color: Color = Color.RED

    assert effective(tmp_path, Rich).values == {"path": "a/b", "color": "red"}


def test_sets_are_written_in_an_order_of_their_own(tmp_path):
    class WithSet(BaseModel):
        names: set[str] = {"b", "a", "c", "d"}
        numbers: frozenset[int] = frozenset({10, 9})

    assert effective(tmp_path, WithSet).values == {
        "names": ["a", "b", "c", "d"],
        "numbers": [10, 9],
    }


def test_secrets_are_left_out_and_named(tmp_path):
    class Auth(BaseModel):
        token: SecretStr = SecretStr("hidden")
        user: str = "me"

    class WithSecrets(BaseModel):
        key: SecretStr
        auth: Auth = Auth()

    result = effective(tmp_path, WithSecrets, "train: {key: s3cret}")
    assert result.values == {"auth": {"user": "me"}}
    assert result.secrets == ("auth.token", "key")
    assert result.model.key.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(result)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_can_not_hold_are_refused_by_name(tmp_path, value):
    class Deep(BaseModel):
        rates: dict[str, list[float]] = {"a": [1.0, value]}

    assert "rates.a.1" in problem(tmp_path, Deep)


def test_value_that_can_not_be_written_as_json_is_refused(tmp_path):
    class Opaque(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        thing: object = object()

    assert "can't be written as JSON" in problem(tmp_path, Opaque)


def test_what_is_not_overridden_is_handed_on_as_it_is(tmp_path):
    class Opaque(BaseModel):
        rate: float = 1
        optimizer: Optimizer = Optimizer()

    instance = Opaque()
    result = effective(tmp_path, instance, "train: {rate: 2}")
    assert result.model.optimizer is instance.optimizer


def test_broken_files_are_named_with_their_line(tmp_path):
    assert "params.yaml:2" in broken(tmp_path, b"train:\n  a: [1, }\n")
    assert "params.yaml:3 is not valid YAML: the key 'a' is written twice" in broken(
        tmp_path, b"train:\n  a: 1\n  a: 2\n"
    )
    assert "not UTF-8" in broken(tmp_path, b"a: \xff")
    assert "where a mapping is expected" in broken(tmp_path, b"- train\n")
    assert "not valid YAML" in broken(tmp_path, b"a: !!python/object/apply:os.getcwd []\n")


def test_folder_in_place_of_the_file_is_an_error(tmp_path):
    with pytest.raises(ParamsError, match="can't be read"):
        read_overrides(str(tmp_path))


def test_merge_keys_are_no_duplicates(tmp_path):
    yaml = "base: &b {learning_rate: 0.5}\ntrain:\n  <<: *b\n  batch_size: 4\n"
    result = effective(tmp_path, TrainParams, yaml)
    assert result.values == {"learning_rate": 0.5, "batch_size": 4}


_trees = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
_mappings = st.dictionaries(st.sampled_from("abc"), _trees, max_size=3)


@given(_mappings, _mappings)
def test_merge_keeps_what_is_not_overridden_and_takes_what_is(base, over):
    before = repr((base, over))
    merged = deep_merge(base, over)
    assert repr((base, over)) == before
    assert merged.keys() == base.keys() | over.keys()
    assert deep_merge(merged, over) == merged
    for key in merged:
        if key not in over:
            assert merged[key] == base[key]
        elif not (isinstance(over[key], dict) and isinstance(base.get(key), dict)):
            assert merged[key] == over[key]
