"""Which installed distributions third-party modules come from, and in which versions."""

from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions


def distribution_versions(modules: Iterable[str]) -> dict[str, str]:
    """Public versions by distribution name, sorted, for top-level module names.

    The local part (`+cu121`) is dropped, since it tells builds of one release apart. Modules
    without a distribution are left out; a namespace that several share names them all.
    """
    providers = find_providers(modules)
    return dict(sorted(item for found in providers.values() for item in found.items()))


def find_providers(modules: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """For each top-level module, its distributions with their public versions.

    One pass over the installed distributions, which reads the lists of their files as text:
    `importlib.metadata.packages_distributions` takes ten times as long.
    """
    found: dict[str, dict[str, str]] = {module: {} for module in modules}
    seen: set[str] = set()
    for distribution in distributions() if found else ():
        name = _normalized(distribution.name)
        if name in seen:
            continue  # hidden by one that comes earlier on the path
        seen.add(name)
        listing = _listing(distribution)
        for module, providers in found.items():
            if f"\n{module}/" in listing or f"\n{module}." in listing:
                providers[name] = distribution.version.partition("+")[0]
    return found


def _listing(distribution: Distribution) -> str:
    """The distribution's files, each at the start of a line; as wheels or older tools list them."""
    record = distribution.read_text("RECORD")
    if record is None:
        names = distribution.read_text("top_level.txt") or ""
        record = "".join(f"{name}/\n" for name in names.split())
    return "\n" + record


def _normalized(name: str) -> str:
    """A distribution's name as indexes write it (PEP 503), so that spellings agree."""
    return "-".join(filter(None, name.lower().replace("_", "-").replace(".", "-").split("-")))
