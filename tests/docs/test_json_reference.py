"""The JSON page links every published schema, once."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_every_schema_is_linked_once() -> None:
    page = (DOCS / "reference" / "json.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(\.\./schemas/([a-z-]+\.json)\)", page)
    assert sorted(linked) == sorted(path.name for path in (DOCS / "schemas").iterdir())
