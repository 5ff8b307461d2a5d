"""One analysis of a project's sources, which goes on from the last one where it can."""

from collections.abc import Mapping, Sequence

from pivot.code.consulted import Consulted, decode, encode
from pivot.code.findings import Fingerprint
from pivot.code.fingerprint import ProjectCode
from pivot.code.record import CodeRecord
from pivot.hashing import ObjectId, hash_bytes
from pivot.paths import RepoPath
from pivot.project.known import KnownSources


class Analysis:
    """Fingerprints, with the evidence for them."""

    def __init__(self, code: ProjectCode, known: KnownSources) -> None:
        self._code = code
        self._known = known
        self._before: CodeRecord | None = None
        self._last: Consulted | None = None
        self._edited: dict[str, ObjectId] = {}

    def go_on_from(self, record: CodeRecord, consulted: bytes | None) -> None:
        """Take over what an earlier analysis found, if no more than sources were edited since.

        All but the files of `record` must hold; `consulted` is what was kept of the modules that
        its fingerprints depend on.
        """
        if consulted is None or hash_bytes(consulted).hex() != record.consulted:
            return
        last = decode(consulted)
        edited = record.edited(self._known.file_id)
        if last is None or edited is None:
            return
        modules = {name: edited[file] for name, file in last.files.items() if file in edited}
        if {last.files[name] for name in modules} == edited.keys():
            self._before, self._last, self._edited = record, last, modules

    def fingerprints(self, symbols: Sequence[str]) -> dict[str, Fingerprint]:
        """The fingerprints of these symbols. Raises `DefinitionError`."""
        self._code.expect(symbols)
        found: dict[str, Fingerprint] = {}
        if self._before is not None and self._last is not None:
            earlier = self._before.fingerprints
            kept = {s: earlier[s] for s in symbols if s in earlier and s in self._last.stages}
            found = self._code.update(kept, self._edited, self._last)
        found |= {s: self._code.fingerprint(s) for s in symbols if s not in found}
        if self._before is not None and not self._is_of_one_state():
            self._before = self._last = None
            found = {symbol: self._code.fingerprint(symbol) for symbol in symbols}
        return {symbol: found[symbol] for symbol in symbols}

    def _is_of_one_state(self) -> bool:
        """Whether no file was replaced between the look at what was edited and its being read."""
        return all(self._known.file_id(p) == id_ for p, id_ in self._code.evidence.items())

    @property
    def evidence(
        self,
    ) -> tuple[
        dict[RepoPath, ObjectId | None], dict[RepoPath, bool], dict[RepoPath, Sequence[str]]
    ]:
        """All files, folders and listings that the fingerprints depend on."""
        code, before = self._code, self._before
        files, folders, listings = dict(code.evidence), dict(code.folders), dict(code.listings)
        if before is None:
            return files, folders, listings
        looked_at = {path: self._known.file_id(path) for path in before.files}
        return (
            looked_at | files,
            {**before.folders, **folders},
            {**before.listings, **listings},
        )

    @property
    def names(self) -> frozenset[str]:
        """Every dotted name that was looked for."""
        return self._code.names | (self._last.names if self._last is not None else frozenset())

    def packages(
        self, fingerprints: Mapping[str, Fingerprint]
    ) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]] | None:
        """Versions by symbol, and digests of code that isn't parsed, if they are as before.

        They are while the same modules are used and looked for, in the same installation.
        """
        before, last = self._before, self._last
        if before is None or last is None or not self._code.names <= last.names:
            return None
        earlier = before.fingerprints
        for symbol, fingerprint in fingerprints.items():
            if symbol not in earlier or fingerprint.modules != earlier[symbol].modules:
                return None
        return {symbol: before.packages[symbol] for symbol in fingerprints}, before.outside

    @property
    def consulted(self) -> bytes:
        """What is to be kept for the next analysis."""
        return encode(self._code.consulted(self._last))
