"""The configuration page names every setting with its real default."""

import re
from pathlib import Path

from pivot.config import SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "configuration.md"


def test_every_setting_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \| (\S+) \|", PAGE.read_text(), re.MULTILINE)
    documented = {name: default.strip("`") for name, default in rows}
    real = {s.name: "-" if s.default is None else str(s.default) for s in SETTINGS.values()}
    assert documented == real


def test_the_settings_stand_in_order() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert rows == sorted(rows)
