"""The project's files that Pivot and Git share: what Git ignores, and what it must not track."""

import json
from collections.abc import Collection, Iterable

from pivot.definition.stage import Stage
from pivot.errors import UsageError
from pivot.git.attributes import write_attributes
from pivot.git.evidence import Evidence, head_and_index
from pivot.git.ignore import write_ignore
from pivot.outputs import OutKind
from pivot.paths import RepoPath
from pivot.project.project import Project
from pivot.state import State

_UNTRACKED = "git:untracked"


def refuse_tracked(
    project: Project,
    paths: Collection[RepoPath],
    why: str = "Pivot keeps outs in its store, and Git would see each run as a change",
) -> None:
    """Raise `UsageError` if Git tracks one of these paths, which Pivot is to keep.

    Git is asked once for each state of its HEAD and index.
    """
    evidence = head_and_index(project.root)
    if not paths or (evidence is not None and _is_known(project.state, evidence, paths)):
        return
    repository = project.repository
    if repository is None:
        return
    works = {repository.work_path(project.root, path): path for path in paths}
    tracked = repository.tracked(works)
    if tracked:
        path = works[min(tracked)]
        raise UsageError(
            f"{path} is tracked by Git",
            why=why,
            hint=f"Take it out of Git with `git rm -r --cached {path}`, and commit that",
        )
    if evidence is not None and not any(map(project.state.clock.is_racy, evidence.states)):
        project.state.record_document(_UNTRACKED, _encode(evidence, paths))


def _is_known(state: State, evidence: Evidence, paths: Collection[RepoPath]) -> bool:
    """Whether Git was asked for these paths, and is as it was then."""
    data = state.document(_UNTRACKED)
    try:
        text, known = json.loads(data or b"null")
        return text == evidence.text and set(paths) <= set(known)
    except (ValueError, TypeError):
        return False


def _encode(evidence: Evidence, paths: Collection[RepoPath]) -> bytes:
    return json.dumps([evidence.text, sorted(paths)]).encode()


def write_managed_files(
    project: Project, stages: Collection[Stage], tracked: Collection[RepoPath]
) -> tuple[RepoPath, ...]:
    """Bring ignore block and attributes up to date for all stages and all that is tracked.

    Returns what changed.
    """
    if project.repository is None:
        return ()
    metrics = [o.path for s in stages for o in s.outs if o.kind is OutKind.METRIC]
    changed = []
    if write_ignore(project.root, [*stored_outs(stages), *tracked]):
        changed.append(RepoPath(".gitignore"))
    if write_attributes(project.root, metrics):
        changed.append(RepoPath(".gitattributes"))
    return tuple(changed)


def stored_outs(stages: Iterable[Stage]) -> list[RepoPath]:
    """The outs that Git must not have: all but metrics."""
    outs = (out for stage in stages for out in stage.outs)
    return [out.path for out in outs if out.kind is not OutKind.METRIC]
