"""A project of many modules of a hundred lines, each of which some stage reaches.

Modules come in areas of fifty that are called as a binary tree, from the area's first one; so each
stage reaches fifty modules, with all that is in them.
"""

from pathlib import Path

AREA = 50
STAGES_OF_AREA = 10
LINES = 100

_HEAD = '''\
"""Part {number:02} of its area: generated, a hundred lines."""

import json
import math
from collections import Counter

{imports}

LIMIT = {number}
WEIGHTS = {{"low": 0.25, "middle": 0.5, "high": {number}.75}}
NAMES = tuple(sorted(WEIGHTS))


class Scaler:
    """Scales values by what it has seen of them."""

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        self.low = low
        self.high = high
        self.weights = dict(WEIGHTS)

    @property
    def width(self) -> float:
        """How far apart the ends are; never nothing."""
        return max(self.high - self.low, 1e-9)

    def scale(self, value: float) -> float:
        """A value between the ends as a share of the width."""
        if value < self.low or value > self.high:
            value = min(max(value, self.low), self.high)
        return (value - self.low) / self.width

    def weight(self, name: str) -> float:
        """The weight of a name, or that of the first."""
        return self.weights.get(name, self.weights[NAMES[0]])
'''
_FUNCTION = '''

def {name}(values: list[float], *, limit: int = LIMIT) -> list[float]:
    """Keep what is within the limit, {name}."""
    kept = []
    for index, value in enumerate(values):
        if math.isnan(value) or index > limit + {offset}:
            continue
        kept.append(round(value * {offset}, 6) if value > 0 else {earlier})
    return kept
'''
_RUN = '''

def run(values: list[float]) -> list[float]:
    """All of this module, then what is below it."""
    scaler = Scaler(min(values, default=0.0), max(values, default=1.0))
    counts = Counter(json.loads(json.dumps(sorted(WEIGHTS))))
    values = [scaler.scale(v) * scaler.weight(NAMES[len(counts) % 3]) for v in values]
    values = last(values)
{calls}    return values
'''
_STAGE = """

@stage(deps=["raw.json"], outs=["made/{name}.json"])
def {name}() -> None:
    with open("raw.json") as file:
        values = json.load(file)
    with open("made/{name}.json", "w") as file:
        json.dump(part_00.run(values) + [{number}], file)
"""


def write_project(project: Path, modules: int) -> list[Path]:
    """Write so many modules with their stages; returns the modules."""
    (project / "made").mkdir()
    (project / "stages").mkdir()
    (project / "stages" / "__init__.py").write_text("")
    (project / "raw.json").write_text("[1, 2, 3]")
    written, imports = [], []
    for area in range(modules // AREA):
        folder = project / f"area_{area:02}"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for number in range(AREA):
            written.append(folder / f"part_{number:02}.py")
            written[-1].write_text(module(folder.name, number))
        (project / "stages" / f"of_{area:02}.py").write_text(_stages(area))
        imports.append(f"import stages.of_{area:02}\n")
    (project / "pipeline.py").write_text("".join(imports))
    return written


def module(area: str, number: int) -> str:
    """One module: a class, constants, functions that use each other, and what is below it."""
    below = [n for n in (2 * number + 1, 2 * number + 2) if n < AREA]
    imports = "".join(f"from {area} import part_{n:02}\n" for n in below)
    calls = "".join(f"    values = part_{n:02}.run(values)\n" for n in below)
    names = ("first", "second", "third", "fourth", "last")
    functions = []
    for offset, name in enumerate(names, 1):
        earlier = f"len({names[offset - 2]}(values[:1]))" if offset > 1 else "0"
        functions.append(_FUNCTION.format(name=name, offset=offset, earlier=earlier))
    head = _HEAD.format(number=number, imports=imports.rstrip())
    text = head + "".join(functions) + _RUN.format(calls=calls)
    return text + "# The end.\n" * (LINES - text.count("\n"))


def _stages(area: int) -> str:
    head = f"import json\n\nfrom area_{area:02} import part_00\nfrom pivot import stage\n"
    numbers = range(area * STAGES_OF_AREA, (area + 1) * STAGES_OF_AREA)
    return head + "".join(_STAGE.format(name=f"make_{n:03}", number=n) for n in numbers)
