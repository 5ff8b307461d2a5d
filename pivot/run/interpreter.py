"""How to start another Python that behaves like this one."""

import sys


def command(python: str, module: str, *arguments: str) -> list[str]:
    """The command that runs `module` in `python`, under this interpreter's own options.

    `-P` keeps the working directory off `sys.path`, so that no file of a project is taken for a
    module of the standard library or of Pivot.
    """
    options = ["-P"]
    options += ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
    options += ["-B"] if sys.flags.dont_write_bytecode else []
    options += ["-E"] if sys.flags.ignore_environment else []
    options += ["-s"] if sys.flags.no_user_site else []
    for name, value in sys._xoptions.items():  # noqa: SLF001 - documented
        options += ["-X", name if value is True else f"{name}={value}"]
    for warning in sys.warnoptions:
        options += ["-W", warning]
    return [python, *options, "-m", module, *arguments]
