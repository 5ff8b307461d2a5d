"""Versions of packages as locks have them: by the modules that are imported, and by their names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pivot.code.outside import find_outside, joined, source_digest
from pivot.code.packages import Policy, find_providers, find_versions
from pivot.lock.observed import ANY
from pivot.project.project import Project


@dataclass(frozen=True, slots=True)
class Versions:
    """What is known of some packages in one installation.

    Attributes:
        versions: by name, as in locks; None for what isn't there, `ANY` for what doesn't count.
        elsewhere: digests of own code outside of the project by its place, by the module's name.
    """

    versions: Mapping[str, str | None] = field(default_factory=dict)
    elsewhere: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class PackageVersions:
    """Finds what counts by the policy of a project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._policy = Policy.of(project.config)

    def behind(self, modules: Collection[str]) -> dict[str, str]:
        """The versions that count for top-level modules.

        Own code that lies outside of the project counts by the name of the module.
        """
        policy = self._policy
        found: dict[str, str] = {}
        for versions in find_providers(modules if policy.counts_any else ()).values():
            found |= policy.chosen(versions)
        return found | {name: joined(d.values()) for name, d in self._elsewhere(modules).items()}

    def now(self, names: Collection[str]) -> Versions:
        """The same by the names that locks have."""
        elsewhere = self._elsewhere(names)
        installed = find_versions(names)
        versions: dict[str, str | None] = {}
        for name in names:
            if name in elsewhere:  # what is installed in place may be a distribution of that name
                versions[name] = joined(elsewhere[name].values())
            elif self._policy.counts(name) and self._policy.counts_sources(name):
                versions[name] = installed.get(name)
            else:
                versions[name] = ANY
        return Versions(versions, elsewhere)

    def digests(self, places: Collection[str]) -> dict[str, str]:
        """Digests of own code by its place."""
        return {place: source_digest(place, self._project.file_id) for place in sorted(places)}

    def _elsewhere(self, modules: Collection[str]) -> dict[str, dict[str, str]]:
        counted = [module for module in modules if self._policy.counts_sources(module)]
        found = find_outside(counted, self._project.root)
        return {module: self.digests(places) for module, places in found.items()}
