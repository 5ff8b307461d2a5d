"""`python -m pivot`: the command of the interpreter that runs it."""

import sys

# Python puts the folder that it was started in first: no file of a project may stand in for what
# Pivot imports.
if not sys.flags.safe_path:
    del sys.path[0]

from pivot.cli.main import main

sys.exit(main())
