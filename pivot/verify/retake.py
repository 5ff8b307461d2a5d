"""Taking what a store lost from the workspace again, where the workspace still has it."""

import os
from collections.abc import Iterable

from pivot.errors import DeniedError
from pivot.files import lstat
from pivot.hashing import ObjectId
from pivot.reading import ChangingFileError, UnsupportedFileError, read_file
from pivot.store.content import ContentType
from pivot.store.store import Store
from pivot.store.writer import Writer
from pivot.verify.claim import Claim
from pivot.workspace import Workspace


def retake(
    workspace: Workspace, store: Store, claims: Iterable[Claim], lost: frozenset[ObjectId]
) -> int:
    """Add again what is `lost` of claims and what lies at their paths; returns how many entries.

    Files are read now: an id is that of the bytes that are added, whatever was remembered of them.
    What can't be read is passed over.
    """
    with store.in_use(), store.writer() as writer:
        for claim in claims:
            try:
                _take(workspace, writer, claim, lost)
            except (ChangingFileError, UnsupportedFileError, DeniedError, FileNotFoundError):
                continue
    return writer.added_entries


def _take(workspace: Workspace, writer: Writer, claim: Claim, lost: frozenset[ObjectId]) -> None:
    now = workspace.content(claim.path)
    if now is None:
        return
    if now.id == claim.content.id:
        workspace.store(claim.path, writer)
    elif now.type is ContentType.DIRECTORY:
        _take_files(workspace, writer, claim, lost)


def _take_files(
    workspace: Workspace, writer: Writer, claim: Claim, lost: frozenset[ObjectId]
) -> None:
    """Of a directory that was edited, the files that weren't may be what is lost."""
    for entry in workspace.entries(claim.path):
        head = None if entry.content is None else entry.content.recipe or entry.content.id
        if head in lost and not writer.has(head):
            absolute = os.path.join(workspace.absolute(claim.path), entry.path)
            stat = lstat(absolute)
            if stat is not None and stat.is_file:
                read_file(absolute, stat, writer.add_bytes)
