"""The code of a project while it runs: asked for at each stage, as it is at that moment.

What is known of it is believed as long as those files are as they were that the stage's own code
depends on; what only other stages depend on isn't looked at. A stage may write a source of later
ones.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from pivot.code.consulted import DOCUMENT as CONSULTED
from pivot.code.consulted import decode
from pivot.code.fingerprint import ProjectCode
from pivot.code.record import CodeRecord
from pivot.definition.stage import Stage
from pivot.hashing import hash_bytes
from pivot.lock.observed import Observed
from pivot.paths import RepoPath
from pivot.project.beyond import find_beyond
from pivot.project.code import Code
from pivot.project.project import Project
from pivot.project.standing import Standing
from pivot.run.observation import Observation
from pivot.run.sifting import Beyond


class PresentCode:
    """What the code of the stages is now; `keep` keeps what was asked for beside it."""

    def __init__(
        self,
        project: Project,
        code: Code,
        packages: Callable[[Collection[str]], Mapping[str, str]],
    ) -> None:
        """`packages` gives the versions of what stands behind top-level modules."""
        self._project = project
        self._code = code
        self._packages = packages
        self._standing: Standing | None = None
        self._asked: set[str] = set()

    def record_for(self, entry: str) -> CodeRecord:
        """A record in which what it says of one entry (`Stage.entry`) is true now."""
        standing = self._standing or self._stand(self._code.latest)
        if not standing.holds_for(entry):
            self._code.reopen()
            standing = self._stand(self._code.now())
        return standing.record

    def _stand(self, record: CodeRecord) -> Standing:
        data = self._project.state.document(CONSULTED)
        is_ours = data is not None and hash_bytes(data).hex() == record.consulted
        consulted = decode(data) if data is not None and is_ours else None
        self._standing = Standing(self._project, record, consulted)
        return self._standing

    def of(self, stage: Stage) -> Mapping[str, str]:
        """The hashes of a stage's code."""
        code = self.record_for(stage.entry).fingerprints[stage.entry].code
        files = self._code.extra_hashes(stage)
        return {**code, **files} if files else code

    def written(self, stage: Stage, observed: Observed) -> str:
        """How a stage's code, with what was observed of it, is written; see `Lock.sources`."""
        # No more than that these very sources are there, which asking makes sure of.
        record = self._code.latest
        names = {*record.fingerprints[stage.entry].code, *observed.code}
        return self._ask(lambda code: code.text(stage.symbol, names))

    def beyond(self, entry: str, seen: Observation) -> Beyond:
        """What ran beyond the fingerprint of an entry."""
        record = self.record_for(entry)
        fingerprint, known = record.fingerprints[entry], record.packages[entry]
        found = self._ask(lambda code: find_beyond(code, fingerprint, seen))
        self._asked.update(found.code)
        packages = self._packages(found.modules)
        return replace(found, packages={n: v for n, v in packages.items() if n not in known})

    def hashes(self, names: Collection[str]) -> Mapping[str, str | None]:
        """The hashes of any symbols; see `Code.hashes`."""
        if not names:
            return {}
        self._asked.update(names)
        return self._ask(lambda code: code.hashes(names))

    def _ask[T](self, question: Callable[[ProjectCode], T]) -> T:
        """Ask the sources, and ask again if one of those that say it isn't what it was."""
        standing = self._standing or self._stand(self._code.latest)
        answer, files = self._code.opened.ask(question)
        if not standing.has_files(files):
            self._code.reopen()
            answer, _ = self._code.opened.ask(question)
        standing.note(*self._code.opened.news())
        return answer

    @property
    def sources(self) -> Collection[RepoPath]:
        """The sources of all modules that stages depend on, as far as they are known."""
        standing = self._standing or self._stand(self._code.latest)
        return standing.sources

    def keep(self) -> None:
        """Keep the hashes that were asked for, so that the next command needn't look for them."""
        if self._asked - self._code.latest.asked.keys():
            self._code.with_asked(self._asked)
