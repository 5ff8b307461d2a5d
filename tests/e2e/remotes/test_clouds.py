"""A team that shares its results through Azure Blob Storage, or Google Cloud Storage."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

UNCHANGED = {"double": "unchanged", "total": "unchanged", "images": "unchanged"}


@dataclass(frozen=True, slots=True)
class Cloud:
    """A place for a remote, and the variables by which everyone reaches it."""

    url: str
    environment: Mapping[str, str]


@pytest.fixture(params=["az", "gs"])
def cloud(request) -> Cloud:
    if request.param == "az":
        server = request.getfixturevalue("azurite")
        variables = {"AZURE_STORAGE_CONNECTION_STRING": server.connection_string}
        return Cloud(f"az://{server.new_container()}/team", variables)
    server = request.getfixturevalue("gcs")
    return Cloud(f"gs://{server.new_bucket()}/team", {"STORAGE_EMULATOR_HOST": server.endpoint})


@pytest.fixture
def ours(team, cloud):
    """The team's project, whose default remote is the cloud."""
    team.environment.update(cloud.environment)
    done = team.pivot("remote", "add", "cloud", cloud.url, "--default")
    assert (done.out, done.err) == (f"Added remote cloud: {cloud.url}\n", "")
    return team


def moved(result):
    """Objects and requests of a transfer that went well and said nothing else."""
    (value,) = result.lines
    assert result.err == ""
    return value["objects"], value["requests"]


def test_results_reach_a_colleague_who_runs_nothing(ours, clone, cloud, held):
    objects, requests = moved(ours.pivot("push", "--json"))
    assert objects == 203
    assert requests <= 12
    ours.commit_all()
    fresh = clone()
    fresh.environment.update(cloud.environment, PIVOT_REMOTE_CLOUD_URL=cloud.url)
    objects, requests = moved(fresh.pivot("pull", "--json"))
    assert objects == 203
    assert requests <= 12
    assert held(fresh) == held(ours)
    assert fresh.pivot("repro").statuses == UNCHANGED


def test_a_push_with_nothing_to_do_lists_and_moves_nothing(ours):
    ours.pivot("push")
    objects, requests = moved(ours.pivot("push", "--json"))
    assert objects == 0
    assert requests <= 5


def test_only_what_changed_is_sent(ours):
    ours.pivot("push")
    ours.write("a.txt", "5\n")
    ours.pivot("repro")
    objects, requests = moved(ours.pivot("push", "--json"))
    assert objects == 2
    assert requests <= 5


def test_large_outs_come_back_whole(ours, clone, cloud):
    """Packs and files above the size from which they are sent in parts."""
    ours.write(
        "pipeline.py",
        """
        import random

        from pivot import stage


        @stage(outs=["large"])
        def large():
            with open("large", "wb") as f:
                f.write(random.Random(7).randbytes(40 << 20))
        """,
    )
    ours.pivot("repro")
    ours.pivot("push")
    ours.commit_all()
    fresh = clone()
    fresh.environment.update(cloud.environment, PIVOT_REMOTE_CLOUD_URL=cloud.url)
    fresh.pivot("pull", "large")
    assert (fresh.path / "large").read_bytes() == (ours.path / "large").read_bytes()


def test_a_place_that_does_not_exist_is_named(ours, cloud):
    gone = cloud.url.replace("//", "//no-such-place-", 1)[:50].rstrip("-")
    ours.environment["PIVOT_REMOTE_CLOUD_URL"] = gone
    # The emulator of Google's doesn't say of an object that its bucket isn't there.
    for command in ("push", "pull") if gone.startswith("az") else ("push",):
        done = ours.pivot(command, code=2)
        assert "doesn't exist at http://127.0.0.1:" in done.err
        assert len(done.err.splitlines()) == 2, done.err


def test_a_server_that_is_gone_is_named_soon(ours):
    ours.environment["STORAGE_EMULATOR_HOST"] = "http://127.0.0.1:9"
    ours.environment["AZURE_STORAGE_CONNECTION_STRING"] = (
        "AccountName=account;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/account"
    )
    ours.write(".pivot/config.local.toml", '[remotes.cloud]\nattempts = "1"\n')
    done = ours.pivot("push", code=1)
    assert "can't be reached" in done.err
    assert len(done.err.splitlines()) == 3, done.err


def test_a_key_that_is_wrong_is_a_denial_and_is_not_repeated(team, azurite):
    wrong = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=AAAA")
    team.environment["AZURE_STORAGE_CONNECTION_STRING"] = wrong
    team.environment["PIVOT_REMOTE_STORAGE_URL"] = f"az://{azurite.new_container()}"
    done = team.pivot("push", code=12)
    assert "is denied" in done.err
    assert "AAAA" not in done.err
