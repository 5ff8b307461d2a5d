"""A report of an unexpected error, ready to paste into an issue."""

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence

from pivot import __version__


def write_report(arguments: Sequence[str], error: BaseException) -> str:
    """Write versions, the command and the traceback to a new file; returns its path.

    Values of the environment are left out: they may hold secrets.
    """
    lines = [
        "### Pivot error report",
        "",
        f"- pivot {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"- command: `pivot {' '.join(arguments)}`",
        f"- executable: {sys.executable}",
        "",
        "```",
        "".join(traceback.format_exception(error)).rstrip(),
        "```",
        "",
    ]
    fd, path = tempfile.mkstemp(prefix="pivot-error-", suffix=".md")
    with os.fdopen(fd, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    return path
