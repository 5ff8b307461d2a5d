"""What a stage finds when it starts: deps that were tracked and not here, and incremental outs."""

from collections.abc import Mapping

from pivot.errors import MissingDataError
from pivot.landing import open_parent
from pivot.lock.folder import lock_path
from pivot.outputs import OutKind
from pivot.paths import RepoPath, StageName
from pivot.placing import place
from pivot.run.workbench import Workbench
from pivot.store.content import Content
from pivot.survey import StageSurvey
from pivot.track.placing import Placer


def put_deps(bench: Workbench, stage: StageSurvey) -> None:
    """Put tracked deps in place that the workspace lacks.

    Raises `MissingDataError` that names the dep which can't be had.
    """
    placer = Placer(
        bench.desk.workspace, bench.desk.state, bench.desk.store, bench.fetch, bench.tree
    )
    for kept in stage.kept.values():
        placer.put(kept)


def prepare_outs(bench: Workbench, stage: StageSurvey) -> Mapping[RepoPath, Content]:
    """Make the folders of outs, and put incremental ones back as their lock has them.

    What was at the outs' paths has been moved aside. Returns what incremental outs begin with.
    Raises `MissingDataError` if one can't be had.
    """
    desk = bench.desk
    previous: dict[RepoPath, Content] = {}
    for out in stage.stage.outs:
        with open_parent(desk.workspace.root, out.path):
            pass
        content = stage.lock.outs.get(out.path) if stage.lock is not None else None
        if out.kind is OutKind.INCREMENTAL and content is not None:
            if not desk.store.holds(content):
                _fetch(bench, stage.stage.name, out.path, content)
            place(desk.workspace, desk.state, desk.store, out.path, content)
            previous[out.path] = content
    return previous


def _fetch(bench: Workbench, name: StageName, path: RepoPath, content: Content) -> None:
    try:
        bench.fetch({path: content})
    except MissingDataError as error:
        raise MissingDataError(
            f"incremental out {path} can't be put back as its last run left it",
            why=f"the cache lacks its data: {error}",
            hint=f"Get it with `pivot pull {path}`; to begin anew, remove"
            f" .pivot/stages/{lock_path(name)}",
        ) from error
