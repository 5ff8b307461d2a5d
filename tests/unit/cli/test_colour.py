"""Whether text may be coloured."""

import pytest

from pivot.cli.colour import colour


@pytest.mark.parametrize(
    ("value", "wanted"), [(None, None), ("", None), ("1", False), ("0", False)]
)
def test_any_value_of_no_color_turns_colours_off(value, wanted, monkeypatch):
    """As https://no-color.org has it: present, and not an empty string, regardless of its value."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    assert colour() is wanted
