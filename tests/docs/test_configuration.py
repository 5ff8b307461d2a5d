"""The configuration page names every setting with its real default."""

import re
from pathlib import Path

from pivot.settings import SETTINGS, Value

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "configuration.md"


def test_every_setting_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| (\S+) \|", PAGE.read_text(), re.MULTILINE)
    documented = {name: default.strip("`") for name, default in rows}
    assert documented == {s.name: _shown(s.default) for s in SETTINGS.values()}


def _shown(default: Value | None) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return "-" if default is None else str(default)


def test_the_settings_stand_in_order() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert rows == sorted(rows)
