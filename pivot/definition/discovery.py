"""Which sources of a project define stages. Nothing is imported to find out."""

import os

from pivot.errors import DefinitionError

PIPELINE_FILE = "pipeline.py"
_MODULE_PREFIX = "module:"

_EXAMPLE = """Put this into `pipeline.py`:

    from pivot import stage

    @stage(deps=["data.csv"], outs=["clean.csv"])
    def clean():
        ...
"""


class NoStagesError(DefinitionError):
    """A project without any file that could define stages."""


class Source(str):
    """What defines stages: a pipeline file's path (`pipeline.py`), or `module:pkg.stages`."""

    __slots__ = ()

    @property
    def module(self) -> str | None:
        """The dotted name of a configured module; None for a pipeline file."""
        return self.removeprefix(_MODULE_PREFIX) if self.startswith(_MODULE_PREFIX) else None

    @classmethod
    def of_module(cls, name: str) -> "Source":
        """The source for a module that the configuration names.

        Raises `DefinitionError` if `name` is no dotted module name.
        """
        if not all(part.isidentifier() for part in name.split(".")):
            raise DefinitionError(
                f"{name!r} in .pivot/config.toml is no module name",
                why="[pipeline] module takes a dotted name",
                hint="Set it with `pivot config set pipeline.module pkg.stages`",
            )
        return cls(_MODULE_PREFIX + name)


def discover(project: str, module: str | None = None) -> tuple[Source, ...]:
    """The sources of the project at the absolute path `project`, in the order they are loaded.

    Args:
        project: absolute path of the project root.
        module: `[pipeline] module` of the configuration, if it is set.

    Raises:
        NoStagesError: there is none.
        DefinitionError: `module` is no module name.
    """
    found: list[Source] = []
    if os.path.isfile(os.path.join(project, PIPELINE_FILE)):
        found.append(Source(PIPELINE_FILE))
    if module is not None:
        found.append(Source.of_module(module))
    if not found:
        raise NoStagesError(
            "no stages are defined here",
            why=f"{project} has no {PIPELINE_FILE}, and .pivot/config.toml names no module",
            hint=_EXAMPLE,
        )
    return tuple(found)
