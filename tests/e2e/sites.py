"""A folder of installed packages, for tests that install, upgrade and remove some."""

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Site:
    """A folder of installed packages beside a project, which its interpreter reads at start."""

    folder: Path

    def install(self, name: str, version: str, module: str, *, text: str = "VALUE = 1\n") -> None:
        self.remove(name)
        (self.folder / module).mkdir(exist_ok=True)
        (self.folder / module / "__init__.py").write_text(text)
        self._record(name, version, f"{module}/__init__.py,,\n")

    def remove(self, name: str) -> None:
        """Its modules stay."""
        for old in self.folder.glob(f"{name}-*.dist-info"):
            (old / "METADATA").unlink()
            (old / "RECORD").unlink()
            old.rmdir()

    def _record(self, name: str, version: str, files: str) -> None:
        info = self.folder / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text(files)

    def in_place_by_path(self, name: str, source: Path) -> None:
        """As `pip install -e` does for a layout with `src/`."""
        (self.folder / f"__editable__.{name}-1.pth").write_text(f"{source}\n")
        self._record(name, "1", f"__editable__.{name}-1.pth,,\n")

    def in_place_by_hook(self, finder: str, name: str, module: str, folder: Path) -> None:
        """As `pip install -e` does for packages that no path alone would give."""
        hook = f"{finder.partition(' ')[0]}___{name}_finder"
        (self.folder / f"{hook}.py").write_text(
            finder.partition(" ")[2].format(mapping={module: str(folder)})
            if "{mapping" in finder
            else finder
        )
        (self.folder / f"{hook}.pth").write_text(f"import {hook}; {hook}.install()\n")
        self._record(name, "1", f"{hook}.pth,,\n{hook}.py,,\n")
