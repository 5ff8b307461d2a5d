"""A project whose stages end in every way, and executors that run them."""

from pathlib import Path

import pytest

from pivot.paths import RepoPath, StageName
from pivot.run.executors.local import LocalExecutor, StartMethod
from pivot.run.job import Job

HERE = Path(__file__).parent
LOADER = "stub_loader:prepare_call"


@pytest.fixture(autouse=True)
def loader_on_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE / "loader"))
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


@pytest.fixture
def make_job(tmp_path):
    def make(stage, *, name=None, source="shared_stages", roots=(), **params):
        return Job(
            stage=StageName(stage),
            project=str(tmp_path),
            source=source,
            symbol=f"{source}:{stage}",
            params=params or None,
            cwd=RepoPath("."),
            log=str(tmp_path / f"{name or stage}.log"),
            roots=(*roots, str(HERE / "project")),
        )

    return make


@pytest.fixture
def make_executor():
    """Executors that are closed after the test."""
    opened = []

    def make(method=StartMethod.AUTO, **options):
        executor = LocalExecutor(method=method, loader=LOADER, **options)
        opened.append(executor)
        return executor

    yield make
    for executor in opened:
        executor.close()


@pytest.fixture
def executor(make_executor):
    return make_executor()


@pytest.fixture(params=list(StartMethod))
def any_executor(request, make_executor):
    """One executor for each way of starting processes."""
    return make_executor(request.param)


@pytest.fixture
def run(executor, make_job):
    """Runs one stage and gives its outcome."""

    def run_one(stage, **params):
        executor.submit(make_job(stage, **params))
        (outcome,) = executor.wait(30)
        return outcome

    return run_one
