"""Which installed distributions third-party modules come from, and in which versions."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from typing import Self

from pivot.config import Config
from pivot.distributions import normalized


@dataclass(frozen=True, slots=True)
class Policy:
    """Which packages count: `version` or `ignore` for all, and for some by themselves.

    Attributes:
        default: for those that `own` doesn't name.
        own: by normalised name of a distribution, or of a module that is installed in place.
    """

    default: str = "version"
    own: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config) -> Self:
        return cls(config.text("fingerprint.packages") or "version", config.packages)

    @property
    def counts_any(self) -> bool:
        return "version" in (self.default, *self.own.values())

    def counts(self, distribution: str) -> bool:
        """Whether a distribution's version counts; its name is normalised."""
        return self.own.get(distribution, self.default) == "version"

    def counts_sources(self, module: str) -> bool:
        """Whether the sources of a module that is installed in place count: project code does."""
        return self.own.get(normalized(module)) != "ignore"

    def chosen(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Those of some distributions that count."""
        return {name: version for name, version in versions.items() if self.counts(name)}


def find_providers(modules: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """For each top-level module, its distributions with their public versions.

    The local part (`+cu121`) is dropped, since it tells builds of one release apart. A module
    without a distribution has none; a namespace that several share has them all.

    One pass over the installed distributions, which reads the lists of their files as text:
    `importlib.metadata.packages_distributions` takes ten times as long.
    """
    found: dict[str, dict[str, str]] = {module: {} for module in modules}
    seen: set[str] = set()
    for distribution in distributions() if found else ():
        name = normalized(distribution.name)
        if name in seen:
            continue  # hidden by one that comes earlier on the path
        seen.add(name)
        listing = _listing(distribution)
        for module, providers in found.items():
            if f"\n{module}/" in listing or f"\n{module}." in listing:
                providers[name] = distribution.version.partition("+")[0]
    return found


def find_versions(names: Collection[str]) -> dict[str, str]:
    """The public versions of distributions by their normalised names; of those that are there."""
    found: dict[str, str] = {}
    for distribution in distributions():
        name = normalized(distribution.name)
        if name in names:
            found.setdefault(name, distribution.version.partition("+")[0])
    return found


def _listing(distribution: Distribution) -> str:
    """The distribution's files, each at the start of a line; as wheels or older tools list them."""
    record = distribution.read_text("RECORD")
    if record is None:
        names = distribution.read_text("top_level.txt") or ""
        record = "".join(f"{name}/\n" for name in names.split())
    return "\n" + record
