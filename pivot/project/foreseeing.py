"""Parsing what stages will probably reach while their definitions are loaded, which takes as long.

Whatever is found this way is kept by the content of its source: a wrong guess costs some time.
"""

import contextlib
from collections.abc import Iterator, Sequence

from pivot.code.ahead import Parsing, guess
from pivot.code.edition import edition
from pivot.code.record import DOCUMENT
from pivot.definition.discovery import Source
from pivot.forking import useful
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.project.known import KnownSources
from pivot.project.project import Project
from pivot.project.sources import DiskSources

# Where else than in its root a project has its packages is known when it is loaded.
_ROOTS = (RepoPath.ROOT, RepoPath("src"))


class Foresight:
    """The facts of all that a project's sources of stages seem to import."""

    def __init__(self, project: Project, sources: Sequence[Source]) -> None:
        self._sources = DiskSources(project.root)
        self._names = [source.module or source.removesuffix(".py") for source in sources]
        self._known = KnownSources(project.workspace.file_id, project.state, edition())
        self._is_first = project.state.document(DOCUMENT) is None
        self._parsing: Parsing | None = None

    def begin(self) -> None:
        """Start, if nothing is known of the code yet, and there is a processor for it.

        After an edit most of it is known, and looking for the rest would take longest.
        """
        # A file that can't be read is told of by whoever needs it.
        with contextlib.suppress(OSError):
            if useful() and self._is_first:
                guesses = guess(self._sources, _ROOTS, self._names)
                self._parsing = Parsing.start(guesses, self._is_known)

    def _is_known(self, key: ObjectId) -> bool:
        return self._known.facts(key) is not None

    def stop(self) -> None:
        """End what was begun, if it didn't end yet."""
        if self._parsing is not None:
            self._parsing.stop()

    def keep(self) -> None:
        """Wait for what was begun, and keep it for the analysis."""
        if self._parsing is not None:
            for key, facts in self._parsing.facts().items():
                self._known.keep(key, facts)
            self._known.close()


@contextlib.contextmanager
def foreseeing(project: Project, sources: Sequence[Source]) -> Iterator[Foresight]:
    """What is left of it in the end, for an error came first, is stopped."""
    foresight = Foresight(project, sources)
    try:
        yield foresight
    finally:
        foresight.stop()
