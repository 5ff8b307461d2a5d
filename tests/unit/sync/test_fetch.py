import os
import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pivot.errors import ExitCode, IntegrityError, MissingDataError, PivotError, UsageError
from pivot.paths import RepoPath
from pivot.store.pack import pack_key
from pivot.sync.fetch import fetch, plan_fetch
from pivot.sync.push import push
from pivot.transfer import ranges
from pivot.transfer.faults import PackGoneError
from pivot.transfer.push import push as send

DATA = RepoPath("data")
MODEL = RepoPath("model.bin")
NAMES = st.text("abc", min_size=1, max_size=3)
# Some are longer than the threshold, so they are cut.
BODIES = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda n: random.Random(n).randbytes(1_048_577 + n), st.integers(0, 3)),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=st.dictionaries(NAMES, BODIES, min_size=1, max_size=6), alone=BODIES)
def test_what_was_pushed_comes_back(
    files, alone, make_store, make_remote, put_tree, put_file, files_of, tmp_path
):
    for name in ("here", "there", "remote", "cache-me", "cache-you"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    here, there = make_store("here"), make_store("there")
    roots = {DATA: put_tree(here, files), MODEL: put_file(here, alone)}
    pushed = push(here, make_remote("me"), roots)
    fetched = fetch(there, make_remote("you"), roots)
    assert (fetched.objects, fetched.bytes) == (pushed.total_objects, pushed.total_bytes)
    assert files_of(make_store("there"), roots[DATA]) == files
    assert b"".join(make_store("there").stream(roots[MODEL])) == alone
    assert fetch(make_store("there"), make_remote("you"), roots).objects == 0


def test_a_directory_whose_listing_was_cut_comes_back(
    make_store, make_remote, put_tree, files_of, memory
):
    """Its listing needs a recipe and chunks, which are fetched before its members are known."""
    here, there = make_store("here"), make_store("there")
    files = {f"{'long' * 30}/{n:06}": b"%d" % n for n in range(6000)}
    content = put_tree(here, files)
    assert content.recipe is not None
    push(here, make_remote("me", memory), {DATA: content})
    result = fetch(there, make_remote("you", memory), {DATA: content})
    assert result.requests <= 12
    assert files_of(there, content) == files


def test_ranges_bring_a_part_of_a_large_pack(
    make_store, make_remote, put_tree, files_of, backend, monkeypatch
):
    monkeypatch.setattr(ranges, "SMALL_PACK", 0)
    monkeypatch.setattr(ranges, "REQUEST", 1000)
    here, there = make_store("here"), make_store("there")
    rnd = random.Random(3)
    files = {f"f{n:02}": rnd.randbytes(100_000) for n in range(20)}
    part = {name: data for name, data in files.items() if name in ("f03", "f04", "f11")}
    roots = {DATA: put_tree(here, files), MODEL: put_tree(here, part)}
    push(here, make_remote("me"), roots)
    backend.calls.clear()
    result = fetch(there, make_remote("you"), {MODEL: roots[MODEL]})
    assert files_of(there, roots[MODEL]) == part
    gets = [verb for verb, key in backend.calls if key.startswith("packs/")]
    assert gets == ["get_range"] * 3  # the listing; two neighbours; and one more
    assert result.bytes < 310_000
    assert not there.holds(roots[DATA])


def test_small_packs_are_fetched_once_and_whole(make_store, make_remote, put_tree, backend):
    here, there = make_store("here"), make_store("there")
    content = put_tree(here, {"a": b"a", "b": b"b" * 5000})
    push(here, make_remote("me"), {DATA: content})
    backend.calls.clear()
    fetch(there, make_remote("you"), {DATA: content})
    assert [verb for verb, key in backend.calls if key.startswith("packs/")] == ["get_file"]


def test_where_nothing_is_lacking_no_remote_is_asked(make_store, make_remote, put_tree):
    here = make_store("here")
    content = put_tree(here, {"a": b"a"})
    push(here, make_remote(), {DATA: content})
    assert fetch(here, make_remote(), {DATA: content}).requests == 0


def failure(store, remote, roots):
    try:
        fetch(store, remote, roots)
    except PivotError as error:
        return error
    return None


def test_a_flipped_bit_anywhere_never_becomes_wrong_bytes(
    make_store, make_remote, put_tree, files_of, tmp_path
):
    here = make_store("here")
    files = {"a": b"some text " * 20, "b": random.Random(1).randbytes(60)}
    content = put_tree(here, files)
    push(here, make_remote("me"), {DATA: content})
    objects = [
        path for path in (tmp_path / "remote").rglob("*") if path.suffix in (".pack", ".idx")
    ]
    assert len(objects) == 2
    refused = 0
    for path in objects:
        whole = path.read_bytes()
        for at in range(0, len(whole), 7):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            name = f"{path.suffix}{at}"
            there = make_store(name)
            error = failure(there, make_remote(name), {DATA: content})
            if error is None:
                assert files_of(make_store(name), content) == files
            else:
                refused += 1
                assert error.exit_code in (ExitCode.INTEGRITY, ExitCode.FAILED)
                assert not make_store(name).holds(content)
            shutil.rmtree(tmp_path / name)
        path.write_bytes(whole)
    assert refused > 50


def test_damage_names_object_and_remote_and_keeps_what_was_verified(
    make_store, make_remote, put_file, tmp_path
):
    here, there = make_store("here"), make_store("there")
    rnd = random.Random(9)
    good = {RepoPath(f"good{n}"): put_file(here, rnd.randbytes(400_000)) for n in range(3)}
    bad = put_file(here, rnd.randbytes(400_000))
    remote = make_remote("me")
    push(here, remote, good)
    push(here, remote, {MODEL: bad})
    block = remote.find(bad.id).block
    pack = tmp_path / "remote" / pack_key(block.pack)
    data = bytearray(pack.read_bytes())
    data[block.offset + 7] ^= 1
    pack.write_bytes(data)
    with pytest.raises(IntegrityError, match=bad.id.hex()[:12]) as caught:
        fetch(there, make_remote("you"), good | {MODEL: bad}, jobs=1)
    assert str(tmp_path / "remote") in caught.value.message
    assert "index/" in caught.value.hint
    there = make_store("there")
    assert not there.holds(bad)
    left = [p for p, c in good.items() if not there.holds(c)]
    assert fetch(there, make_remote("you"), good).objects == len(left) < 3
    assert set(os.listdir(tmp_path / "there" / "tmp")) <= {"in-use"}


def test_a_missing_pack_is_named_with_what_mends_it(
    make_store, make_remote, put_tree, tmp_path, files_of
):
    here, there = make_store("here"), make_store("there")
    content = put_tree(here, {"a": b"a"})
    remote = make_remote("me")
    push(here, remote, {DATA: content})
    pack = pack_key(remote.find(content.id).block.pack)
    (tmp_path / "remote" / pack).unlink()
    with pytest.raises(PackGoneError, match=pack) as caught:
        fetch(there, make_remote("you"), {DATA: content})
    assert caught.value.exit_code is ExitCode.INTEGRITY
    index = caught.value.hint.split("`")[1]
    (tmp_path / "remote" / index).unlink()
    assert push(here, make_remote("me"), {DATA: content}).objects == 2
    fetch(there, make_remote("you"), {DATA: content})
    assert files_of(there, content) == {"a": b"a"}


def test_a_pack_that_is_collected_meanwhile_is_looked_for_again(
    make_store, make_remote, put_file, tmp_path, backend
):
    """Another client merged and moved what we listed; we list again."""
    here, there = make_store("here"), make_store("there")
    content = put_file(here, b"x" * 100)
    first = make_remote("me")
    push(here, first, {MODEL: content})
    pack = pack_key(first.find(content.id).block.pack)
    index = next((tmp_path / "remote" / "index").iterdir())

    def before(verb, key):
        if key == pack and index.exists():
            backend.before = lambda verb, key: None
            backend.lock.release()
            index.unlink()
            push(here, make_remote("third"), {MODEL: content})
            (tmp_path / "remote" / pack).unlink()
            backend.lock.acquire()

    backend.before = before
    fetch(there, make_remote("you"), {MODEL: content})
    assert there.read(content.id) == b"x" * 100


def test_what_can_be_had_is_fetched_before_the_rest_is_named(
    make_store, make_remote, put_tree, put_file, files_of
):
    here, there = make_store("here"), make_store("there")
    content = put_tree(here, {"a": b"a"})
    lost = put_tree(here, {"a": b"a", "b": b"never pushed"})
    push(here, make_remote("me"), {DATA: content})
    with pytest.raises(MissingDataError, match=r"model\.bin") as caught:
        fetch(there, make_remote("you"), {DATA: content, MODEL: lost})
    assert "data " not in caught.value.message.replace("the data of", "")
    assert files_of(make_store("there"), content) == {"a": b"a"}


def test_a_listing_is_never_kept_without_its_members(
    make_store, make_remote, put_tree, put_file, tmp_path
):
    """The store promises that where a tree is, its members are."""
    here, there, remote = make_store("here"), make_store("there"), make_remote("me")
    content = put_tree(here, {"a": b"a", "b": b"b"})
    remote.open_to_write()
    send(here, remote, [[content.id]], 0)
    with pytest.raises(MissingDataError, match="data"):
        fetch(there, make_remote("you"), {DATA: content})
    assert not make_store("there").holds(content)


def test_a_member_whose_pack_is_gone_here_is_fetched_again(
    make_store, make_remote, put_tree, files_of, tmp_path
):
    here = make_store("here")
    content = put_tree(here, {"a": b"a", "b": b"b"})
    push(here, make_remote(), {DATA: content})
    (tmp_path / "here" / pack_key(here.find(content.id).block.pack)).unlink()
    again = make_store("here")
    assert fetch(again, make_remote(), {DATA: content}).objects == 3
    assert files_of(make_store("here"), content) == {"a": b"a", "b": b"b"}


def test_a_place_that_is_no_store_is_an_error_with_its_name(
    make_store, make_remote, put_file, tmp_path
):
    content = put_file(make_store("here"), b"x")
    with pytest.raises(UsageError, match="holds no Pivot store") as caught:
        fetch(make_store("there"), make_remote(), {MODEL: content})
    assert str(tmp_path / "remote") in caught.value.message
    assert not (tmp_path / "remote").exists()


def test_interrupted_it_keeps_what_was_verified(make_store, make_remote, put_file, backend):
    here, there = make_store("here"), make_store("there")
    rnd = random.Random(2)
    roots = {RepoPath(f"f{n}"): put_file(here, rnd.randbytes(200_000)) for n in range(6)}
    for path, content in roots.items():
        push(here, make_remote("me"), {path: content})
    backend.calls.clear()

    def before(verb, key):
        if sum(key.startswith("packs/") for _, key in backend.calls) == 4:
            raise KeyboardInterrupt

    backend.before = before
    with pytest.raises(KeyboardInterrupt):
        fetch(there, make_remote("you"), roots, jobs=1)
    backend.before = lambda verb, key: None
    assert fetch(make_store("there"), make_remote("you"), roots).objects == 3


def test_the_plan_keeps_nothing(make_store, make_remote, put_tree, tmp_path):
    here, there = make_store("here"), make_store("there")
    content = put_tree(here, {"a": b"a", "b": b"bb"})
    push(here, make_remote("me"), {DATA: content})
    plan = plan_fetch(there, make_remote("you"), {DATA: content})
    assert (plan.objects, plan.total_objects) == (3, 3)
    assert not make_store("there").has(content.id)
    assert set(os.listdir(tmp_path / "there" / "tmp")) <= {"in-use"}
