"""The documentation as data: its pages and the fenced blocks in them."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file name in its title, and where it stands."""

    page: str
    line: int
    language: str
    title: str | None
    text: str

    def commands(self) -> list[str]:
        """What a console block has the reader type, without trailing comments."""
        lines = [line for line in self.text.splitlines() if line.startswith("$ ")]
        return [re.sub(r"\s+# .*", "", line[2:]) for line in lines]


def blocks_of(path: Path) -> list[Block]:
    """The fenced blocks of a Markdown file, from top to bottom."""
    source = path.read_text(encoding="utf-8")
    page = path.relative_to(CHECKOUT).as_posix()
    return [
        Block(
            page,
            source.count("\n", 0, match.start()) + 1,
            match["language"],
            match["title"],
            re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE),
        )
        for match in FENCE.finditer(source)
    ]


@pytest.fixture(scope="session")
def blocks() -> list[Block]:
    """Every fenced block that people write by hand, README and CHANGELOG among them."""
    pages = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")]
    pages += [CHECKOUT / "examples" / "wine" / "README.md"]
    written = [page for page in sorted(pages) if page.name != "cli.md"]
    return [block for page in written for block in blocks_of(page)]


@pytest.fixture(scope="session")
def quickstart() -> list[Block]:
    """The blocks of the quick start, in reading order."""
    return blocks_of(CHECKOUT / "docs" / "getting-started" / "quickstart.md")
