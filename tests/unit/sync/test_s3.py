"""The whole way through a bucket, with the requests that a team pays for."""

import random

import pytest

from pivot.errors import DeniedError, PivotError
from pivot.paths import RepoPath
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from pivot.transfer.remote import RemoteStore

DATA = RepoPath("data")


def test_a_team_shares_through_a_bucket(
    bucket, make_store, put_tree, files_of, tmp_path, monkeypatch
):
    def remote(name, url=bucket.url):
        return RemoteStore.at(url, {}, str(tmp_path / f"cache-{name}"))

    here, there = make_store("here"), make_store("there")
    rnd = random.Random(4)
    files = {f"{n:04}": rnd.randbytes(3000) for n in range(500)}
    files["cut"] = rnd.randbytes(18_000_000)  # one pack that is sent in parts
    content = put_tree(here, files)
    assert push(here, remote("me"), {DATA: content}).objects > 500
    again = push(here, remote("me"), {DATA: content})
    assert (again.objects, again.requests) == (0, 2)
    fetched = fetch(there, remote("you"), {DATA: content})
    assert fetched.requests <= 8
    assert files_of(there, content) == files
    with pytest.raises(PivotError, match="s3://absent") as caught:
        fetch(make_store("none"), remote("none", "s3://absent"), {DATA: content})
    assert "AKIA" not in str(caught.value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    with pytest.raises(DeniedError, match="s3://data"):
        fetch(make_store("stranger"), remote("stranger"), {DATA: content})
