"""The table of what makes a stage run says what the corpus finds."""

import importlib.util
from pathlib import Path

GENERATOR = Path(__file__).parents[2] / "docs" / "reference" / "generate_fingerprint.py"


def test_the_committed_page_is_what_the_corpus_finds() -> None:
    """Run `python docs/reference/generate_fingerprint.py` when this fails."""
    spec = importlib.util.spec_from_file_location("generate_fingerprint", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert generator.PAGE.read_text(encoding="utf-8") == generator.render()
