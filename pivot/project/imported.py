"""Packages that only runs were seen to import: which these are, and what their versions are now."""

import json
from collections.abc import Callable, Collection
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from pivot.state import State

if TYPE_CHECKING:
    from pivot.project.package_versions import PackageVersions, Versions

DOCUMENT: Final = "imported"


class Imported:
    """Looks versions up once for each installation; a no-op has them from the accelerator."""

    def __init__(
        self, state: State, installation: str, versions: Callable[[], "PackageVersions"]
    ) -> None:
        """`installation` differs where other distributions or policies may be.

        `versions` gives what looks at the installation, where somebody has to.
        """
        self._state = state
        self._installation = installation
        self._make = versions

    def behind(self, modules: Collection[str]) -> dict[str, str]:
        """The versions that count for top-level modules, as locks have them."""
        return self._versions.behind(modules) if modules else {}

    def now(self, names: Collection[str]) -> dict[str, str | None]:
        """What stands for packages now, by their names in locks; None for what isn't there.

        `ANY` for those that the policy ignores.
        """
        known = self._known()
        new = [name for name in names if not self._holds(known, name)]
        if new:
            known = known.with_(self._versions.now(new))
            self._state.record_document(DOCUMENT, known.encode(self._installation))
        return {name: known.versions[name] for name in names}

    @cached_property
    def _versions(self) -> "PackageVersions":
        return self._make()

    def _known(self) -> "_Known":
        data = self._state.document(DOCUMENT)
        return (_decode(data, self._installation) if data else None) or _Known({}, {})

    def _holds(self, known: "_Known", name: str) -> bool:
        """Whether a version is known; of own code elsewhere, whether it is as it was.

        What isn't there is looked for each time: own code may come where no installer notes it.
        """
        before = known.elsewhere.get(name)
        is_same = before is None or self._versions.digests(before) == before
        return is_same and known.versions.get(name) is not None


class _Known(NamedTuple):
    """What the accelerator has, see `Versions`."""

    versions: dict[str, str | None]
    elsewhere: dict[str, dict[str, str]]

    def with_(self, found: "Versions") -> "_Known":
        elsewhere = {name: dict(digests) for name, digests in found.elsewhere.items()}
        return _Known({**self.versions, **found.versions}, {**self.elsewhere, **elsewhere})

    def encode(self, installation: str) -> bytes:
        return json.dumps([installation, self.versions, self.elsewhere]).encode()


def _decode(data: bytes, installation: str) -> _Known | None:
    """What `encode` wrote, if it was of this installation."""
    try:
        of, versions, elsewhere = json.loads(data)
    except (ValueError, TypeError):
        return None
    return _Known(versions, elsewhere) if of == installation else None
