"""Projects of real size to be mutated: the example, and a copy of Pivot as a user's own code."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pivot.code.fingerprint import Fingerprint, ProjectCode
from pivot.errors import DefinitionError
from pivot.paths import RepoPath
from tests.fingerprint.memory import InMemory

REPOSITORY: Final = Path(__file__).parents[3]
_USER: Final = Path(__file__).parent / "user"


@dataclass(frozen=True, slots=True)
class Subject:
    """A project, and how its stages are run.

    Attributes:
        files: its sources, by path.
        calls: for each stage, the expression that runs it; its module is imported before.
        libraries: modules from elsewhere, which are imported once for all runs.
        data: other files that its stages read, by path.
    """

    name: str
    files: Mapping[str, str]
    calls: Mapping[str, str]
    libraries: tuple[str, ...]
    data: Mapping[str, bytes]

    @property
    def modules(self) -> Mapping[str, str]:
        """The file of each module, by dotted name."""
        names = {path: path.removesuffix(".py").replace("/", ".") for path in self.files}
        return {name.removesuffix(".__init__"): path for path, name in names.items()}

    def fingerprints(self, changed: Mapping[str, str]) -> Mapping[str, Fingerprint]:
        """The fingerprint of each stage, with the files that `changed` holds instead.

        A stage whose function isn't defined any more has none.
        """
        files = {path: text.encode() for path, text in (dict(self.files) | changed).items()}
        code = ProjectCode(InMemory(files), [RepoPath(".")])
        found: dict[str, Fingerprint] = {}
        for stage in self.calls:
            with contextlib.suppress(DefinitionError):
                found[stage] = code.fingerprint(f"pipeline:{stage}")
        return found


def wine() -> Subject:
    """The example: five stages over pandas and scikit-learn, each a few files deep."""
    folder = REPOSITORY / "examples" / "wine"
    sources = ("pipeline.py", "features", "reports")
    files = [f for name in sources for f in (folder / name, *(folder / name).glob("*.py"))]
    return Subject(
        name="wine",
        files={str(f.relative_to(folder)): f.read_text() for f in files if f.is_file()},
        calls={
            "prepare": "prepare()",
            "split": "split(SplitParams())",
            "train": "train(TrainParams())",
            "evaluate": "evaluate()",
            "plot": "plot()",
        },
        libraries=(
            *("pivot", "pydantic", "pandas", "sklearn.linear_model", "sklearn.model_selection"),
            *("sklearn.metrics", "matplotlib.figure", "matplotlib.backends.backend_agg"),
        ),
        data={"data/wine.csv": (folder / "data" / "wine.csv").read_bytes(), "build/.keep": b""},
    )


def tivop() -> Subject:
    """Pivot itself under another name, for what is named `pivot` isn't analysed."""
    package = REPOSITORY / "pivot"
    copy = {
        f"tivop/{file.relative_to(package)}": re.sub(r"\bpivot\b", "tivop", file.read_text())
        for file in package.rglob("*.py")
    }
    own = {file.name: file.read_text() for file in _USER.glob("*.py")}
    return Subject(
        name="tivop",
        files=copy | own,
        calls={s: f"{s}()" for s in ("fingerprints", "locks", "graphs", "numbers")},
        libraries=("blake3", "pydantic", "yaml", "importlib.metadata", "ast", "csv", "json"),
        data={},
    )
