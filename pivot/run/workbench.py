"""What a run works with: the project's parts and abilities that it needs, and no more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pivot.paths import RepoPath, StageName
from pivot.run.desk import Desk
from pivot.run.executors.executor import Executor
from pivot.run.job import Job
from pivot.run.sifting import Sifter
from pivot.store.content import Content
from pivot.survey import StageSurvey
from pivot.track.directory import ReadTree


@dataclass(frozen=True, slots=True)
class Workbench:
    """What a run works with.

    Attributes:
        look: surveys one stage again, now.
        job: what an executor is asked to do for a stage, its log in the given file.
        fetch: brings contents into the store; raises `MissingDataError` where that can't be and
            the stage may run instead, another error where it may not.
        tree: the entries of a directory, from the store or a remote; raises `MissingDataError`.
        executor: makes the executor, when the first stage runs.
        sifter: tells what counts of what a stage was seen to do.
        strict: whether a stage that uses undeclared files of the project fails.
    """

    desk: Desk
    look: Callable[[StageName], StageSurvey]
    job: Callable[[StageName, str], Job]
    fetch: Callable[[Mapping[RepoPath, Content]], None]
    tree: ReadTree
    executor: Callable[[], Executor]
    sifter: Sifter
    strict: bool = False
