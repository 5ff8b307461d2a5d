"""The demo is a promise: it is played from beginning to end."""

import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "wine" / "demo.py"


@pytest.mark.demo
@pytest.mark.timeout(600)
def test_the_demo_plays_to_its_end_without_home_and_identity(tmp_path: Path) -> None:
    """A fresh machine has neither; its temporary folder may be anywhere."""
    played = subprocess.run(
        [sys.executable, str(DEMO)],
        cwd=tmp_path,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=580,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert "All of it is as it should be" in played.stdout
    assert list(tmp_path.iterdir()) == [], "the demo cleans up"
