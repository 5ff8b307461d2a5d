"""How an audit hook learns that a process is started."""

from typing import Final

PROCESSES: Final = (
    "subprocess.",
    "os.system",
    "os.posix_spawn",
    "os.exec",
    "os.fork",
    "os.spawn",
    "pty.",
)
"""What the names of such events begin with. https://docs.python.org/3/library/audit_events.html"""
