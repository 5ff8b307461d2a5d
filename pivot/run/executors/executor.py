"""The seam between deciding what runs and where it runs."""

from typing import Protocol, Self

from pivot.paths import StageName
from pivot.run.job import Job
from pivot.run.outcome import Outcome


class Executor(Protocol):
    """Runs jobs, any number at once, each isolated from the others and from the caller.

    Jobs and outcomes are plain data, so they may cross machines. How many run at once is the
    caller's business. Used as a context manager; leaving it ends what still runs.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    def submit(self, job: Job) -> None:
        """Start `job` now. Raises `ValueError` while a job of the same stage runs."""

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Block until at least one job has ended, at most `timeout` seconds.

        Returns each submitted job's outcome exactly once; an empty list if the time ran out or
        nothing runs.
        """

    def cancel(self, *stages: StageName) -> None:
        """End these jobs. Their outcomes still come through `wait`; others are ignored."""

    def cancel_all(self) -> None:
        """End all jobs."""

    def close(self) -> None:
        """End all jobs and let go of every resource; outcomes not yet waited for are lost."""
