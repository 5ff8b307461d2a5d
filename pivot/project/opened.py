"""An analysis that stays open, so that what it found out once needn't be found out again."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from pivot.code.fingerprint import ProjectCode
from pivot.hashing import ObjectId
from pivot.paths import RepoPath
from pivot.project.known import KnownSources

type Evidence = tuple[
    Mapping[RepoPath, ObjectId | None], Mapping[RepoPath, bool], Mapping[RepoPath, Sequence[str]]
]
"""Files, folders and listings, as in `CodeRecord`."""


class OpenedCode:
    """The sources as they were when each was first asked for."""

    def __init__(self, code: ProjectCode, known: KnownSources) -> None:
        """`code` may have looked for some already, which `news` leaves out."""
        self._code = code
        self._known = known
        self._told = (len(code.evidence), len(code.folders), len(code.listings))

    def ask[T](
        self, question: Callable[[ProjectCode], T]
    ) -> tuple[T, Mapping[RepoPath, ObjectId | None]]:
        """The answer, and what the files held on which it depends."""
        try:
            answer, files = self._code.answer(question)
        finally:
            self._known.close()
        evidence = self._code.evidence
        return answer, {file: evidence[file] for file in files}

    @property
    def evidence(self) -> Evidence:
        """All that was looked for so far."""
        return self._code.evidence, self._code.folders, self._code.listings

    def news(self) -> Evidence:
        """What was looked for since this was last asked."""
        (files, folders, listings), told = self.evidence, self._told
        self._told = (len(files), len(folders), len(listings))
        return (
            dict(islice(files.items(), told[0], None)),
            dict(islice(folders.items(), told[1], None)),
            dict(islice(listings.items(), told[2], None)),
        )
