"""The command line: one file a command, one table of commands, one error boundary."""

import gc

# Commands import much, make many objects and few cycles, and end soon: look for cycles rarely.
gc.set_threshold(100_000, 20, 100)
