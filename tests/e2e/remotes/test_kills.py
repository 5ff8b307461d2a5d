"""`pivot push` and `pivot pull` killed at one request after the other, over a real S3 server."""

import os
import signal

import pytest

from pivot_remotes.s3.backend import open_bucket
from tests.unit.remotes.proxy import Spoil, proxy_before
from tests.unit.storage import Storage
from tests.unit.team import check_storage


@pytest.fixture
def wire(moto):
    with proxy_before(moto) as server:
        yield server


@pytest.fixture
def remote(moto, bucket, keys):
    """What lies in the bucket now."""

    def read():
        keys = {"access_key_id": "test", "secret_access_key": "test-secret-key"}
        backend = open_bucket(f"s3://{bucket}/team", {**keys, "endpoint_url": moto}, {})
        return Storage({info.key: backend.get(info.key) for info in backend.list("")})

    return read


@pytest.fixture
def killed(wire):
    """Runs a command that is killed at a request, before or after the server has done it.

    Whether it was: a command of fewer requests ends as ever.
    """

    def run(project, *command, at, when):
        wire.seen.clear()
        process = None

        def spoil(request):
            if request.number == at:
                os.killpg(process.pid, signal.SIGKILL)
            return (
                (Spoil.RESET if when == "before" else Spoil.LOST) if request.number >= at else None
            )

        wire.spoil = spoil
        wire.closing.clear()
        process = project.start(*command)
        done = project.finish(process, None)
        wire.spoil = lambda request: None
        assert done.code in (0, -signal.SIGKILL), done.err
        return done.code != 0

    return run


@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_is_killed_the_next_command_goes_on(
    team, clone, wire, bucket, keys, remote, killed, held, when
):
    """Of a push that was killed nothing is visible that isn't whole, of a pull nothing wrong."""
    there = {"PIVOT_REMOTE_STORAGE_URL": f"s3://{bucket}/team", "AWS_ENDPOINT_URL": wire.endpoint}
    team.environment.update(there)
    died = 0
    while killed(team, "push", at=died, when=when):
        check_storage(remote())
        died += 1
    assert died >= 3
    assert check_storage(remote())
    again = team.pivot("push", "--json")
    assert again.lines[-1]["objects"] == 0
    fresh = clone()
    fresh.environment.update(there)
    died = 0
    while killed(fresh, "pull", at=died, when=when):
        assert fresh.pivot("verify", "--data", code=None).code in (0, 4, 14)
        for name in ("out/doubled.txt", "total.json"):
            assert not fresh.exists(name) or fresh.read(name) == team.read(name)
        died += 1
    assert died >= 3
    assert held(fresh) == held(team)
    fresh.pivot("verify", "--data")
    assert fresh.pivot("repro").statuses == dict.fromkeys(
        ("images", "double", "total"), "unchanged"
    )
