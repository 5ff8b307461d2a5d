"""Sharing results: adding remotes, pushing, cloning, pulling, and what may be trusted."""

import os
import re
import signal
import stat
from dataclasses import replace

import pytest

from pivot.lock.lock import decode
from tests.e2e.schemas import conforms

UNCHANGED = {"double": "unchanged", "total": "unchanged", "images": "unchanged"}
RESTORED = {"double": "restored", "total": "restored", "images": "restored"}


def transfer(result):
    """The one object of `--json`, as its schema has it."""
    (value,) = result.lines
    conforms(value, "transfer")
    assert result.err == ""
    return value


def remote_files(tmp_path):
    top = tmp_path / "remote"
    return {p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}


# -- adding and listing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kept", "shown"),
    [
        ("../shared", "../shared", "{tmp}/shared"),
        ("{tmp}/shared", "{tmp}/shared", "{tmp}/shared"),
        ("~/shared", "~/shared", "{home}/shared"),
        ("file://{tmp}/shared", "file://{tmp}/shared", "file://{tmp}/shared"),
    ],
)
def test_folder_is_kept_as_written_and_shown_in_full(
    empty, tmp_path, isolation, written, kept, shown
):
    places = {"tmp": tmp_path, "home": isolation}
    done = empty.pivot("remote", "add", "disk", written.format(**places))
    assert done.out == f"Added remote disk: {shown.format(**places)}\n"
    assert f'url = "{kept.format(**places)}"' in empty.read(".pivot/config.toml")
    assert empty.pivot("remote", "list").out == f"disk  {shown.format(**places)}\n"


def test_relative_path_counts_from_where_it_was_written(empty, tmp_path):
    (empty.path / "deep/er").mkdir(parents=True)
    empty.pivot("remote", "add", "disk", "../../../shared", cwd="deep/er")
    assert empty.pivot("remote", "list").out == f"disk  {tmp_path}/shared\n"


def test_default_and_local_remotes(empty, tmp_path):
    empty.pivot("remote", "add", "one", "/data/one")
    empty.pivot("remote", "add", "two", "/data/two", "--local", "--default")
    assert "two" not in empty.read(".pivot/config.toml")
    assert empty.pivot("remote", "list").out == "one  /data/one\ntwo  /data/two  (default)\n"
    (value,) = empty.pivot("remote", "list", "--json").lines
    usual = {"read_only": False, "confirmed": True}
    conforms(value, "remote-list")
    assert value == {
        "remotes": [
            {"name": "one", "url": "/data/one", "default": False, **usual},
            {"name": "two", "url": "/data/two", "default": True, **usual},
        ]
    }
    empty.commit_all()
    assert "two" not in empty.git("show", "HEAD:.pivot/config.toml")


def test_secrets_stay_in_the_private_file(empty):
    options = ["access_key_id=AKIDXYZ", "secret_access_key=s3cr3t", "session_token=t0ken"]
    given = [text for option in (*options, "region=eu-west-1") for text in ("-o", option)]
    done = empty.pivot("remote", "add", "bucket", "s3://data/team", "--default", *given)
    private = empty.path / ".pivot/config.local.toml"
    assert all(option.split("=")[1] in private.read_text() for option in options)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert "eu-west-1" in empty.read(".pivot/config.toml")
    empty.commit_all()
    said = done.out + done.err + empty.read(".pivot/config.toml") + empty.git("log", "-p")
    for command in (["remote", "list"], ["config", "list"], ["doctor"]):
        shown = empty.pivot(*command, code=None)
        said += shown.out + shown.err
    assert not re.search("AKIDXYZ|s3cr3t|t0ken", said)
    empty.pivot("config", "set", "--local", "run.jobs", "2")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600, "a later change keeps it private"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["../x", "a/b"], "can't name a remote"),
        (["storage", "/data"], "there is a remote 'storage' already"),
        (["new", "gopher://host/x"], "scheme 'gopher' are not supported"),
        (["new", "simplecache::s3://data"], "chained URLs"),
        (["new", "s3://AKIDXYZ:s3cr3t@data"], "must not hold credentials"),
        (["new", "s3://AKIDXYZ:s3cr/3t@data"], "must not hold credentials"),
        (["new", "s3://data?token=s3cr3t"], "must not have a query"),
        (["new", "/data", "-o", "region=x"], "no option 'region'"),
        (["new", "s3://data", "-o", "s3cr3t"], "no key or no value"),
        (["new", "s3://data", "-o", "access_key_id=AKIDXYZ"], "go together"),
    ],
)
def test_what_cannot_be_a_remote_is_refused_and_nothing_is_written(team, arguments, said):
    before = team.read(".pivot/config.toml")
    done = team.pivot("remote", "add", *arguments, code=2)
    assert said in done.err
    assert not re.search("AKIDXYZ|s3cr", done.err)
    assert team.read(".pivot/config.toml") == before
    assert not team.exists(".pivot/config.local.toml")


def test_credentials_may_come_later(empty):
    done = empty.pivot("remote", "add", "bucket", "s3://data")
    assert done.err.startswith("warning: there are no credentials for s3://data")
    assert empty.pivot("remote", "list").out == "bucket  s3://data\n"


def test_credentials_that_somebody_wrote_into_a_url_are_not_repeated(empty):
    empty.write(".pivot/config.toml", '[remotes.x]\nurl = "s3://AKIDXYZ:s3cr/3t@data"\n')
    for command in (["remote", "list"], ["pull"], ["pull", "--yes"], ["doctor", "--remote"]):
        done = empty.pivot(*command, code=None)
        assert not re.search("AKIDXYZ|s3cr", done.out + done.err)


# -- pushing ----------------------------------------------------------------------------------


def test_second_push_asks_twice_and_moves_nothing(team, tmp_path):
    assert transfer(team.pivot("push", "--yes", "--json"))["objects"] == 0
    before = remote_files(tmp_path)
    value = transfer(team.pivot("push", "--json"))
    assert (value["objects"], value["bytes"], value["requests"]) == (0, 0, 2)
    assert value["total_objects"] == 203
    assert remote_files(tmp_path) == before


def test_push_says_what_it_moved(team):
    team.write("a.txt", "5\n")
    team.pivot("repro")
    done = team.pivot("push", "--yes")
    # Beside the usual ones: this clone's first push lists twice, and notes its project.
    assert done.out == "Pushed 2 of 203 objects, 16 bytes of 210.8 kB, 7 requests, TIME.\n"
    assert done.err == ""


def test_dry_run_foresees_what_moves_and_moves_nothing(team, tmp_path, clone):
    fresh = clone()
    files = remote_files(tmp_path)
    foreseen = transfer(fresh.pivot("pull", "--dry-run", "--json"))
    assert not fresh.exists("images")
    assert foreseen["objects"] == foreseen["total_objects"] == 203
    pulled = transfer(fresh.pivot("pull", "--json"))
    assert {k: pulled[k] for k in ("objects", "bytes")} == {
        k: foreseen[k] for k in ("objects", "bytes")
    }
    team.write("a.txt", "5\n")
    team.pivot("repro")
    foreseen = transfer(team.pivot("push", "--yes", "--dry-run", "--json"))
    assert foreseen["objects"] == 2
    assert team.pivot("push", "-n").out.startswith("Would push 2 of 203 objects to ")
    assert remote_files(tmp_path) == files
    assert transfer(team.pivot("push", "--json"))["objects"] == 2
    done = team.pivot("push", "-n")
    assert done.out.startswith(f"Would push 0 of 203 objects to {tmp_path}/remote, 0 bytes of ")


def test_dry_run_of_a_first_push_makes_nothing(team, tmp_path):
    team.pivot("remote", "add", "new", "../new")
    assert "Would push 203 of 203" in team.pivot("push", "-r", "new", "-n").out
    assert not (tmp_path / "new").exists()


def test_push_of_targets_sends_those(team, tmp_path):
    team.pivot("remote", "add", "new", "../new")
    value = transfer(team.pivot("push", "-r", "new", "double", "--json"))
    assert value["objects"] == value["total_objects"] == 1
    assert transfer(team.pivot("push", "-r", "new", "--json"))["objects"] == 202


# -- cloning and pulling ----------------------------------------------------------------------


def test_clone_pulls_and_nothing_is_left_to_run(team, clone, held):
    fresh = clone()
    done = fresh.pivot("pull")
    fetched, restored = done.out.splitlines()
    assert fetched.startswith("Fetched 203 of 203 objects, ")
    assert restored == "Restored 2 paths, 1 unchanged."
    assert done.err == ""
    assert fresh.pivot("repro").statuses == UNCHANGED
    assert fresh.ran() == []
    assert held(fresh) == held(team)
    assert (fresh.path / "images/empty/within").is_dir()
    assert os.access(fresh.path / "images/more/7.txt", os.X_OK)
    assert len(os.listdir(fresh.path / "images/more")) == 200
    assert fresh.git("status", "--short") == ""
    again = fresh.pivot("pull").out.splitlines()
    assert re.match(r"Fetched 0 of 203 objects, 0 bytes of .*, 0 requests, ", again[0])
    assert again[1] == "Restored 0 paths, 3 unchanged."


def test_clone_restores_by_repro_alone(team, clone, held):
    fresh = clone()
    (fresh.path / "total.json").unlink()
    assert fresh.pivot("repro").statuses == RESTORED
    assert fresh.ran() == []
    assert held(fresh) == held(team)


def test_fetch_leaves_the_workspace_and_checkout_needs_no_remote(clone, tmp_path):
    fresh = clone()
    assert fresh.pivot("fetch").out.startswith("Fetched 203 of 203 objects, ")
    assert not fresh.exists("images")
    os.rename(tmp_path / "remote", tmp_path / "gone")
    fresh.pivot("checkout")
    assert fresh.pivot("repro").statuses == UNCHANGED


def test_never_runs_what_is_not_here(clone):
    fresh = clone()
    fresh.pivot("config", "set", "--local", "run.fetch", "never")
    done = fresh.pivot("repro")
    assert done.statuses == {"double": "ran", "total": "unchanged", "images": "ran"}
    assert "warning" not in done.err
    assert fresh.ran() == ["double", "images"]


def test_auto_runs_without_the_remote_and_says_why(clone, tmp_path):
    fresh = clone()
    os.rename(tmp_path / "remote", tmp_path / "gone")
    done = fresh.pivot("repro")
    assert fresh.ran() == ["double", "images"]
    assert f"warning: the remote wasn't used: {tmp_path}/remote holds no Pivot store" in done.err
    assert done.err.count("warning: ") == 1


def test_auto_says_that_the_remote_waits_for_a_confirmation(clone, tmp_path):
    fresh = clone(trusts=False)
    done = fresh.pivot("repro")
    assert fresh.ran() == ["double", "images"]
    assert "was not confirmed on this machine" in done.err
    assert "`pivot pull --yes -r storage`" in done.err


@pytest.mark.parametrize(("trusts", "code"), [(True, 2), (False, 12)])
def test_require_fails_without_the_remote(clone, tmp_path, trusts, code):
    fresh = clone(trusts=trusts)
    os.rename(tmp_path / "remote", tmp_path / "gone")
    fresh.pivot("config", "set", "--local", "run.fetch", "require")
    fresh.pivot("status")
    done = fresh.pivot("repro", code=code)
    assert done.err.startswith("error: ")
    assert "hint: " in done.err
    assert fresh.ran() == []


def test_require_fails_if_the_remote_has_damaged_bytes(clone, tmp_path):
    fresh = clone()
    for pack in (tmp_path / "remote/packs").rglob("*.pack"):
        pack.write_bytes(b"x" * pack.stat().st_size)
    fresh.pivot("config", "set", "--local", "run.fetch", "require")
    done = fresh.pivot("repro", "double", code=1)
    assert done.statuses == {"double": "failed"}
    assert fresh.ran() == []
    fresh.pivot("config", "set", "--local", "run.fetch", "auto")
    done = fresh.pivot("repro", "double")
    assert done.statuses == {"double": "ran"}
    assert "warning: the remote wasn't used: " in done.err


def test_status_in_a_clone_does_not_touch_the_network(clone, stub):
    """Nor do other commands that only look; a stub would notice."""
    fresh = clone(trusts=False)
    seen = []
    stub.answer = lambda request: (seen.append(request.path), (403, b""))[1]
    endpoint = f"http://127.0.0.1:{stub.server_port}"
    own = {
        "PIVOT_REMOTE_STORAGE_URL": "s3://data",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    for command in (["status"], ["repro", "-n"], ["list"], ["remote", "list"], ["doctor"]):
        fresh.pivot(*command, env=own)
    assert seen == []
    fresh.pivot("fetch", env=own, code=12)
    assert seen


@pytest.mark.parametrize(
    ("target", "objects"),
    [("double", 1), ("out/doubled.txt", 1), ("./out/", 1), ("out", 1), ("images", 201), (".", 203)],
)
def test_targets_are_stages_paths_and_folders(clone, target, objects):
    fresh = clone()
    assert transfer(fresh.pivot("pull", target, "--json"))["total_objects"] == objects
    assert fresh.exists("out/doubled.txt") == (target != "images")
    assert fresh.exists("images") == (target in ("images", "."))


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("doubel", "Did you mean 'double'?"),
        ("out/doubld.txt", "Did you mean 'out/doubled.txt'?"),
        ("zzzzzz", "`pivot list --deps`"),
        ("../elsewhere", "`pivot list --deps`"),
        ("/etc/passwd", "`pivot list --deps`"),
        ("", "`pivot list --deps`"),
    ],
)
def test_unknown_target_names_the_nearest(clone, target, hint):
    done = clone().pivot("pull", target, code=2)
    assert f"error: {target!r} is no stage, no out and no tracked path\n" in done.err
    assert hint in done.err


def test_edited_data_in_the_way_is_named_and_kept(clone, held, team):
    fresh = clone()
    fresh.write("out/doubled.txt", "mine\n")
    fresh.write("images/more/3.txt", "mine too\n")
    fresh.write("images/new.txt", "and this\n")
    before = fresh.snapshot()
    done = fresh.pivot("pull", code=1)
    assert done.err == (
        "error: edited data would be lost: images/more/3.txt, images/new.txt, out/doubled.txt\n"
        "  why: nothing else holds these bytes\n"
        "hint: Keep a copy, then run `pivot checkout --force`\n"
    )
    assert fresh.snapshot() == before
    fresh.pivot("pull", "--only-missing")
    after = fresh.snapshot()
    assert {path: after[path] for path in before} == before
    assert fresh.read("images/more/4.txt") == "image 4\n" * 4
    (fresh.path / "out/doubled.txt").unlink()
    fresh.pivot("pull", "--only-missing")
    assert fresh.read("out/doubled.txt") == "6\n"
    assert fresh.read("images/new.txt") == "and this\n"
    fresh.pivot("pull", "--force")
    assert held(fresh) == held(team)


def test_metrics_of_another_revision_are_compared_after_a_pull(team, clone):
    fresh = clone()
    fresh.pivot("pull")
    fresh.write("a.txt", "7\n")
    fresh.pivot("repro")
    fresh.commit_all("Change")
    (changes,) = fresh.pivot("metrics", "diff", "HEAD~1", "--json").lines
    assert changes == [{"path": "total.json", "key": "total", "old": 7, "new": 15}]


def test_two_clones_push_at_once(team, clone, tmp_path):
    pushers = [clone("one"), clone("two")]
    for number, project in enumerate(pushers):
        project.pivot("pull")
        project.write("a.txt", f"{number + 10}\n")
        project.pivot("repro")
        project.commit_all()
    started = [project.start("push") for project in pushers]
    for project, process in zip(pushers, started, strict=True):
        project.finish(process)
    for number, project in enumerate(pushers):
        project.git("push", "--quiet", str(team.path), f"HEAD:refs/heads/b{number}")
        team.git("checkout", "--quiet", f"b{number}")
        other = clone(f"reader-{number}")
        other.pivot("pull")
        assert other.read("out/doubled.txt") == f"{2 * (number + 10)}\n"
        assert other.pivot("repro").statuses == UNCHANGED


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_push_goes_on_when_it_is_run_again(team, clone, stub, moto, keys, bucket, end):
    """A server that stops answering at the first pack: nothing is visible, all is sent later."""
    reached = team.marks / "pack"

    def answer(request):
        if request.command == "PUT" and "/packs/" in request.path:
            reached.write_text("x")
            team.eventually((team.marks / "go").exists)
        return (
            (404, b"<Error><Code>NoSuchKey</Code></Error>")
            if request.command == "GET" and ("list-type" not in request.path)
            else (200, b"<ListBucketResult></ListBucketResult>")
        )

    stub.answer = answer
    there = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{stub.server_port}"}
    team.environment["PIVOT_REMOTE_STORAGE_URL"] = f"s3://{bucket}/team"
    process = team.start("push", env=there)
    team.await_mark("pack")
    os.killpg(process.pid, end)
    team.mark("go")
    done = team.finish(process, None)
    assert done.code == (130 if end == signal.SIGINT else -signal.SIGKILL)
    team.ran()
    here = {"AWS_ENDPOINT_URL": moto}
    assert transfer(team.pivot("push", "--json", env=here))["objects"] == 203
    fresh = clone()
    fresh.pivot("pull", env={**team.environment, **here})
    assert fresh.pivot("repro").statuses == UNCHANGED


# -- S3 ---------------------------------------------------------------------------------------


def test_bucket_by_the_environment(team, clone, moto, bucket, keys, held, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    team.pivot("remote", "add", "bucket", f"s3://{bucket}/team", "--default")
    assert transfer(team.pivot("push", "--json"))["objects"] == 203
    again = transfer(team.pivot("push", "--json"))
    assert (again["objects"], again["requests"]) == (0, 2)
    team.commit_all()
    fresh = clone(trusts=False)
    value = transfer(fresh.pivot("pull", "--json"))  # confirmed by `remote add`, for this user
    assert (value["objects"], value["requests"]) == (203, 4)
    assert held(fresh) == held(team)
    assert fresh.pivot("repro").statuses == UNCHANGED


def test_bucket_by_options(team, clone, moto, bucket, held):
    options = [f"endpoint_url={moto}", "access_key_id=AKIDXYZ", "secret_access_key=s3cr3t"]
    given = [text for option in options for text in ("-o", option)]
    team.pivot("remote", "add", "bucket", f"s3://{bucket}", "--default", *given)
    pushed = team.pivot("push")
    team.commit_all()
    assert not re.search("AKIDXYZ|s3cr3t", pushed.out + pushed.err + team.git("log", "-p"))
    fresh = clone(trusts=False)
    done = fresh.pivot("pull", code=12)
    assert "there are no credentials for" in done.err
    own = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    fresh.pivot("pull", env=own)
    assert held(fresh) == held(team)


# -- trust ------------------------------------------------------------------------------------


def test_address_of_the_repository_is_confirmed_once_per_machine(clone, tmp_path):
    fresh = clone(trusts=False)
    for command in (["pull"], ["push"], ["fetch", "--dry-run"]):
        done = fresh.pivot(*command, code=12)
        assert done.err.startswith(
            f"error: remote 'storage' ({tmp_path}/remote) was not confirmed on this machine\n"
        )
        assert "hint: If you trust it, run `pivot pull --yes -r storage` once" in done.err
    assert not fresh.exists("images")
    (value,) = fresh.pivot("pull", "--json", code=12).lines
    assert value["code"] == "denied"
    fresh.pivot("pull", "--yes")
    fresh.pivot("push")
    os.rename(fresh.path, tmp_path / "moved")
    assert clone(trusts=False).pivot("pull").code == 0, "it holds for other clones, too"


def test_another_address_is_another_confirmation(clone, tmp_path):
    fresh = clone(trusts=False)
    fresh.pivot("pull", "--yes")
    fresh.replace(".pivot/config.toml", "../remote", "../elsewhere")
    assert "../elsewhere" not in fresh.pivot("push", code=12).err
    assert not (tmp_path / "elsewhere").exists()


def test_endpoint_of_the_repository_must_be_confirmed_too(clone, stub, keys):
    """Whoever gives the address himself hasn't said yes to where it would be sent."""
    fresh = clone(trusts=False)
    seen = []
    stub.answer = lambda request: (seen.append(request.path), (403, b""))[1]
    endpoint = f"http://127.0.0.1:{stub.server_port}"
    fresh.write(
        ".pivot/config.toml",
        f'[remotes.storage]\nurl = "s3://data"\nendpoint_url = "{endpoint}"\n',
    )
    own = {"PIVOT_REMOTE_STORAGE_URL": "s3://mine"}
    done = fresh.pivot("pull", env=own, code=12)
    assert f"(s3://mine at {endpoint}) was not confirmed" in done.err
    assert seen == []
    fresh.pivot("pull", "--yes", env=own, code=12)
    assert seen, "then it was asked, and refused us"


def test_cache_outside_of_the_project_is_the_users_decision(clone, tmp_path):
    fresh = clone()
    fresh.pivot("config", "set", "cache.dir", "../stolen")
    done = fresh.pivot("pull", code=12)
    assert f"cache.dir is {tmp_path}/stolen, outside of the project" in done.err
    assert not (tmp_path / "stolen").exists()
    fresh.pivot("config", "set", "--local", "cache.dir", "../stolen")
    fresh.pivot("pull")
    assert (tmp_path / "stolen/packs").is_dir()


def test_link_of_the_repository_does_not_lead_the_cache_out(clone, tmp_path):
    fresh = clone()
    (tmp_path / "victim").mkdir()
    (fresh.path / "data").symlink_to(tmp_path / "victim")
    fresh.pivot("config", "set", "cache.dir", "data/cache")
    done = fresh.pivot("pull", code=12)
    assert "outside of the project" in done.err
    assert os.listdir(tmp_path / "victim") == []


@pytest.mark.parametrize(
    "name", ["stages", "cache", "tmp", "runs", "aside", "state.db", "cache/packs", "cache/tmp"]
)
def test_links_below_the_projects_folder_are_refused(clone, tmp_path, name):
    fresh = clone()
    (tmp_path / "victim").mkdir()
    link = fresh.path / ".pivot" / name
    link.parent.mkdir(exist_ok=True)
    if name == "stages":
        os.rename(link, tmp_path / "stages")
    link.symlink_to(tmp_path / "victim")
    done = fresh.pivot("pull", code=2)
    assert f"error: PROJECT/.pivot/{name} is a symbolic link\n" in done.err
    assert os.listdir(tmp_path / "victim") == []


def test_forged_history_that_came_with_a_repository_is_not_believed(team, clone):
    """An attacker's clone claims that `double` wrote other bytes, in its records and its cache."""
    evil = clone("evil")
    evil.pivot("pull")
    evil.replace("pipeline.py", "2 * int", "1000 * int")
    evil.pivot("repro", "double")
    forged = decode(evil.lock("double").read_bytes(), "forged")
    evil.replace("pipeline.py", "1000 * int", "2 * int")
    evil.pivot("repro", "double")
    honest = decode(evil.lock("double").read_bytes(), "honest")
    lock = replace(honest, outs=forged.outs).encode()
    assert lock != honest.encode()
    records = [p for p in (evil.path / ".pivot/runs").rglob("*.lock") if p.name == "double.lock"]
    assert records
    for record in records:
        os.chmod(record, 0o644)
        record.write_bytes(lock)
    evil.lock("double").unlink()
    evil.git("add", "--all")
    evil.git("add", "--force", ".pivot")
    evil.git("commit", "--quiet", "-m", "Make it faster")
    evil.git("push", "--quiet", str(team.path), "HEAD:refs/heads/evil")
    team.git("checkout", "--quiet", "evil")
    victim = clone("victim")
    assert victim.exists(".pivot/state.db")
    assert victim.exists(".pivot/runs")
    done = victim.pivot("repro", "double")
    assert victim.read("out/doubled.txt") == "6\n"
    assert done.statuses["double"] == "ran"
