"""Locks of another scheme, made to say what they say under ours: re-keyed, and not run again.

A lock says what code ran by hashes that were made under its scheme. The rules of another scheme
are not known here, so those can't be compared. But the lock also tells how that code was written,
under no scheme at all (`Lock.sources`). Where sources are found that are written so, here or in a
commit, they are what ran; and what they hash to under our scheme is what the lock has to say.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from pivot.code.edition import edition
from pivot.code.findings import SCHEME, Fingerprint
from pivot.definition.extra import entry_of, is_path
from pivot.errors import PivotError
from pivot.git.evidence import Evidence, head_and_index
from pivot.hashing import Json, hash_bytes
from pivot.lock.fields import Fields
from pivot.lock.lock import Lock
from pivot.project.project import Project

REMEMBERED = "rekeyed:"  # how the names of what the accelerator keeps of it begin


@dataclass(frozen=True, slots=True)
class Proof:
    """What the code that ran hashes to: what the stage reached, and what it was seen to run.

    Files that a stage names as its code aren't among it: their ids depend on no scheme.
    """

    code: Mapping[str, str]
    observed: Mapping[str, str]

    def applied(self, lock: Lock) -> Lock:
        """The lock as it is under our scheme."""
        files = {name: id_ for name, id_ in lock.declared.code.items() if is_path(name)}
        return replace(
            lock,
            declared=replace(lock.declared, scheme=SCHEME, code={**self.code, **files}),
            observed=replace(lock.observed, code=self.observed),
        )


class Present(Protocol):
    """The project's sources as they are now."""

    def fingerprint(self, entry: str) -> Fingerprint | None:
        """What a stage's code reaches (see `Stage.entry`); None if no stage has that code."""
        ...

    def hashes(self, names: Collection[str]) -> Mapping[str, str | None]: ...

    def text(self, names: Collection[str]) -> str: ...


class Rekeying:
    """Re-keys locks, and remembers what was found, also that nothing was in any commit."""

    def __init__(
        self, project: Project, present: Present, search: Callable[[Lock], Proof | None]
    ) -> None:
        """`search` looks for the sources of a lock in the commits of the project."""
        self._project = project
        self._present = present
        self._search = search

    @cached_property
    def _edition(self) -> bytes:
        return edition()

    @cached_property
    def _head(self) -> Evidence | None:
        """What HEAD was when this was first asked."""
        return head_and_index(self._project.root)

    def rekeyed(self, lock: Lock) -> Lock | None:
        """A lock as it is under our scheme; None where the sources that ran aren't found."""
        if not lock.sources:
            return None
        proof = self._remembered(lock)
        return None if proof is None else proof.applied(lock)

    def _here(self, lock: Lock) -> Proof | None:
        """The present sources, where they are what ran and nothing else is reached in them."""
        found = self._present.fingerprint(entry_of(lock.root, lock.extra))
        if found is None or found.code.keys() != symbols_in(lock):
            return None
        if self._present.text(names_of(lock)) != lock.sources:
            return None
        return Proof(found.code, known_hashes(self._present.hashes(lock.observed.code)))

    def _remembered(self, lock: Lock) -> Proof | None:
        """What was found before, or is found now.

        A proof holds for ever; that commits have none, while HEAD is as it was.
        """
        name = document_of(lock, self._edition)
        state, evidence = self._project.state, self._head
        known = _decode(state.document(name), evidence)
        if known is not None and known.proof is not None:
            return known.proof
        proof = self._here(lock)
        if proof is None and known is not None:
            return None
        try:
            proof = proof or self._search(lock)
        except PivotError:
            return None  # such as objects that a partial clone lacks: tried again next time
        if proof is not None:
            value: Json = {"code": dict(proof.code), "observed": dict(proof.observed)}
        elif evidence is None or any(map(state.clock.is_racy, evidence.states)):
            return None
        else:
            value = {"absent": evidence.text}
        state.record_document(name, json.dumps(value, separators=(",", ":")).encode())
        return proof


def symbols_in(lock: Lock) -> frozenset[str]:
    """The symbols and effects that a lock says were reached."""
    return frozenset(name for name in lock.declared.code if not is_path(name))


def names_of(lock: Lock) -> frozenset[str]:
    """The names whose way to be written `Lock.sources` tells."""
    return symbols_in(lock) | frozenset(lock.observed.code)


def known_hashes(hashes: Mapping[str, str | None]) -> dict[str, str]:
    """Those that there are: what was seen to run and is gone now has none."""
    return {name: hash_ for name, hash_ in hashes.items() if hash_ is not None}


def document_of(lock: Lock, edition: bytes) -> str:
    """The name under which the accelerator keeps what was found of a lock, by an analysis."""
    return f"{REMEMBERED}{edition.hex()}:{hash_bytes(lock.encode()).hex()}"


@dataclass(frozen=True, slots=True)
class _Known:
    proof: Proof | None


def _decode(data: bytes | None, evidence: Evidence | None) -> _Known | None:
    """What was found before, if it still holds."""
    if not data:
        return None
    try:
        value = json.loads(data)
        if "absent" in value:
            holds = evidence is not None and value["absent"] == evidence.text
            return _Known(None) if holds else None
        fields = Fields(value)
        return _Known(Proof(fields.texts("code"), fields.texts("observed")))
    except (ValueError, KeyError, TypeError):
        return None
