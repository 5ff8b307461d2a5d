"""What of the sources that were loaded into this process matters to what they declared."""

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType

from pivot.definition.bytecode.outline import Outline, outline
from pivot.definition.depending import influence
from pivot.definition.executed import Executed
from pivot.definition.influence import Influence
from pivot.definition.lookups import own_sources
from pivot.definition.mattering import executed, module_of
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
    sources = set(own_sources(own))
    modules = _Modules(own)
    for file, codes in ran.items():
        module = module_of(codes) if file in sources - set(texts) else None
        if module is not None:
            simple[file] = outline(module, modules)
    found = influence(
        simple.values(),
        [code for file in simple for code in ran[file]],
        [code for file in ran.keys() - simple.keys() for code in ran[file]],
        modules,
    )
    if not sources <= ran.keys():  # binary modules: what these look up can't be told
        found = Influence()
    if found.sees_code:
        return Loaded({}, found)
    return Loaded(
        {file: executed(known, found, ran[file]) for file, known in simple.items()}, found
    )


class _Modules:
    """The modules of this process."""

    def __init__(self, own: Ownership) -> None:
        self._own = own
        names = [name for name in list(sys.modules) if self.is_own(name)]
        self._names = frozenset(name.rpartition(".")[2] for name in names)

    def is_loaded(self, name: str) -> bool:
        return name in sys.modules

    def is_named(self, name: str) -> bool:
        return name in self._names

    def is_own(self, name: str) -> bool:
        """Whether a module is the project's, or may be."""
        module = sys.modules.get(name)
        if module is None:
            return True
        file = getattr(module, "__file__", None)
        places = [file] if isinstance(file, str) else list(getattr(module, "__path__", ()))
        is_own = self._own.is_own
        return any(is_own(place) or is_own(os.path.join(place, "")) for place in places)
