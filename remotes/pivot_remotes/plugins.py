"""Backends of other distributions, for schemes that Pivot doesn't know itself.

A distribution names them by entry points: the name is the scheme, the value a function
`open(url, options)` that gives a `Backend`.

    [project.entry-points."pivot_remotes.backends"]
    tape = "pivot_tape:open_tape"

What is installed was installed by the user, so it may run. It can't take the place of a scheme
that Pivot knows.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pivot_remotes.backend import Backend
from pivot_remotes.errors import BadAddress, RemoteError, Unsupported
from pivot_remotes.foreign import Foreign

GROUP: Final = "pivot_remotes.backends"


def find(scheme: str) -> Callable[[str, Mapping[str, str]], Backend] | None:
    """What opens remotes of a scheme, or None where nothing does.

    Reading what is installed takes milliseconds, so only unknown schemes should come here. Raises
    `Unsupported` where two distributions claim the scheme, or the one that does can't be imported.
    """
    found = tuple(entry_points(group=GROUP, name=scheme))
    if not found:
        return None
    if len({point.value for point in found}) > 1:
        names = sorted(point.dist.name for point in found if point.dist is not None)
        raise Unsupported(
            f"several distributions open remotes of {scheme}",
            why=f"they are {', '.join(names)}",
            hint="Uninstall all but one of them",
        )
    return _load(found[0], scheme)


def _load(point: EntryPoint, scheme: str) -> Callable[[str, Mapping[str, str]], Backend]:
    try:
        opener: Any = point.load()
    except (ImportError, AttributeError) as error:
        raise Unsupported(
            f"the plugin for remotes of {scheme} can't be loaded",
            why=f"{point.value}: {error}",
            hint="Install it again, or ask its authors",
        ) from error

    def open_(url: str, options: Mapping[str, str]) -> Backend:
        try:
            return Foreign(opener(url, options))
        except RemoteError:
            raise
        except Exception as error:
            # Code of others may raise anything. Only its kind: the text may repeat a secret option.
            raise BadAddress(
                f"the plugin for remotes of {scheme} can't open this one",
                why=f"{point.value} raised {type(error).__name__}",
                hint="Check the remote's URL and options against the plugin's documentation",
            ) from error

    return open_
