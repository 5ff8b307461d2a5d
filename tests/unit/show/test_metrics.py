"""Metric files as values by name, and what differs between two versions."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.show.metrics import MetricChange, MetricError, compare, parse

NESTED = {"loss": 0.5, "test": {"accuracy": 1, "by_class": {"a": None, "b": [1, 2]}}, "empty": {}}
FLAT = {
    "loss": 0.5, "test.accuracy": 1, "test.by_class.a": None, "test.by_class.b": [1, 2],
}  # fmt: skip


def test_json_and_yaml_are_flattened_to_dotted_names():
    for path in ("m.json", "m.yaml", "m.yml", "metrics"):
        found = parse(path, json.dumps(NESTED).encode())
        assert {k: v for k, v in found.items() if k != "empty"} == FLAT


def test_tables_have_a_name_and_a_value():
    assert parse("m.csv", b"loss, 0.5\nn,3\n") == {"loss": 0.5, "n": 3}
    assert parse("m.tsv", b"loss\t0.5\nn\t3\n") == {"loss": 0.5, "n": 3}


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("m.json", b"{"),
        ("m.json", b"\xff"),
        ("m.json", b"[1]"),
        ("m.json", b"[" * 100_000),
        ("m.yaml", b"a: [1"),
        ("m.yaml", b"!!python/object/apply:os.system [echo]"),
        ("m.yaml", b"just text"),
        ("m.csv", b"a,b,c\n"),
    ],
)
def test_file_that_is_no_metric_is_named(path, data):
    with pytest.raises(MetricError, match=f"metric {path} can't be read") as caught:
        parse(path, data)
    assert caught.value.why
    assert caught.value.hint


def test_yaml_dates_become_text():
    assert parse("m.yaml", b"when: 2026-01-02\n") == {"when": "2026-01-02"}


def test_comparison_names_changed_new_and_gone_values():
    old = {"a.json": {"x": 1, "gone": 2, "same": 3}, "gone.json": {"y": 1}}
    new = {"a.json": {"x": 2, "new": None, "same": 3}, "new.json": {"z": 1}}
    assert compare(old, new) == (
        MetricChange("a.json", "gone", 2, None),
        MetricChange("a.json", "new", None, None),
        MetricChange("a.json", "x", 1, 2),
        MetricChange("gone.json", "y", 1, None),
        MetricChange("new.json", "z", None, 1),
    )


values = st.dictionaries(
    st.sampled_from("ab"), st.dictionaries(st.sampled_from("xy"), st.none() | st.integers(0, 1))
)


@given(values, values)
def test_comparison_is_empty_exactly_for_equal_values(old, new):
    def given_values(found):
        return {path: items for path, items in found.items() if items}

    assert (compare(old, new) == ()) == (given_values(old) == given_values(new))
    assert compare(old, old) == ()
    mirrored = {(c.path, c.key): (c.new, c.old) for c in compare(new, old)}
    assert {(c.path, c.key): (c.old, c.new) for c in compare(old, new)} == mirrored
