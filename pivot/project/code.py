"""The code that a project's stages reach: fingerprints with their evidence, and single symbols."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from pivot.code.edition import edition
from pivot.code.extra import extra_files
from pivot.code.findings import Fingerprint, Reached
from pivot.code.record import DOCUMENT, CodeRecord, decode, encode
from pivot.definition.definitions import Definitions
from pivot.definition.extra import paths_of
from pivot.definition.stage import Stage
from pivot.hashing import ObjectId, hash_bytes
from pivot.lock.observed import Observed
from pivot.paths import RepoPath
from pivot.project.known import KnownSources
from pivot.project.project import Project
from pivot.project.sources import DiskSources

if TYPE_CHECKING:
    from pivot.code.fingerprint import ProjectCode


class Code:
    """What the stages of `definitions` reach in `project`.

    Nothing is parsed as long as what was found before still holds.
    """

    def __init__(
        self,
        project: Project,
        definitions: Definitions,
        looked_at: Mapping[str, ObjectId | None] | None = None,
    ) -> None:
        """`looked_at` are the ids of files that were just looked at: `record` is of that time."""
        self._project = project
        self._definitions = definitions
        self._looked_at = looked_at or {}
        self._latest: CodeRecord | None = None
        self._texts: tuple[CodeRecord, ProjectCode, KnownSources] | None = None

    @cached_property
    def record(self) -> CodeRecord:
        """The fingerprints of all stages, as the sources were when this was first asked."""
        symbols = sorted({stage.entry for stage in self._definitions.stages})
        roots = self._definitions.roots
        identity = self.installation
        data = self._project.state.document(DOCUMENT)
        known = decode(data) if data is not None else None
        if (
            known is not None
            and known.roots == roots
            and known.installation == identity
            and known.fingerprints.keys() == set(symbols)
            and self._holds(known, self._looked_at)
        ):
            return known
        return self._analyse(symbols, roots, identity, known)

    def now(self) -> CodeRecord:
        """The fingerprints of all stages at this moment; analysed again after an edit only."""
        record = self._latest or self.record
        if not self._holds(record):
            symbols = list(record.fingerprints)
            record = self._analyse(symbols, record.roots, record.installation, record)
        self._latest = record
        return record

    def code_now(self, stage: Stage) -> Mapping[str, str]:
        """The hashes of a stage's code at this moment, not as they were when it was planned."""
        return {**self.now().fingerprints[stage.entry].code, **self._files(stage)}

    def written_now(self, stage: Stage, observed: Observed) -> str:
        """How a stage's code, with what was observed of it, is written; see `Lock.sources`."""
        record = self._latest or self.record
        names = {*record.fingerprints[stage.entry].code, *observed.code}
        return self.text(stage.symbol, names)

    def files_of(self, stage: Stage) -> tuple[RepoPath, ...]:
        """The files that a stage's `extra_code` names."""
        return tuple(map(RepoPath, paths_of(list(self._files(stage)))))

    def _files(self, stage: Stage) -> dict[str, str]:
        workspace = self._project.workspace
        return extra_files(stage.name, stage.extra, workspace.root, workspace.file_id)

    def hashes(self, names: Collection[str]) -> dict[str, str | None]:
        """The present hash of any `package.module:name`, whether or not a stage reaches it.

        `<effects>` as a name stands for what a module does when it is imported, `<module>` for all
        of it. None where there is no such thing, or where its source can't be parsed.
        """
        if not names:
            return {}
        record = self.now()
        new = set(names) - record.asked.keys()
        if new:
            record = self._with_asked(record, new)
        return {name: record.asked[name] for name in names}

    def _with_asked(self, record: CodeRecord, names: Collection[str]) -> CodeRecord:
        """The record with the hashes of more symbols: kept, if all was read in one state."""
        asked, files, folders, listings = self._read(
            lambda code: (
                code.hashes(names),
                dict(code.evidence),
                dict(code.folders),
                dict(code.listings),
            )
        )
        is_same = all(record.files.get(path, id_) == id_ for path, id_ in files.items())
        fuller = replace(
            record,
            asked={**record.asked, **asked},
            files={**record.files, **files},
            folders={**record.folders, **folders},
            listings={**record.listings, **listings},
        )
        if is_same:
            self._latest = fuller
            self._project.state.record_document(DOCUMENT, encode(fuller))
        return fuller

    def fingerprint(self, entry: str) -> Fingerprint | None:
        """An entry's fingerprint in `record`; None where no stage has it."""
        return self.record.fingerprints.get(entry)

    def text(self, root: str, names: Collection[str]) -> str:
        """The hash of how these `package.module:name` are written; see `ProjectCode.text`.

        The sources are looked at once as long as nobody finds that they changed.
        """
        record = self._latest or self.record
        if self._texts is None or self._texts[0] is not record:
            self._texts = (record, *self._opened())
        _, code, known = self._texts
        try:
            return code.text(root, names)
        finally:
            known.close()

    def symbols_at(
        self, places: Collection[tuple[RepoPath, int]]
    ) -> dict[tuple[RepoPath, int], str]:
        """The symbol, `package.module:name`, that each line of a source stands in.

        Lines of no definition belong to `<module>`; files that are no modules are left out.
        """
        return self._read(lambda code: code.symbols_at(places)) if places else {}

    def reached(self, names: Collection[str], *, heed: bool = True) -> Reached:
        """All that these symbols lead to now; names are as in `hashes`.

        Without `heed` also through symbols that a comment says to ignore.
        """
        return self._read(lambda code: code.reached(names, heed=heed)) if names else Reached()

    def outside(self, names: Collection[str]) -> frozenset[str]:
        """Those of some top-level names that neither the project nor Python has a module for."""
        return self._read(lambda code: code.outside(names)) if names else frozenset()

    def _read[T](self, ask: Callable[["ProjectCode"], T]) -> T:
        """Ask something of the sources as they are now, and keep what was learned of them."""
        with self._sources() as (code, _):
            return ask(code)

    @contextlib.contextmanager
    def _sources(self) -> Iterator[tuple["ProjectCode", KnownSources]]:
        code, known = self._opened()
        try:
            yield code, known
        finally:
            known.close()

    def _opened(self) -> tuple["ProjectCode", KnownSources]:
        from pivot.code.fingerprint import ProjectCode

        project = self._project
        known = KnownSources(project.workspace.file_id, project.state, edition())
        outs = [out.path for stage in self._definitions.stages for out in stage.outs]
        code = ProjectCode(DiskSources(project.root), self._definitions.roots, known, outs)
        return code, known

    def _analyse(
        self,
        symbols: Sequence[str],
        roots: tuple[RepoPath, ...],
        identity: str,
        before: CodeRecord | None,
    ) -> CodeRecord:
        """Analyse the sources, and keep what is found; what was `before` may save most of it."""
        from pivot.code.consulted import DOCUMENT as CONSULTED
        from pivot.project.analysing import Analysis

        state = self._project.state
        with self._sources() as (code, known):
            analysis = Analysis(code, known)
            if (
                before is not None
                and (before.roots, before.installation) == (roots, identity)
                and self._holds(replace(before, files={}))
            ):
                analysis.go_on_from(before, state.document(CONSULTED))
            fingerprints = analysis.fingerprints(symbols)
            asked = code.hashes(() if before is None else before.asked)
            files, folders, listings = analysis.evidence
            packages, outside = analysis.packages(fingerprints) or self._installed(
                fingerprints, analysis.names, roots
            )
            consulted = analysis.consulted
        state.record_document(CONSULTED, consulted)
        record = CodeRecord(
            fingerprints, packages, files, folders, roots, identity, outside, asked, listings,
            hash_bytes(consulted).hex(),
        )  # fmt: skip
        state.record_document(DOCUMENT, encode(record, before))
        return record

    def _installed(
        self,
        fingerprints: Mapping[str, Fingerprint],
        names: Iterable[str],
        roots: tuple[RepoPath, ...],
    ) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]]:
        """The versions that count for each symbol, and digests of code that isn't parsed."""
        from pivot.project.installed import Installed

        return Installed(self._project, roots).behind(fingerprints, names)

    @property
    def installation(self) -> str:
        """What findings depend on beside the sources: the analysis, outs, and what is installed."""
        policy = (
            self._project.config.text("fingerprint.packages"),
            self._project.config.text("fingerprint.python"),
            sorted(self._project.config.packages.items()),
        )
        evidence = self._definitions.evidence
        installed = sorted(evidence.installed.items())
        outs = sorted(out.path for stage in self._definitions.stages for out in stage.outs)
        results = hash_bytes("\n".join(outs).encode()).hex()
        return repr((edition().hex(), evidence.python, installed, policy, results))

    def _holds(
        self, record: CodeRecord, looked_at: Mapping[str, ObjectId | None] | None = None
    ) -> bool:
        disk = DiskSources(self._project.root)
        ids = dict(looked_at or {})
        ids |= self._project.workspace.file_ids(record.files.keys() - ids.keys())
        return record.holds(ids.__getitem__, disk.is_dir, disk.names, self._outside_digest)

    def _outside_digest(self, place: str) -> str:
        from pivot.code.outside import source_digest

        return source_digest(place, self._project.file_id)
