"""What locks say of code that isn't parsed: packages, sources elsewhere, binaries, Python."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from pivot.code.binaries import find_binaries
from pivot.code.findings import Fingerprint
from pivot.code.outside import find_outside, joined, source_digest
from pivot.code.packages import Policy, find_providers
from pivot.paths import RepoPath
from pivot.project.project import Project


class Installed:
    """Finds what counts by the policy of a project; `roots` are where modules come from."""

    def __init__(self, project: Project, roots: Sequence[RepoPath]) -> None:
        self._project = project
        self._policy = Policy.of(project.config)
        self._roots = tuple(roots)

    def behind(
        self, fingerprints: Mapping[str, Fingerprint], names: Iterable[str]
    ) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
        """The versions that count for each symbol, and digests of code that isn't parsed.

        `names` are all dotted names that analysis looked for: what it didn't find may be a binary.
        """
        policy = self._policy
        modules = {module for f in fingerprints.values() for module in f.modules}
        found = find_providers(modules if policy.counts_any else ())
        providers = {module: policy.chosen(versions) for module, versions in found.items()}
        counted = [module for module in modules if policy.counts_sources(module)]
        outside, binaries, digests = self._other_sources(counted, names)
        packages = {
            symbol: self._versions(fingerprint.modules, providers)
            | {module: outside[module] for module in fingerprint.modules & outside.keys()}
            | binaries
            for symbol, fingerprint in fingerprints.items()
        }
        return packages, digests

    def _other_sources(
        self, modules: Iterable[str], names: Iterable[str]
    ) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        """What stands in locks for sources elsewhere and binaries, and the digests behind it.

        By module: own code outside, for who imports it; binaries of the project, for all stages.
        """
        root = self._project.root
        outside = find_outside(modules, root)
        folders = (os.path.join(root, folder) for folder in self._roots)
        binaries = find_binaries(names, map(os.path.normpath, folders))
        places = frozenset(binaries.values()).union(*outside.values())
        digests = {place: source_digest(place, self._project.file_id) for place in places}
        return (
            {module: joined(digests[p] for p in found) for module, found in outside.items()},
            {module: joined([digests[place]]) for module, place in binaries.items()},
            digests,
        )

    def _versions(
        self, modules: Iterable[str], providers: Mapping[str, Mapping[str, str]]
    ) -> dict[str, str]:
        """The versions that count for a symbol: of distributions, and of Python."""
        found: dict[str, str] = {}
        for module in modules:
            found |= providers.get(module, {})
        if self._project.config.text("fingerprint.python") == "minor":
            found["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
        return dict(sorted(found.items()))
