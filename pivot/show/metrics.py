"""Metrics: small files of numbers, flattened to dotted names, shown and compared."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from pivot.errors import PivotError
from pivot.hashing import Json

type Metrics = Mapping[str, Json]


class MetricError(PivotError):
    """A metric file that can't be read as numbers by name."""

    code = "metric"


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A value that differs between two versions; None where it is absent."""

    path: str
    key: str
    old: Json
    new: Json

    def to_json(self) -> dict[str, Json]:
        return {"path": self.path, "key": self.key, "old": self.old, "new": self.new}


def parse(path: str, data: bytes) -> dict[str, Json]:
    """The values of a metric file by dotted name; `path` tells the format by its ending.

    JSON and YAML hold one mapping, CSV two columns: name and value. Raises `MetricError`.
    """
    try:
        text = data.decode()
        if path.endswith((".yaml", ".yml")):
            value = yaml.safe_load(text)
        elif path.endswith((".csv", ".tsv")):
            value = dict(_rows(text, "\t" if path.endswith(".tsv") else ","))
        else:
            value = json.loads(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise _bad(path, str(error).splitlines()[0]) from error
    if not isinstance(value, dict):
        raise _bad(path, "it holds no mapping of names to values")
    return dict(_flatten(value, ""))


def _bad(path: str, why: str) -> MetricError:
    return MetricError(
        f"metric {path} can't be read",
        why=why,
        hint="Write one JSON or YAML mapping of names to numbers, or a CSV of two columns",
    )


def _rows(text: str, delimiter: str) -> Iterator[tuple[str, Json]]:
    for row in csv.reader(io.StringIO(text), delimiter=delimiter):
        if len(row) != 2:
            raise ValueError("a line has not two columns")
        yield row[0].strip(), _number(row[1].strip())


def _number(text: str) -> Json:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _flatten(value: Mapping[object, object], prefix: str) -> Iterator[tuple[str, Json]]:
    for name, item in value.items():
        key = f"{prefix}{name}"
        if isinstance(item, dict) and item:
            yield from _flatten(item, f"{key}.")
        else:
            yield (
                key,
                item if isinstance(item, bool | int | float | str | list | None) else str(item),
            )


def compare(old: Mapping[str, Metrics], new: Mapping[str, Metrics]) -> tuple[MetricChange, ...]:
    """What differs between two versions of metric files, by path and key."""
    return tuple(
        MetricChange(path, key, before.get(key), after.get(key))
        for path in sorted(old.keys() | new.keys())
        for before, after in ((old.get(path, {}), new.get(path, {})),)
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) or (key in before) != (key in after)
    )
