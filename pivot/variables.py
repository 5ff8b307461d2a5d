"""Environment variables that configure remotes."""

import re
from collections.abc import Collection, Iterator, Mapping

_VARIABLES = "PIVOT_REMOTE_"
_ADDRESS = re.compile(f"{_VARIABLES}(.+)_URL")


def environment_name(remote: str, option: str = "url") -> str:
    """The variable that gives a remote's URL or an option of it.

    `PIVOT_REMOTE_TEAM_CACHE_URL` is that for the remote `team-cache`.
    """
    return f"{_VARIABLES}{remote.upper().replace('-', '_')}_{option.upper()}"


def environment_remotes(environ: Mapping[str, str], configured: Collection[str]) -> set[str]:
    """The names of remotes that only the environment has."""
    given = {match[1]: name for name in environ if (match := _ADDRESS.fullmatch(name))}
    known = {environment_name(name) for name in configured} | set(given.values())
    return {
        middle.lower().replace("_", "-")
        for middle, variable in given.items()
        if variable not in map(environment_name, configured)
        and not (middle.endswith("_ENDPOINT") and _base(variable) in known)
    }


def _base(variable: str) -> str:
    """The variable with the address of the remote whose endpoint `variable` gives."""
    return variable.removesuffix("_ENDPOINT_URL") + "_URL"


def environment_options(
    environ: Mapping[str, str], remote: str, remotes: Collection[str]
) -> Iterator[tuple[str, str]]:
    """What variables say of a remote, `url` among it; those that are empty say nothing."""
    prefix = environment_name(remote, "")
    longer = tuple(
        other
        for other in (environment_name(name, "") for name in remotes)
        if len(other) > len(prefix)
    )
    for variable, text in environ.items():
        if not text or not variable.startswith(prefix) or variable.startswith(longer):
            continue
        option = variable.removeprefix(prefix)
        if option and (option in ("URL", "ENDPOINT_URL") or not option.endswith("_URL")):
            yield option.lower(), text
