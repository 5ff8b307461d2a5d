"""Changing configuration files: comments, order and formatting of what people wrote stay."""

import os
from collections.abc import Mapping

import tomlkit
from tomlkit.container import OutOfOrderTableProxy
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from pivot.distributions import normalized
from pivot.errors import UsageError
from pivot.files import write_atomic
from pivot.settings import Value, known_setting


def parse_value(name: str, text: str) -> Value:
    """The value that `text` means for a setting. Raises `UsageError` if it isn't allowed."""
    setting = known_setting(name)
    value = setting.parse(text)
    fault = setting.check(value)
    if fault is not None:
        hint = "`pivot config list` shows the settings and their values"
        raise UsageError(f"{text!r} can't be the value of {name}", why=fault, hint=hint)
    return value


def update(path: str, values: Mapping[str, Value | None], *, private: bool = False) -> None:
    """Set dotted keys of a TOML file, or remove those with None; the file is made if absent.

    A `private` file can be read by its owner alone, and stays so.
    """
    document = _load(path)
    for name, value in values.items():
        *tables, key = name.split(".")
        table = _enter(document, tables, path)
        key = next((k for k in table if _is_same(tables, k, key)), key)
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    _store(path, document, private=private)


def _is_same(tables: list[str], key: str, other: str) -> bool:
    """Whether two keys are one: names of packages have several spellings."""
    if tables == ["fingerprint", "package"]:
        return normalized(key) == normalized(other)
    return key == other


def remove_table(path: str, parent: str, name: str) -> None:
    """Remove the table `[parent.name]` of a TOML file with all that is in it."""
    document = _load(path)
    tables = _enter(document, [parent], path)
    tables.pop(name, None)
    _store(path, document, private=False)


def rename_table(path: str, parent: str, old: str, new: str) -> None:
    """Rename the table `[parent.old]` of a TOML file, which comes after the others then."""
    document = _load(path)
    tables = _enter(document, [parent], path)
    if old in tables:
        tables[new] = tables[old]
        del tables[old]
    _store(path, document, private=False)


def _store(path: str, document: tomlkit.TOMLDocument, *, private: bool) -> None:
    _drop_empty(document)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    mode = 0o600 if private or _is_private(path) else 0o666
    text = tomlkit.dumps(document)
    if text.endswith("\n\n"):  # it stood before a table that was removed
        text = text.rstrip("\n") + "\n"
    write_atomic(path, text.encode(), mode=mode)


def _is_private(path: str) -> bool:
    try:
        return not os.stat(path).st_mode & 0o077
    except FileNotFoundError:
        return False


def _load(path: str) -> tomlkit.TOMLDocument:
    try:
        with open(path, encoding="utf-8") as f:
            return tomlkit.load(f)
    except FileNotFoundError:
        return tomlkit.document()
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is no valid TOML",
            why=str(error),
            hint=f"Correct {path}, then run `pivot config list`",
        ) from error


# A table whose parts stand in several places of a file is a proxy of them.
type _Table = tomlkit.TOMLDocument | Table | OutOfOrderTableProxy


def _enter(document: tomlkit.TOMLDocument, tables: list[str], path: str) -> _Table:
    here: _Table = document
    for number, name in enumerate(tables):
        inner = here.get(name)
        if inner is None:
            inner = tomlkit.table(is_super_table=number + 1 < len(tables))
            if here is document and document and not tomlkit.dumps(document).endswith("\n\n"):
                document.add(tomlkit.nl())
            here[name] = inner
            inner = here[name]
        if not isinstance(inner, Table | OutOfOrderTableProxy):
            raise UsageError(
                f"{path}: {name!r} is no table",
                hint=f"Correct {path}, then run `pivot config list`",
            )
        here = inner
    return here


def _drop_empty(document: tomlkit.TOMLDocument | Table) -> None:
    for name in list(document.keys()):
        inner = document[name]
        if isinstance(inner, Table):
            _drop_empty(inner)
            if not inner:
                document.remove(name)
