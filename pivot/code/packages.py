"""Which installed distributions third-party modules come from, and in which versions."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, version


def distribution_versions(modules: Iterable[str]) -> dict[str, str]:
    """Public versions by distribution name, sorted, for top-level module names.

    The local part (`+cu121`) is dropped, since it tells builds of one release apart. Modules
    without a distribution are left out; a namespace that several share names them all.
    """
    wanted = set(modules)
    if not wanted:
        return {}
    providers = packages_distributions()
    names = {_normalized(d) for module in wanted for d in providers.get(module, ())}
    found = {name: _public_version(name) for name in sorted(names)}
    return {name: text for name, text in found.items() if text is not None}


def _normalized(name: str) -> str:
    """A distribution's name as indexes write it (PEP 503), so that spellings agree."""
    return "-".join(filter(None, name.lower().replace("_", "-").replace(".", "-").split("-")))


def _public_version(name: str) -> str | None:
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None
