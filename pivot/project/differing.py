"""What changed in sources, parameters and small files since a lock was made: `status --diff`.

Nothing is run or checked out.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pivot.errors import PivotError
from pivot.explain import Reason, ReasonKind, leaves
from pivot.hashing import Json
from pivot.lock.lock import Lock
from pivot.paths import RepoPath
from pivot.project.account import Account, Detail
from pivot.project.code_diffs import CodeDiffs
from pivot.project.file_diffs import FileDiffs
from pivot.project.folder_diffs import FolderDiffs
from pivot.project.former_code import FormerCode
from pivot.project.former_files import FormerFiles
from pivot.project.origin import Origins
from pivot.project.planner import Planner
from pivot.project.versions import versions
from pivot.show.difference import numbered, unified

_CODE: Final = "code:"  # of what was observed
_FILE: Final = "file:"
_SHORT: Final = 40
"""Characters of a parameter's value that needs no diff."""


def with_diffs(planner: Planner, accounts: Sequence[Account]) -> tuple[Account, ...]:
    """The accounts with diffs of what changed, as far as both versions can be had."""
    project, repository = planner.project, planner.project.repository
    past = origins = None
    if repository is not None:
        stages = [account.stage for account in accounts if account.details]
        past = FormerCode(project, repository, planner.definitions.roots)
        origins = Origins(project, repository, stages)

    def compared(account: Account) -> Account:
        lock = account.survey.lock
        if lock is None or not account.details:
            return account
        code, files = CodeDiffs(project, lock), FileDiffs(project)
        folders = FolderDiffs(planner.listings)
        if repository is not None and past is not None and origins is not None:
            try:
                origin = origins.of(account.stage)
            except PivotError as error:
                return replace(account, details=tuple(_failed(d, error) for d in account.details))
            code = CodeDiffs(project, lock, past, origin)
            files = FileDiffs(project, FormerFiles(repository, project.root, origin))
            folders = FolderDiffs(planner.listings, past, origin)
        return _Comparison(account, lock, code, files, folders).done()

    try:
        return tuple(map(compared, accounts))
    finally:
        if past is not None:
            past.close()


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One stage as its lock says and as it is."""

    account: Account
    lock: Lock
    code: CodeDiffs
    files: FileDiffs
    folders: FolderDiffs

    def done(self) -> Account:
        """The account with its diffs."""
        return replace(self.account, details=tuple(map(self._told, self.account.details)))

    def _told(self, detail: Detail) -> Detail:
        try:
            return self._detail(detail)
        except PivotError as error:
            return _failed(detail, error)

    def _detail(self, detail: Detail) -> Detail:
        match detail.reason.kind:
            case ReasonKind.CODE if versions(self.account, detail) is None:
                return self.code.add(detail)
            case ReasonKind.OBSERVED if detail.reason.what.startswith(_CODE):
                return self.code.add_observed(detail, detail.reason.what.removeprefix(_CODE))
            case ReasonKind.OBSERVED if (folder := _folder(detail.reason.what)) is not None:
                return self.folders.add(detail, folder)
            case ReasonKind.PARAMS:
                return replace(detail, diff=self._param(detail.reason))
            case _:
                found = versions(self.account, detail)
                return detail if found is None else self.files.add(detail, found)

    def _param(self, reason: Reason) -> tuple[str, ...] | None:
        """A diff of values that are too long to be compared at a glance."""
        if max(len(reason.old or ""), len(reason.new or "")) <= _SHORT:
            return None
        old, new = (
            dict(leaves(declared.params or {})).get(reason.what)
            for declared in (self.lock.declared, self.account.survey.declared)
        )
        if old is None or new is None:
            return None
        return unified(numbered(_pretty(old)), numbered(_pretty(new)), "old", "new") or None


def _folder(what: str) -> RepoPath | None:
    """The folder of which names were observed; None for all else."""
    is_folder = what.startswith(_FILE) and what.endswith("/")
    return RepoPath(what[len(_FILE) : -1]) if is_folder else None


def _failed(detail: Detail, error: PivotError) -> Detail:
    """That the past can't be read, as in a partial clone, takes away nothing that is known."""
    return replace(detail, notes=(*detail.notes, f"no diff: {error.message}"))


def _pretty(value: Json) -> str:
    """A value on lines of its own, to be compared line by line."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
