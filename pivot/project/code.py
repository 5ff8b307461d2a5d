"""The code that a project's stages reach: fingerprints with their evidence, and single symbols."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from pivot.code.edition import edition
from pivot.code.extra import extra_files
from pivot.code.findings import Fingerprint
from pivot.code.record import DOCUMENT, CodeRecord, decode, encode
from pivot.definition.definitions import Definitions
from pivot.definition.extra import paths_of
from pivot.definition.stage import Stage
from pivot.garbage import uncollected
from pivot.hashing import ObjectId, hash_bytes
from pivot.paths import RepoPath
from pivot.project.known import KnownSources
from pivot.project.project import Project
from pivot.project.sources import DiskSources

if TYPE_CHECKING:
    from pivot.code.fingerprint import ProjectCode
    from pivot.project.opened import OpenedCode


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
        self._opened: OpenedCode | None = None

    @cached_property
    def record(self) -> CodeRecord:
        """The fingerprints of all stages, as the sources were when this was first asked."""
        symbols = sorted({stage.entry for stage in self._definitions.stages})
        roots = self._definitions.roots
        identity = self.installation
        data = self._project.state.document(DOCUMENT)
        known = decode(data) if data is not None else None
        if known is None or known.roots != roots or known.installation != identity:
            return self._analyse(symbols, roots, identity, known, {})
        ids = self._ids(known, self._looked_at)
        if known.fingerprints.keys() == set(symbols) and self._holds(known, ids):
            return known
        return self._analyse(symbols, roots, identity, known, ids)

    @property
    def latest(self) -> CodeRecord:
        """The fingerprints of all stages, as the sources were when they were last looked at."""
        return self._latest or self.record

    def now(self) -> CodeRecord:
        """The fingerprints of all stages at this moment; analysed again after an edit only."""
        record = self.latest
        ids = self._ids(record)
        if not self._holds(record, ids):
            symbols = list(record.fingerprints)
            record = self._analyse(symbols, record.roots, record.installation, record, ids)
        self._latest = record
        return record

    def files_of(self, stage: Stage) -> tuple[RepoPath, ...]:
        """The files that a stage's `extra_code` names."""
        return tuple(map(RepoPath, paths_of(list(self.extra_hashes(stage)))))

    def extra_hashes(self, stage: Stage) -> dict[str, str]:
        """The hashes of the files that a stage's `extra_code` names, as they are now."""
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
            self.reopen()
            record = self.with_asked(new)
        return {name: record.asked[name] for name in names}

    def with_asked(self, names: Collection[str]) -> CodeRecord:
        """The latest record with the hashes of more symbols: kept, if all is of one state."""
        record = self.latest
        asked, _ = self.opened.ask(lambda code: code.hashes(names))
        files, folders, listings = self.opened.evidence
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
            self._project.state.record_document(DOCUMENT, encode(fuller, record))
        else:
            self.reopen()
        return fuller

    def fingerprint(self, entry: str) -> Fingerprint | None:
        """An entry's fingerprint in `record`; None where no stage has it."""
        return self.record.fingerprints.get(entry)

    def text(self, root: str, names: Collection[str]) -> str:
        """The hash of how these `package.module:name` are written; see `ProjectCode.text`.

        The sources are looked at once as long as nobody finds that they changed.
        """
        text, _ = self.opened.ask(lambda code: code.text(root, names))
        return text

    @property
    def opened(self) -> "OpenedCode":
        """The sources, each as it was when it was first asked for since `reopen`."""
        if self._opened is None:
            self._opened = self._kept_open(*self._open())
        return self._opened

    def reopen(self) -> None:
        """Look at all sources anew when they are next asked."""
        self._opened = None

    def _open(
        self, ids: Mapping[str, ObjectId | None] | None = None
    ) -> tuple["ProjectCode", KnownSources]:
        """The sources anew, but for those of these ids, which were just looked at."""
        from pivot.code.fingerprint import ProjectCode

        project = self._project
        known = KnownSources(project.workspace.file_id, project.state, edition(), ids)
        outs = [out.path for stage in self._definitions.stages for out in stage.outs]
        code = ProjectCode(DiskSources(project.root), self._definitions.roots, known, outs)
        return code, known

    def _kept_open(self, code: "ProjectCode", known: KnownSources) -> "OpenedCode":
        from pivot.project.opened import OpenedCode

        return OpenedCode(code, known)

    @uncollected()
    def _analyse(
        self,
        symbols: Sequence[str],
        roots: tuple[RepoPath, ...],
        identity: str,
        before: CodeRecord | None,
        ids: Mapping[str, ObjectId | None],
    ) -> CodeRecord:
        """Analyse the sources, and keep what is found; what was `before` may save most of it.

        `ids` are those of files that were just looked at.
        """
        from pivot.code.consulted import DOCUMENT as CONSULTED
        from pivot.project.analysing import Analysis

        state = self._project.state
        code, known = self._open(ids)
        try:
            analysis = Analysis(code, known)
            if (
                before is not None
                and (before.roots, before.installation) == (roots, identity)
                and self._holds(replace(before, files={}), {})
            ):
                analysis.go_on_from(before, state.document(CONSULTED))
            fingerprints = analysis.fingerprints(symbols)
            asked = code.hashes(() if before is None else before.asked)
            files, folders, listings = analysis.evidence
            packages, outside = analysis.packages(fingerprints) or self._installed(
                fingerprints, analysis.names, roots
            )
            consulted = analysis.consulted
        finally:
            known.close()
        state.record_document(CONSULTED, consulted)
        record = CodeRecord(
            fingerprints, packages, files, folders, roots, identity, outside, asked, listings,
            hash_bytes(consulted).hex(),
        )  # fmt: skip
        state.record_document(DOCUMENT, encode(record, before))
        self._opened = self._kept_open(code, known)
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

    def _ids(
        self, record: CodeRecord, looked_at: Mapping[str, ObjectId | None] | None = None
    ) -> dict[str, ObjectId | None]:
        """What all files hold now that a record depends on."""
        ids = dict(looked_at or {})
        rest = [path for path in record.files if path not in ids]
        return ids | self._project.workspace.file_ids(rest)

    def _holds(self, record: CodeRecord, ids: Mapping[str, ObjectId | None]) -> bool:
        disk = DiskSources(self._project.root)
        return record.holds(ids.__getitem__, disk.is_dir, disk.names, self._outside_digest)

    def _outside_digest(self, place: str) -> str:
        from pivot.code.outside import source_digest

        return source_digest(place, self._project.file_id)
