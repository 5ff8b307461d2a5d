"""What of the sources that were loaded into this process matters to what they declared."""

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType

from pivot.definition.depending import influence
from pivot.definition.executed import Executed
from pivot.definition.influence import Influence
from pivot.definition.lookups import own_sources
from pivot.definition.mattering import executed, module_of
from pivot.definition.outline import Outline, outline
from pivot.definition.ownership import Ownership


@dataclass(frozen=True, slots=True)
class Loaded:
    """What matters of each source, by its name, and what decides that."""

    executed: Mapping[str, Executed]
    influence: Influence


def loaded_code(
    ran: Mapping[str, Sequence[CodeType]], texts: Collection[str], own: Ownership
) -> Loaded:
    """Tell it of all code that ran, by file.

    A source counts as a whole, and is left out, where it is more than the code of one import and
    what it contains: where it was read as text (it is in `texts`), run twice, or failed.
    """
    simple: dict[str, Outline] = {}
    complete = set(own_sources(own)) - set(texts)
    for file, codes in ran.items():
        module = module_of(codes) if file in complete else None
        if module is not None:
            simple[file] = outline(module, lambda name: _is_own(name, own))
    found = influence(
        simple.values(),
        (code for file in simple for code in ran[file]),
        (code for file in ran.keys() - simple.keys() for code in ran[file]),
        sys.modules.__contains__,
    )
    return Loaded(
        {file: executed(known, found, ran[file]) for file, known in simple.items()}, found
    )


def _is_own(name: str, own: Ownership) -> bool:
    """Whether a module is the project's, or may be."""
    module = sys.modules.get(name)
    if module is None:
        return True
    file = getattr(module, "__file__", None)
    places = [file] if isinstance(file, str) else list(getattr(module, "__path__", ()))
    return any(own.is_own(os.path.join(place, "")) or own.is_own(place) for place in places)
