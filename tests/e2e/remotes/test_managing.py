"""`pivot remote default|rename|remove|test`, and what is never shown or shared."""

import re
import stat

import pytest

from tests.e2e.schemas import conforms

KEYS = ["access_key_id=AKIDXYZ", "secret_access_key=s3cr3t", "session_token=t0ken"]
GIVEN = [text for key in KEYS for text in ("-o", key)]
SECRET = "AKIDXYZ|s3cr3t|t0ken"


def test_default_is_shown_set_and_moved_by_renaming(empty):
    empty.pivot("remote", "add", "one", "/data/one")
    assert empty.pivot("remote", "default").out == "one\n", "the only one needs no setting"
    empty.pivot("remote", "add", "two", "/data/two")
    assert "several and none is the default" in empty.pivot("remote", "default", code=2).err
    assert empty.pivot("remote", "default", "two").out == "The default remote is two.\n"
    (value,) = empty.pivot("remote", "default", "--json").lines
    conforms(value, "remote-default")
    assert value == {"default": "two"}
    done = empty.pivot("remote", "rename", "two", "team")
    assert done.out == "Renamed remote two to team in .pivot/config.toml.\n"
    assert empty.pivot("remote", "default").out == "team\n"
    done = empty.pivot("remote", "remove", "taem", code=2)
    assert done.err == "error: there is no remote 'taem'\nhint: Did you mean 'team'?\n"


def test_default_of_one_clone_wins_and_that_is_said(empty):
    for name in ("one", "two"):
        empty.pivot("remote", "add", name, f"/data/{name}")
    empty.pivot("remote", "default", "one", "--local")
    done = empty.pivot("remote", "default", "two")
    assert "warning: here one is the default still" in done.err
    empty.pivot("config", "unset", "remote.default", "--local")
    assert empty.pivot("remote", "default").out == "two\n"


def test_removed_remote_leaves_no_secret_and_no_copies(team, tmp_path):
    team.pivot("remote", "add", "bucket", "s3://data", "--default", *GIVEN)
    private = team.path / ".pivot/config.local.toml"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    done = team.pivot("remote", "remove", "bucket")
    assert done.out == (
        "Removed remote bucket from .pivot/config.local.toml and .pivot/config.toml.\n"
    )
    assert done.err.startswith("warning: bucket was the default, and now there is none\n")
    assert not re.search(SECRET, private.read_text() + team.read(".pivot/config.toml"))
    copies = team.path / ".pivot/cache/remotes"
    before = set(copies.iterdir())
    team.pivot("push", "-r", "storage", "--yes")
    assert len(set(copies.iterdir()) - before) == 1
    team.pivot("remote", "remove", "storage")
    assert set(copies.iterdir()) == before
    assert (tmp_path / "remote/pivot-store.json").exists(), "what it holds stays"


@pytest.mark.parametrize(
    "command",
    [
        ["config", "list"],
        ["config", "list", "--json"],
        ["config", "get", "remotes.bucket.secret_access_key"],
        ["config", "get", "remotes.bucket.secret_access_key", "--json"],
        ["remote", "list"],
        ["remote", "list", "--json"],
        ["remote", "test"],
        ["doctor", "--remote"],
        ["push"],
        ["--debug", "push"],
        ["status"],
    ],
)
def test_no_command_shows_a_secret(empty, stub, command):
    stub.answer = lambda request: (403, b"")
    endpoint = f"endpoint_url=http://127.0.0.1:{stub.server_port}"
    empty.pivot("remote", "add", "bucket", "s3://data", "--default", *GIVEN, "-o", endpoint)
    done = empty.pivot(*command, code=None)
    assert not re.search(SECRET, done.out + done.err)


def test_secret_that_git_shares_is_told(empty):
    empty.write(
        ".pivot/config.toml", '[remotes.x]\nurl = "s3://data"\nsecret_access_key = "s3cr3t"\n'
    )
    done = empty.pivot("doctor", code=None)
    assert (
        "warning  configuration: secret_access_key of remote x is in .pivot/config.toml" in done.out
    )
    assert "s3cr3t" not in done.out + done.err


def test_read_only_and_unconfirmed_remotes_are_listed_as_such(clone):
    fresh = clone(trusts=False)
    fresh.pivot("remote", "add", "mirror", "/mirror", "--local", "--read-only")
    lines = sorted(fresh.pivot("remote", "list").out.splitlines())
    assert lines[0] == "mirror   /mirror  (read-only)"
    assert lines[1].endswith("  (default, not confirmed on this machine)")


@pytest.mark.parametrize("address", ["s3:/bucket/data", "s3:bucket", "ada:s3cr3t@lab:/data"])
def test_address_that_lacks_slashes_is_no_folder(empty, address):
    done = empty.pivot("remote", "add", "typo", address, code=2)
    assert "looks like a URL, but has no `://`" in done.err
    assert not re.search(SECRET, done.err)
    assert empty.pivot("remote", "list").out == ""
    empty.pivot("remote", "add", "folder", f"./{address}")
    assert empty.pivot("remote", "list").out.startswith("folder ")


def test_further_schemes_are_the_users_own_decision(empty):
    done = empty.pivot("config", "set", "remote.schemes", "hf", code=2)
    assert "hint: Set it for yourself: `pivot config set --user remote.schemes hf`" in done.err
    empty.pivot("config", "set", "--local", "remote.schemes", "hf")
    assert empty.pivot("config", "get", "remote.schemes").out == "hf\n"


# -- testing ----------------------------------------------------------------------------------


def outcome(project, *arguments):
    (value,) = project.pivot("remote", "test", "--json", *arguments).lines
    conforms(value, "remote-test")
    return value, {check["name"]: check["status"] for check in value["checks"]}


def test_folder_with_a_store_passes_and_stays_as_it_was(team, tmp_path):
    def files():
        top = tmp_path / "remote"
        return {p: p.stat().st_mtime_ns for p in top.rglob("*") if p.is_file()}

    before = files()
    done = team.pivot("remote", "test", code=12)
    assert "was not confirmed on this machine" in done.err
    done = team.pivot("remote", "test", "--yes")
    assert done.out.endswith("Remote storage can be used.\n")
    assert re.search(r"^ok       store: Pivot store [0-9a-f]{8}, format 1$", done.out, re.MULTILINE)
    value, checks = outcome(team)
    assert set(checks.values()) == {"ok"}
    assert value["usable"]
    assert value["upload_bytes_per_s"] > 0
    assert files() == before


def test_folder_that_may_not_be_written(team, tmp_path, read_only):
    team.pivot("remote", "list")
    with read_only(tmp_path / "remote"):
        done = team.pivot("remote", "test", "--yes", code=12)
    assert "FAILED   write: access to " in done.out
    assert done.err == "Remote storage fails: write.\n"


def test_bucket_passes_before_and_after_its_first_push(team, moto, bucket, keys):
    team.pivot("remote", "add", "s3", f"s3://{bucket}/team", "-o", f"endpoint_url={moto}")
    value, checks = outcome(team, "s3")
    assert set(checks.values()) == {"ok"}, value
    assert value["store"] is None
    team.pivot("push", "-r", "s3")
    value, checks = outcome(team, "s3")
    assert set(checks.values()) == {"ok"}, value
    assert value["store"]["format"] == 1


def test_bucket_that_refuses_names_the_rights(empty, stub, keys):
    stub.answer = lambda request: (403, b"<Error><Code>AccessDenied</Code></Error>")
    endpoint = f"endpoint_url=http://127.0.0.1:{stub.server_port}"
    empty.pivot("remote", "add", "s3", "s3://data", "-o", endpoint)
    done = empty.pivot("remote", "test", code=12)
    for line in ("list", "store", "write"):
        assert f"FAILED   {line}: access to s3://data is denied" in done.out
    for right in ("s3:ListBucket", "s3:GetObject", "s3:PutObject"):
        assert right in done.out


def test_what_cannot_be_reached_is_said_once(empty, keys):
    empty.pivot("remote", "add", "s3", "s3://data", "-o", "endpoint_url=http://127.0.0.1:9")
    done = empty.pivot("remote", "test", code=1)
    assert done.out.count("FAILED") == 1
    assert "FAILED   list: s3://data can't be reached" in done.out


def test_missing_credentials_are_a_failed_check(empty):
    empty.pivot("remote", "add", "s3", "s3://data")
    done = empty.pivot("remote", "test", code=12)
    assert done.out.startswith(
        "FAILED   open: there are no credentials for s3://data\n   hint: Run"
    )
