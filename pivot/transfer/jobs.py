"""How many calls to a remote are under way at once, where nobody says otherwise."""

from typing import Final

JOBS: Final = 8
