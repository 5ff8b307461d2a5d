"""Checking values against the published schemas, of the keywords that those use."""

import json
from pathlib import Path

SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}
KEYWORDS = {"$schema", "$defs", "title", "type", "properties", "required", "additionalProperties"}
KEYWORDS |= {"items", "enum", "const", "anyOf", "minimum", "$ref"}


def conforms(value, name):
    """Check a value against a published schema, of the keywords that those use."""
    root = json.loads((SCHEMAS / f"{name}.json").read_text())
    faults = list(check(value, root, root, "$"))
    assert not faults, faults


def check(value, schema, root, at):
    assert schema.keys() <= KEYWORDS, schema.keys() - KEYWORDS
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema:
        found = [list(check(value, option, root, at)) for option in schema["anyOf"]]
        if all(found):
            yield f"{at}: {value!r} is none of the options: {found}"
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not in {schema['enum']}"
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        kinds = [TYPES[name] for name in names]
        if not any(isinstance(value, kind) for kind in kinds) or (
            isinstance(value, bool) and "boolean" not in names
        ):
            yield f"{at}: {value!r} is no {names}"
            return
    if isinstance(value, dict):
        yield from check_object(value, schema, root, at)
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from check(item, schema["items"], root, f"{at}[{i}]")
    if isinstance(value, int | float) and value < schema.get("minimum", value):
        yield f"{at}: {value} is too small"


def check_object(value, schema, root, at):
    known = schema.get("properties", {})
    missing = [name for name in schema.get("required", ()) if name not in value]
    yield from (f"{at}: {name} is missing" for name in missing)
    rest = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            yield from check(item, known[name], root, f"{at}.{name}")
        elif rest is False:
            yield f"{at}: {name} is unknown"
        elif rest is not True:
            yield from check(item, rest, root, f"{at}.{name}")
