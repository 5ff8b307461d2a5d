"""Remotes that are absent, closed, broken or lying: said in three lines, and nothing is lost."""

import os
import re
import resource
import shutil
import time

import pytest


@pytest.fixture
def refused(held):
    """Runs a command that must fail: what, why and a remedy, as text and as JSON; nothing moves."""

    def run(project, *command, code, kind, said, env=None):
        before = held(project), project.git("status", "--short")
        done = project.pivot(*command, code=code, env=env)
        assert done.out == ""
        what, *_, hint = done.err.splitlines()
        assert what.startswith("error: ")
        assert hint.startswith("hint: ")
        assert said in done.err, done.err
        again = project.pivot(*command, "--json", code=code, env=env)
        (value,) = again.lines
        assert value.keys() == {"type", "code", "message", "hint"}
        assert (value["type"], value["code"], again.err) == ("error", kind, "")
        assert value["hint"]
        assert (held(project), project.git("status", "--short")) == before
        return done

    return run


def packs(tmp_path):
    found = sorted((tmp_path / "remote/packs").rglob("*.pack"))
    assert found
    return found


def indexes(tmp_path):
    found = sorted((tmp_path / "remote/index").glob("*.idx"))
    assert found
    return found


def flip(file):
    """Change bytes in the middle of a file."""
    data = bytearray(file.read_bytes())
    for at in range(len(data) // 3, 2 * len(data) // 3):
        data[at] ^= 0x10
    file.write_bytes(data)


# -- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["push", "pull", "fetch"])
def test_no_remote(story, command):
    done = story.pivot(command, code=2)
    assert done.err == (
        "error: this project has no remote\n"
        "hint: Add one with `pivot remote add NAME URL --default`\n"
    )


def test_several_remotes_and_no_default(story):
    for name in ("one", "two"):
        story.pivot("remote", "add", name, f"../{name}")
    done = story.pivot("push", code=2)
    assert done.err == (
        "error: no remote was named\n"
        "  why: there are several and none is the default\n"
        "hint: Make one the default: `pivot remote default NAME`\n"
    )


def test_unknown_name(team, refused):
    said = "there is no remote 'storge'\nhint: Did you mean 'storage'?"
    refused(team, "push", "-r", "storge", code=2, kind="usage", said=said)
    said = "`pivot remote list` shows them"
    refused(team, "pull", "-r", "qqq", code=2, kind="usage", said=said)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("gopher://host/x", "scheme 'gopher' are not supported"),
        ("simplecache::s3://data", "chained URLs"),
        ("file://host/x", "names no folder here"),
        ("s3://", "no bucket is named"),
    ],
)
def test_address_that_cannot_be_used(clone, refused, url, said):
    own = {"PIVOT_REMOTE_STORAGE_URL": url}
    refused(clone(), "pull", code=2, kind="usage", said=said, env=own)


def test_option_that_does_not_exist(clone, refused):
    fresh = clone()
    fresh.write(".pivot/config.local.toml", '[remotes.storage]\ncolour = "red"\n')
    refused(fresh, "pull", code=2, kind="usage", said="no option 'colour'")


# -- servers ----------------------------------------------------------------------------------


@pytest.fixture
def asks(clone, keys):
    """A clone whose remote is a bucket at an endpoint."""

    def make(endpoint, bucket="data", **options):
        fresh = clone()
        fresh.environment["PIVOT_REMOTE_STORAGE_URL"] = f"s3://{bucket}/team"
        given = {"endpoint_url": endpoint, "attempts": "2", "connect_timeout": "1", **options}
        lines = "".join(f'{name} = "{value}"\n' for name, value in given.items())
        fresh.write(".pivot/config.local.toml", f"[remotes.storage]\n{lines}")
        return fresh

    return make


def test_endpoint_that_nobody_listens_at(asks, refused):
    begun = time.monotonic()
    fresh = asks("http://127.0.0.1:9")
    done = refused(fresh, "pull", code=1, kind="unreachable", said="can't be reached")
    assert "http://127.0.0.1:9" in done.err
    refused(fresh, "push", code=1, kind="unreachable", said="can't be reached")
    assert time.monotonic() - begun < 15


def test_endpoint_that_does_not_answer(asks, stub, team, refused):
    stub.answer = lambda request: (team.eventually((team.marks / "go").exists), (500, b""))[1]
    fresh = asks(f"http://127.0.0.1:{stub.server_port}", attempts="1", read_timeout="0.3")
    refused(fresh, "pull", code=1, kind="unreachable", said="doesn't answer")
    team.mark("go")


def test_interrupt_while_an_endpoint_does_not_answer(asks, stub, team):
    def answer(request):
        team.mark("asked")
        team.eventually((team.marks / "go").exists)
        return 500, b""

    stub.answer = answer
    fresh = asks(f"http://127.0.0.1:{stub.server_port}", read_timeout="1")
    process = fresh.start("pull")
    fresh.await_mark("asked")
    begun = time.monotonic()
    os.killpg(process.pid, 2)
    done = fresh.finish(process, 130)
    assert time.monotonic() - begun < 10
    assert done.err.endswith("error: interrupted\n")
    team.mark("go")


def test_server_that_is_always_busy(asks, stub, refused):
    fresh = asks(f"http://127.0.0.1:{stub.server_port}")
    refused(fresh, "pull", code=1, kind="unreachable", said="can't serve now")


@pytest.mark.parametrize("command", ["pull", "push"])
def test_forbidden(asks, stub, refused, command):
    stub.answer = lambda request: (403, b"<Error><Code>AccessDenied</Code></Error>")
    fresh = asks(f"http://127.0.0.1:{stub.server_port}")
    said = "access to s3://data/team is denied\n  why: the credentials don't allow this"
    done = refused(fresh, command, code=12, kind="denied", said=said)
    assert "test-secret-key" not in done.err


@pytest.mark.parametrize("command", ["pull", "push"])
def test_bucket_that_does_not_exist(asks, moto, refused, command):
    said = f"bucket absent doesn't exist at {moto}"
    refused(asks(moto, "absent"), command, code=2, kind="usage", said=said)


def test_no_credentials(clone, refused):
    own = {"PIVOT_REMOTE_STORAGE_URL": "s3://data"}
    said = "there are no credentials for s3://data"
    refused(clone(), "pull", code=12, kind="denied", said=said, env=own)


@pytest.mark.parametrize("module", ["obstore", "boto3"])
def test_storage_whose_packages_are_not_installed(clone, tmp_path, refused, module):
    blocked = tmp_path / "blocked" / module
    blocked.mkdir(parents=True)
    text = f"raise ModuleNotFoundError('No module named {module}', name={module!r})"
    (blocked / "__init__.py").write_text(text)
    own = {"PIVOT_REMOTE_STORAGE_URL": "s3://data", "PYTHONPATH": str(blocked.parent)}
    done = refused(clone(), "pull", code=2, kind="usage", said="isn't installed", env=own)
    assert "hint: Run `pip install 'pivot[s3]'`" in done.err


# -- folders ----------------------------------------------------------------------------------


def test_folder_that_is_no_store(clone, tmp_path, refused):
    fresh = clone()
    other = tmp_path / "remote"
    shutil.rmtree(other)
    said = "holds no Pivot store"
    refused(fresh, "pull", code=2, kind="usage", said=said)
    other.mkdir()
    (other / "thesis.doc").write_text("mine")
    refused(fresh, "pull", code=2, kind="usage", said=said)
    said = "is not empty and no Pivot store\n  why: it has no pivot-store.json, but for example"
    refused(fresh, "push", code=2, kind="usage", said=said)
    refused(fresh, "push", "--dry-run", code=2, kind="usage", said=said)
    assert os.listdir(other) == ["thesis.doc"]


@pytest.mark.parametrize("command", ["pull", "push"])
def test_store_of_a_newer_format(clone, tmp_path, refused, command):
    marker = tmp_path / "remote/pivot-store.json"
    text, count = re.subn(r'"format": ?1', '"format": 99', marker.read_text())
    assert count == 1
    marker.write_text(text)
    done = clone().pivot(command, code=None)
    assert done.code != 0
    assert "newer" in done.err
    assert "hint: " in done.err
    assert marker.read_text() == text


@pytest.mark.parametrize("command", ["push", "pull"])
def test_file_in_place_of_the_folder(clone, tmp_path, refused, command):
    fresh = clone()
    shutil.rmtree(tmp_path / "remote")
    (tmp_path / "remote").write_text("mine")
    refused(fresh, command, code=2, kind="usage", said="a file stands where a folder should")
    assert (tmp_path / "remote").read_text() == "mine"


def test_folder_that_cannot_be_written(team, tmp_path, refused):
    """A file stands where new packs would go: what permissions do, and holds for root too."""
    team.environment["PIVOT_REMOTE_STORAGE_URL"] = str(tmp_path / "remote")
    team.write("a.txt", "5\n")
    team.pivot("repro")
    before = indexes(tmp_path)
    shutil.rmtree(tmp_path / "remote/packs")
    (tmp_path / "remote/packs").write_text("")
    refused(team, "push", code=2, kind="usage", said="a file stands where a folder should")
    assert indexes(tmp_path) == before


# -- damage -----------------------------------------------------------------------------------


def test_bytes_that_are_not_what_their_id_says(clone, tmp_path, team, held, refused):
    """Nothing wrong is visible; what was right stays; mended, the same command goes on."""
    fresh = clone()
    fresh.pivot("pull", "double")
    sound = {pack: pack.read_bytes() for pack in packs(tmp_path)}
    for pack in sound:
        flip(pack)
    done = refused(fresh, "pull", code=13, kind="integrity", said=f"of {tmp_path}/remote")
    assert re.search("object [0-9a-f]{12}|pack", done.err)
    assert fresh.read("out/doubled.txt") == "6\n"
    assert not fresh.exists("images")
    for pack, data in sound.items():
        pack.write_bytes(data)
    fresh.pivot("pull")
    assert held(fresh) == held(team)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_pack_that_is_not_whole(clone, tmp_path, refused, damage):
    fresh = clone()
    for pack in packs(tmp_path):
        pack.unlink() if damage == "missing" else os.truncate(pack, 10)
    said = "is not whole in" if damage == "missing" else "are damaged, in packs/"
    done = refused(fresh, "pull", code=13, kind="integrity", said=said)
    assert re.search(r"hint: Delete `index/\w+\.idx` there, then run `pivot push`", done.err)
    assert not fresh.exists("images")


def test_what_a_push_after_deleting_the_index_mends(team, clone, tmp_path, held):
    for pack in packs(tmp_path):
        pack.unlink()
    hint = clone("first").pivot("pull", code=13).err.splitlines()[-1]
    (tmp_path / "remote" / re.search("`(index/.*?)`", hint)[1]).unlink()
    team.pivot("push", "--yes")
    fresh = clone()
    fresh.pivot("pull")
    assert held(fresh) == held(team)


def test_missing_index_is_missing_data_with_its_paths(clone, tmp_path, refused):
    fresh = clone()
    for index in indexes(tmp_path):
        index.unlink()
    said = f"the data of images, out/doubled.txt is neither in the cache nor in {tmp_path}/remote"
    done = refused(fresh, "pull", "double", "images", code=14, kind="missing", said=said)
    assert "hint: Run `pivot push` where it was made" in done.err


def test_missing_data_is_named_and_the_rest_is_fetched(team, clone, tmp_path, refused):
    fresh = clone()
    shutil.rmtree(tmp_path / "remote")
    team.pivot("push", "--yes", "double", "total")
    said = "the data of images is neither in the cache nor in"
    refused(fresh, "pull", code=14, kind="missing", said=said)
    fresh.pivot("checkout", "double")
    assert fresh.read("out/doubled.txt") == "6\n"


def test_push_of_what_is_nowhere_names_it(team, refused, tmp_path):
    team.pivot("remote", "add", "new", "../new")
    shutil.rmtree(team.path / ".pivot/cache")
    said = "the data of images, out/doubled.txt, total.json is neither in the cache nor in"
    refused(team, "push", "-r", "new", code=14, kind="missing", said=said)
    assert not list((tmp_path / "new").rglob("*.pack"))


@pytest.mark.parametrize("damage", [flip, lambda file: os.truncate(file, 10)])
def test_damaged_index(clone, tmp_path, refused, damage):
    fresh = clone()
    for index in indexes(tmp_path):
        damage(index)
    done = refused(fresh, "pull", code=13, kind="integrity", said="is damaged")
    assert "hint: Delete `index/" in done.err


def test_index_that_names_other_bytes_than_the_pack_has(team, clone, tmp_path, refused):
    """A remote that answers with another sound pack, under the right name."""
    team.write("a.txt", "500\n")
    team.pivot("repro")
    before = set(packs(tmp_path))
    team.pivot("push", "--yes")
    (fresh_pack,) = set(packs(tmp_path)) - before
    (old_pack,) = before
    shutil.copyfile(old_pack, fresh_pack)
    team.commit_all()
    fresh = clone()
    refused(fresh, "pull", "double", code=13, kind="integrity", said=f"of {tmp_path}/remote")
    assert not fresh.exists("out/doubled.txt")


# -- disk -------------------------------------------------------------------------------------


def test_disk_that_is_full_while_pulling(clone, held, team):
    """A limit on the size of files stands for it: the error of the system differs, no more."""
    fresh = clone()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = fresh.pivot("pull", code=1, limits=limit)
    assert done.err.startswith("error: ")
    assert "File too large" in done.err
    assert "hint: " in done.err
    assert not fresh.exists("images")
    fresh.pivot("pull")
    assert held(fresh) == held(team)
