"""The effective parameters of a stage: a Pydantic model's values under those of `params.yaml`."""

import json
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from pivot.errors import DefinitionError
from pivot.hashing import Json

PARAMS_FILE = "params.yaml"


class ParamsError(DefinitionError):
    """Parameters, or the file that overrides them, can't be used."""

    code = "params"


@dataclass(frozen=True, slots=True)
class Effective:
    """What a stage is called with, and what of it can be written down.

    Attributes:
        model: the validated model.
        values: the model as JSON, without secrets; the same in every process.
        secrets: dotted names of what was left out of `values`, sorted.
        unknown: names in the stage's section that the model ignores, sorted.
    """

    model: BaseModel
    values: dict[str, Json]
    secrets: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a `params.yaml` says: `sections` maps stages' names to values; `path` is for messages.

    Sections of unknown stages stay unused.
    """

    path: str
    sections: Mapping[str, object]

    def effective(self, stage: str, params: type[BaseModel] | BaseModel) -> Effective:
        """The parameters that `stage` is called with.

        An instance's values stand in for the defaults of its class. Raises `ParamsError` where
        values don't fit the model, a required one is missing, or one can't be written as JSON.
        """
        section = self.sections.get(stage)
        if section is not None and not isinstance(section, Mapping):
            raise ParamsError(
                f"parameters of stage {stage!r} can't be used",
                why=f"section {stage} of {self.path} holds {section!r}, not a mapping",
            )
        kind = params if isinstance(params, type) else type(params)
        over = _by_field(kind, section or {})
        if isinstance(params, BaseModel) and not over:
            model = params
        else:
            model = _validated(stage, kind, _overlay(params, over), self.path)
        values, secrets = _portable_values(stage, model)
        unknown = () if kind.model_config.get("extra") == "allow" else _unknown(kind, over)
        return Effective(model, values, secrets, unknown)


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the C loader, where libyaml is there
    """YAML without tags, in which a key that is written twice is an error."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, object]:
    seen: set[object] = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            continue  # refused by the constructor below
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is written twice", key_node.start_mark
            )
        seen.add(key)
    loader.flatten_mapping(node)
    pairs: dict[Hashable, object] = loader.construct_mapping(node, deep=True)
    return pairs


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_overrides(path: str) -> Overrides:
    """The overrides in the `params.yaml` at `path`; none where there is no such file.

    Entries whose key is no text are left out. Raises `ParamsError`, with file and line where they
    are known, if it can't be read, is no YAML, or is no mapping.
    """
    try:
        with open(path, encoding="utf-8") as f:
            value = yaml.load(f, _Loader)  # noqa: S506  # _Loader derives from SafeLoader
    except FileNotFoundError:
        return Overrides(path, {})
    except OSError as error:
        raise ParamsError(f"{path} can't be read", why=error.strerror) from error
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path} can't be read", why="it is not UTF-8") from error
    except yaml.YAMLError as error:
        raise _broken(path, error) from error
    except RecursionError as error:
        raise ParamsError(f"{path} can't be read", why="it is nested too deeply") from error
    if value is None:
        return Overrides(path, {})
    if not isinstance(value, dict):
        raise ParamsError(
            f"{path} can't be used",
            why=f"it holds a {type(value).__name__} where a mapping is expected",
            hint="Write one section a stage: `train: {learning_rate: 0.1}`",
        )
    return Overrides(path, {key: item for key, item in value.items() if isinstance(key, str)})


def _broken(path: str, error: yaml.YAMLError) -> ParamsError:
    mark = getattr(error, "problem_mark", None)
    place = f"{path}:{mark.line + 1}" if mark is not None else path
    problem = getattr(error, "problem", None) or str(error)
    return ParamsError(
        f"{place} is not valid YAML", why=problem, hint=f"Correct {place}, then run `pivot status`"
    )


def deep_merge(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """`base` with the values of `over`: mappings are merged, everything else is replaced.

    Neither argument is changed.
    """
    merged = dict(base)
    for key, value in over.items():
        current = merged.get(key)
        if isinstance(current, Mapping) and isinstance(value, Mapping):
            merged[key] = deep_merge(current, value)
        else:
            merged[key] = value
    return merged


def _unknown(kind: type[BaseModel], over: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(sorted(str(key) for key in over if key not in kind.model_fields))


def _by_field(kind: type[BaseModel], section: Mapping[object, object]) -> dict[str, object]:
    """The section under the names of the model's fields, where it uses their aliases."""
    fields = kind.model_fields
    names = {field.alias: name for name, field in fields.items() if field.alias is not None}
    result: dict[str, object] = {}
    for key, value in section.items():
        text = str(key)
        name = text if text in fields else names.get(text, text)
        inner = fields[name].annotation if name in fields else None
        if isinstance(value, Mapping) and isinstance(inner, type) and issubclass(inner, BaseModel):
            result[name] = _by_field(inner, value)
        else:
            result[name] = value
    return result


def _overlay(params: type[BaseModel] | BaseModel, over: Mapping[str, object]) -> dict[str, object]:
    """The declared values with `over` on top, by field name, for validation.

    What isn't overridden is handed on as it is, so that it need not survive being dumped.
    """
    if isinstance(params, BaseModel):
        declared = dict(params)
    else:
        declared = dict(params.model_construct())
        declared = {key: value for key, value in declared.items() if key in over}
    for key, value in over.items():
        current = declared.get(key)
        if isinstance(current, BaseModel) and isinstance(value, Mapping):
            declared[key] = _overlay(current, value)
        elif isinstance(current, Mapping) and isinstance(value, Mapping):
            declared[key] = deep_merge(current, value)
        else:
            declared[key] = value
    return declared


def _validated(
    stage: str, kind: type[BaseModel], values: Mapping[str, object], path: str
) -> BaseModel:
    try:
        return kind.model_validate(values, by_alias=True, by_name=True)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, e['loc'])) or kind.__name__}: {e['msg']}{_given(e)}"
            for e in error.errors(include_url=False)
        ]
        raise ParamsError(
            f"parameters of stage {stage!r} can't be used",
            why="; ".join(problems),
            hint=f"Correct section `{stage}` of `{path}`",
        ) from error


def _given(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing" or isinstance(error["input"], (SecretStr, SecretBytes)):
        return ""
    return f" (it is {error['input']!r:.100})"


def _portable_values(stage: str, model: BaseModel) -> tuple[dict[str, Json], tuple[str, ...]]:
    """A model as JSON that doesn't depend on the process, and the names of its secrets."""
    try:
        python = model.model_dump(mode="python")
        dumped = model.model_dump(mode="json")
    except ValueError as error:  # pydantic_core.PydanticSerializationError
        raise ParamsError(
            f"parameters of stage {stage!r} can't be written as JSON", why=str(error)
        ) from error
    secrets: list[str] = []
    values = _portable(python, dumped, "", secrets.append)
    try:
        json.dumps(values, allow_nan=False)
    except ValueError as error:
        raise _not_finite(stage, values) from error
    if not isinstance(values, dict):
        raise ParamsError(
            f"parameters of stage {stage!r} can't be used",
            why=f"{type(model).__name__} is written as {values!r:.100}, not as a mapping",
        )
    return values, tuple(sorted(secrets))


def _portable(python: object, dumped: Json, at: str, secret: Callable[[str], None]) -> Json:
    """`dumped` without secrets and with sets in order; `python` tells which those are."""
    if isinstance(python, (SecretStr, SecretBytes)):
        secret(at)
        return None
    if isinstance(python, Mapping) and isinstance(dumped, dict) and len(python) == len(dumped):
        pairs = zip(python.values(), dumped.items(), strict=True)
        return {
            key: _portable(original, value, f"{at}.{key}" if at else key, secret)
            for original, (key, value) in pairs
            if not _is_secret(original, f"{at}.{key}" if at else key, secret)
        }
    if isinstance(dumped, list):
        if isinstance(python, (set, frozenset)):
            return sorted(dumped, key=lambda value: json.dumps(value, sort_keys=True))
        if isinstance(python, Sequence) and len(python) == len(dumped):
            items = enumerate(zip(python, dumped, strict=True))
            return [_portable(o, value, f"{at}.{i}", secret) for i, (o, value) in items]
    return dumped


def _is_secret(value: object, at: str, secret: Callable[[str], None]) -> bool:
    if isinstance(value, (SecretStr, SecretBytes)):
        secret(at)
        return True
    return False


def _not_finite(stage: str, values: Json) -> ParamsError:
    names = ", ".join(_not_finite_at(values, ""))
    return ParamsError(
        f"parameters of stage {stage!r} can't be used",
        why=f"{names or 'a value'} is not a finite number, which JSON can't hold",
        hint="Use None or a large number instead",
    )


def _not_finite_at(value: Json, at: str) -> list[str]:
    if isinstance(value, float) and not math.isfinite(value):
        return [f"{at} ({value})"]
    children: list[tuple[object, Json]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [
        name for key, child in children for name in _not_finite_at(child, f"{at}.{key}".lstrip("."))
    ]
