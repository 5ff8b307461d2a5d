"""What code imports a package, and how the stage comes to use that code.

Fingerprints only say which packages they lead to: the sources are asked when somebody wants to
know more.
"""

from collections.abc import Sequence
from dataclasses import replace

from pivot.code.packages import Policy, find_providers
from pivot.distributions import normalized
from pivot.explain import ReasonKind
from pivot.paths import StageName
from pivot.project.account import Account, Detail
from pivot.project.planner import Planner
from pivot.project.project import Project


def find_importers(planner: Planner, stage: StageName, package: str) -> list[str]:
    """The entries of a stage's code that use a package themselves, those nearest to it first.

    A package is named by its distribution, in any spelling, or by a module of it.
    """
    fingerprint = planner.fingerprint(stage)
    providers = find_providers(fingerprint.modules)
    name = normalized(package)
    modules = {module for module, found in providers.items() if package == module or name in found}
    if not modules:
        return []
    used, _ = planner.code.opened.ask(lambda code: code.externals(fingerprint.code))
    found = [entry for entry, names in used.items() if names & modules]
    return sorted(found, key=lambda entry: (len(fingerprint.chain(entry)), entry))


def with_importers(planner: Planner, told: Sequence[Account]) -> tuple[Account, ...]:
    """Accounts in which packages that changed have the way from the stage to the first importer."""
    return tuple(
        replace(one, details=tuple(_traced(planner, one.stage, d) for d in one.details))
        for one in told
    )


def _traced(planner: Planner, stage: StageName, detail: Detail) -> Detail:
    if detail.reason.kind is not ReasonKind.PACKAGE:
        return detail
    package = detail.reason.what
    if detail.reason.new is None and not _counts(planner.project, package):
        detail = replace(detail, notes=(*detail.notes, "the configuration says to ignore it"))
    first = next(iter(find_importers(planner, stage, package)), None)
    if first is None:
        return detail
    fingerprint = planner.fingerprint(stage)
    at = fingerprint.locations[first]
    reason = detail.reason._replace(file=at.file, line=at.line)
    return replace(detail, reason=reason, chain=(*fingerprint.chain(first), package))


def _counts(project: Project, package: str) -> bool:
    """Whether a package, or Python, is to count by the policy of a project."""
    if package == "python":
        return project.config.text("fingerprint.python") != "ignore"
    return Policy.of(project.config).counts(package)
