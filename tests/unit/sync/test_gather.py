"""Fetching from several remotes: who is asked, what is said, and what nobody has whole."""

import json
import os
import random
import shutil
from io import FileIO

import pytest
from blake3 import blake3

from pivot.errors import DeniedError, ExitCode, IntegrityError, MissingDataError, PivotError
from pivot.hashing import hash_bytes
from pivot.paths import RepoPath
from pivot.store.check import packs_in
from pivot.store.content import Content, ContentType
from pivot.store.entry import FileName
from pivot.store.index import Index, index_key
from pivot.store.indexing import encode
from pivot.store.pack import pack_key
from pivot.sync.gather import gather, gather_tree, plan_gather
from pivot.sync.givers import Giver, Givers
from pivot.sync.push import push
from pivot.transfer import tombstones
from pivot.transfer.faults import DiskError, UnreachableError
from pivot.transfer.remote import RemoteStore
from pivot_remotes.directory import DirectoryBackend
from pivot_remotes.errors import AccessDenied, DiskRefused, Unreachable
from pivot_remotes.tracing import Trace, Tracing
from tests.unit.sync.conftest import Watched

DATA = RepoPath("data")
MODEL = RepoPath("model.bin")
NAMES = ("main", "spare", "third")


class Place:
    """A remote in a folder, and its clients."""

    def __init__(self, tmp_path, name):
        self.name = name
        self.folder = tmp_path / name
        self.backend = Watched(DirectoryBackend(str(self.folder)))
        self.tmp_path = tmp_path
        self.opened = 0

    def remote(self, client="you", *, publish=False):
        trace = Trace()
        cache = str(self.tmp_path / f"cache-{client}-{self.name}")
        return RemoteStore(Tracing(self.backend, trace), cache, trace, publish=publish)

    def giver(self, client="you"):
        def connect():
            self.opened += 1
            return self.remote(client)

        return Giver(self.name, connect)

    def break_with(self, error):
        """Every call to it fails."""

        def before(verb, key):
            raise error

        self.backend.before = before

    def damage(self, id_):
        """Flip a bit of an entry; returns the key of its pack."""
        remote = self.remote("vandal")
        remote.open()
        block = remote.find(id_).block
        file = self.folder / pack_key(block.pack)
        data = bytearray(file.read_bytes())
        data[block.offset + block.stored // 2] ^= 1
        file.write_bytes(data)
        return pack_key(block.pack)


@pytest.fixture
def places(tmp_path):
    return {name: Place(tmp_path, name) for name in NAMES}


@pytest.fixture
def heard():
    return []


@pytest.fixture
def givers(places, heard):
    """The remotes called so, in this order."""
    return lambda *names, client="you": Givers(
        [places[name].giver(client) for name in names], lambda trouble: heard.append(str(trouble))
    )


def noise(size, seed=0):
    return random.Random(seed).randbytes(size)


def given(summary):
    return {source.remote: source.objects for source in summary.sources}


# -- who is asked -----------------------------------------------------------------------------


def test_a_later_remote_is_opened_only_for_what_earlier_ones_lack(
    make_store, places, givers, put_file, heard
):
    here = make_store("here")
    first, second = put_file(here, noise(5000)), put_file(here, noise(6000, 1))
    push(here, places["main"].remote("me"), {DATA: first})
    push(here, places["spare"].remote("me"), {DATA: first, MODEL: second})
    there = make_store("there")
    done = gather(there, givers("main", "spare"), {DATA: first})
    assert given(done) == {"main": 1}
    assert places["spare"].opened == 0
    done = gather(there, givers("main", "spare", "third"), {DATA: first, MODEL: second})
    assert given(done) == {"spare": 1}
    assert (done.objects, done.bytes, done.total_objects) == (1, 6000, 2)
    assert places["third"].opened == 0
    assert there.read(second.id) == noise(6000, 1)
    assert heard == []


def test_parts_of_one_directory_come_from_two_remotes(
    make_store, places, givers, put_tree, files_of
):
    """Each remote lost a pack of its own, so neither has all of it."""
    here = make_store("here")
    files = {"a": noise(300_000, 1), "b": noise(300_000, 2)}
    parts = [put_tree(here, {name: data}) for name, data in files.items()]
    content = put_tree(here, files)
    for name, lost in (("main", hash_bytes(files["a"])), ("spare", hash_bytes(files["b"]))):
        remote = places[name].remote("me")
        for part in (*parts, content):
            push(here, remote, {DATA: part})
        (places[name].folder / pack_key(remote.find(lost).block.pack)).unlink()
    there = make_store("there")
    done = gather(there, givers("main", "spare"), {DATA: content})
    assert files_of(there, content) == files
    assert given(done) == {"main": 2, "spare": 1}


def test_a_listing_that_only_the_second_has_is_found_there(
    make_store, places, givers, put_tree, files_of
):
    here = make_store("here")
    files = {"a": b"a", "b": b"b"}
    content = put_tree(here, files)
    push(here, places["main"].remote("me"), {DATA: put_tree(here, {"a": b"a"})})
    push(here, places["spare"].remote("me"), {DATA: content})
    there = make_store("there")
    assert {str(e.path) for e in gather_tree(there, givers("main", "spare"), content)} == {"a", "b"}
    assert not there.holds(content), "looking at a listing keeps nothing"
    done = gather(there, givers("main", "spare"), {DATA: content})
    assert files_of(there, content) == files
    assert given(done) == {"main": 1, "spare": 2}


def test_the_plan_names_who_would_give_what_and_keeps_nothing(make_store, places, givers, put_file):
    here, there = make_store("here"), make_store("there")
    first, second = put_file(here, noise(5000)), put_file(here, noise(6000, 1))
    push(here, places["main"].remote("me"), {DATA: first})
    push(here, places["spare"].remote("me"), {MODEL: second})
    plan = plan_gather(there, givers("main", "spare"), {DATA: first, MODEL: second})
    assert (given(plan), plan.bytes) == ({"main": 1, "spare": 1}, 11_000)
    assert not make_store("there").holds(first)


@pytest.mark.parametrize("size", [3_000, 30_000_000])
def test_the_plan_foresees_the_requests(make_store, places, givers, put_tree, size):
    here, there = make_store("here"), make_store("there")
    files = {f"{n:04}": noise(2000, n) for n in range(800)} | {"big": noise(size)}
    content = put_tree(here, files)
    for name in ("main", "spare"):
        push(here, places[name].remote("me"), {DATA: content})
    plan = plan_gather(there, givers("main", client="one"), {DATA: content})
    done = gather(there, givers("main", client="two"), {DATA: content})
    assert plan.requests == done.requests
    assert (plan.objects, plan.bytes) == (done.objects, done.bytes)


# -- those that can't be asked ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "said"), [(AccessDenied("no way"), "no way"), (Unreachable("gone"), "gone")]
)
def test_one_that_cant_be_asked_is_named_and_the_next_one_gives(
    make_store, places, givers, put_file, heard, raised, said
):
    here, there = make_store("here"), make_store("there")
    content = put_file(here, noise(5000))
    push(here, places["spare"].remote("me"), {MODEL: content})
    places["main"].break_with(raised)
    done = gather(there, givers("main", "spare"), {MODEL: content})
    assert there.holds(content)
    assert given(done) == {"spare": 1}
    (warning,) = heard
    assert warning.startswith("remote 'main' wasn't used: ")
    assert said in warning


def test_one_that_fails_in_the_middle_is_replaced_and_what_it_gave_is_kept(
    make_store, places, givers, put_file, heard
):
    here, there = make_store("here"), make_store("there")
    roots = {RepoPath(f"f{n}"): put_file(here, noise(200_000, n)) for n in range(6)}
    for name in ("main", "spare"):
        for path, content in roots.items():
            push(here, places[name].remote("me"), {path: content})
    calls = places["main"].backend.calls
    calls.clear()

    def before(verb, key):
        if sum(key.startswith("packs/") for _, key in calls) > 3:
            raise Unreachable("the cable")

    places["main"].backend.before = before
    done = gather(there, givers("main", "spare"), roots, jobs=1)
    assert all(there.holds(content) for content in roots.values())
    assert done.objects == 6
    gets = [key for verb, key in places["spare"].backend.calls if verb.startswith("get")]
    assert len([key for key in gets if key.startswith("packs/")]) == 3
    assert "the cable" in heard[0]


@pytest.mark.parametrize(
    ("errors", "kind", "code"),
    [
        ((AccessDenied("no"), Unreachable("gone")), DeniedError, ExitCode.DENIED),
        ((Unreachable("gone"), AccessDenied("no")), UnreachableError, ExitCode.FAILED),
    ],
)
def test_if_nobody_can_be_asked_the_error_says_why_of_each(
    make_store, places, givers, put_file, errors, kind, code
):
    content = put_file(make_store("here"), noise(5000))
    for name, error in zip(("main", "spare"), errors, strict=True):
        places[name].break_with(error)
    with pytest.raises(kind) as caught:
        gather(make_store("there"), givers("main", "spare"), {MODEL: content})
    assert caught.value.exit_code is code
    for said in ("'main'", "'spare'", "no", "gone"):
        assert said in caught.value.why
    assert caught.value.hint


def test_causes_that_warnings_told_are_not_told_again(make_store, places, givers, put_file, heard):
    content = put_file(make_store("here"), noise(5000))
    for name in ("main", "spare"):
        places[name].break_with(AccessDenied(f"{name} says no", why="a long story"))
    with pytest.raises(DeniedError) as caught:
        gather(make_store("there"), givers("main", "spare"), {MODEL: content})
    (warning,) = heard
    assert "main says no" in warning
    assert warning.endswith("a long story")
    assert "main says no" in caught.value.why
    assert caught.value.why.count("a long story") == 1
    assert caught.value.why.endswith("a long story"), "nobody warned of the last one"


def test_what_nobody_has_names_paths_and_those_that_were_asked_or_not(
    make_store, places, givers, put_file, heard
):
    here, there = make_store("here"), make_store("there")
    lost, content = put_file(here, noise(100)), put_file(here, noise(200, 1))
    push(here, places["main"].remote("me"), {DATA: content})
    push(here, places["third"].remote("me"), {DATA: content})
    places["spare"].break_with(AccessDenied("no"))
    with pytest.raises(MissingDataError, match=r"model\.bin") as caught:
        gather(there, givers("main", "spare", "third"), {DATA: content, MODEL: lost})
    assert str(places["main"].folder) in caught.value.message
    assert str(places["third"].folder) in caught.value.message
    assert "'spare' wasn't used: no" in caught.value.why
    assert there.holds(content), "what can be had is fetched"


def test_a_full_disk_here_is_no_fault_of_a_remote(
    make_store, places, givers, put_file, heard, monkeypatch
):
    """Asking the next one for it would fail the same way."""
    here, there = make_store("here"), make_store("there")
    content = put_file(here, noise(9_000_000))
    push(here, places["main"].remote("me"), {MODEL: content})
    push(here, places["spare"].remote("me"), {MODEL: content})

    class Full(FileIO):
        def write(self, data):
            if self.tell() > 1_000_000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    monkeypatch.setattr("pivot.store.pack.FileIO", Full)
    with pytest.raises(DiskError, match="No space left") as caught:
        gather(there, givers("main", "spare"), {MODEL: content})
    assert list(packs_in(there.root)) == []
    assert "Make room" in caught.value.hint
    assert heard == []
    assert places["spare"].opened == 0


def test_a_disk_that_refuses_a_download_is_no_fault_of_a_remote(
    make_store, places, givers, put_file, heard
):
    here, there = make_store("here"), make_store("there")
    content = put_file(here, noise(5000))
    push(here, places["main"].remote("me"), {MODEL: content})
    push(here, places["spare"].remote("me"), {MODEL: content})

    def refuse(verb, key):
        if key.startswith("packs/"):
            raise DiskRefused("the disk is full")

    places["main"].backend.before = refuse
    with pytest.raises(DiskError, match="the disk is full"):
        gather(there, givers("main", "spare"), {MODEL: content})
    assert heard == []
    assert places["spare"].opened == 0


# -- packs that go meanwhile ------------------------------------------------------------------


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_pack_that_is_collected_meanwhile_is_looked_for_where_it_is_now(
    make_store, places, givers, put_file, heard, comes_back
):
    """Its rows can come back with a merge of indexes; that it was deleted, a tombstone says."""
    here, there = make_store("here"), make_store("there")
    content = put_file(here, noise(5000))
    main = places["main"]
    push(here, main.remote("me"), {MODEL: content})
    (pack,) = (main.folder / "packs").glob("*/*.pack")
    (index,) = (main.folder / "index").glob("*.idx")

    def collect(verb, key):
        if key == f"packs/{pack.parent.name}/{pack.name}" and pack.exists():
            old = Index(memoryview(index.read_bytes()), FileName.parse(index.stem))
            pack.unlink()
            index.unlink()
            stone = tombstones.Tombstone(frozenset([FileName.parse(pack.stem)]), deleted=True)
            (main.folder / "tombstones").mkdir()
            (main.folder / "tombstones" / f"{FileName.fresh()}.json").write_bytes(stone.encode())
            other = Place(main.tmp_path, main.name).remote("other")
            push(here, other, {MODEL: content})
            if comes_back:
                first = FileName(bytes(16))  # it is looked at before the others
                data = encode(first, dict(old.rows()), dict(old.packs))
                (main.folder / index_key(first)).write_bytes(data)

    main.backend.before = collect
    assert gather(there, givers("main"), {MODEL: content}).objects == 1
    assert there.read(content.id) == noise(5000)
    assert not pack.exists()
    assert heard == []


# -- damage -----------------------------------------------------------------------------------


def test_damage_is_fetched_from_elsewhere_and_told_with_its_cure(
    make_store, places, givers, put_tree, files_of, heard
):
    here, there = make_store("here"), make_store("there")
    files = {f"{n}": noise(400_000, n) for n in range(4)}
    content = put_tree(here, files)
    for name in ("main", "spare"):
        push(here, places[name].remote("me"), {DATA: content})
    pack = places["main"].damage(hash_bytes(files["2"]))
    done = gather(there, givers("main", "spare"), {DATA: content})
    assert files_of(there, content) == files
    assert given(done) == {"main": 4, "spare": 1}
    (warning,) = heard
    assert "remote 'main' is damaged: " in warning
    assert hash_bytes(files["2"]).hex()[:12] in warning
    assert pack in warning


def test_a_damaged_listing_is_fetched_from_elsewhere(
    make_store, places, givers, put_tree, files_of, heard
):
    here, there = make_store("here"), make_store("there")
    content = put_tree(here, {"a": noise(50_000)})
    for name in ("main", "spare"):
        push(here, places[name].remote("me"), {DATA: content})
    places["main"].damage(content.id)
    gather(there, givers("main", "spare"), {DATA: content})
    assert files_of(there, content) == {"a": noise(50_000)}
    assert len(heard) == 1


def test_a_mirror_that_is_sound_replaces_what_is_damaged(
    make_store, places, givers, put_tree, files_of, heard
):
    """It has packs of the same names."""
    here, there = make_store("here"), make_store("there")
    content = put_tree(here, {"a": noise(50_000)})
    push(here, places["main"].remote("me"), {DATA: content})
    shutil.copytree(places["main"].folder, places["spare"].folder)
    places["main"].damage(hash_bytes(noise(50_000)))
    gather(there, givers("main", "spare"), {DATA: content})
    assert files_of(there, content) == {"a": noise(50_000)}
    assert len(heard) == 1


def test_many_damaged_objects_of_one_cure_are_one_warning(
    make_store, places, givers, put_tree, heard
):
    here, there = make_store("here"), make_store("there")
    files = {f"{n}": noise(200_000, n) for n in range(8)}
    content = put_tree(here, files)
    for name in ("main", "spare"):
        push(here, places[name].remote("me"), {DATA: content})
    for number in range(0, 8, 2):
        places["main"].damage(hash_bytes(files[str(number)]))
    gather(there, givers("main", "spare"), {DATA: content})
    assert len(heard) == 1


@pytest.mark.parametrize("others", [(), ("third",), ("spare",), ("third", "spare")])
def test_damage_that_nobody_can_replace_is_an_integrity_error(
    make_store, places, givers, put_file, others
):
    """Whatever those others say that don't have it, or have it damaged, too."""
    here, there = make_store("here"), make_store("there")
    content, sound = put_file(here, noise(5000)), put_file(here, noise(7000, 1))
    for name in ("main", "spare"):
        push(here, places[name].remote("me"), {MODEL: content})
        push(here, places[name].remote("me"), {DATA: sound})
        places[name].damage(content.id)
    push(here, places["third"].remote("me"), {DATA: sound})
    with pytest.raises(IntegrityError) as caught:
        gather(there, givers("main", *others), {MODEL: content, DATA: sound})
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert "Delete `index/" in caught.value.hint
    for name in others:
        assert f"remote '{name}'" in caught.value.why
    assert there.holds(sound)
    assert not there.holds(content)


def kinds(folder):
    """An object of each kind that a remote stores."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            key = path.relative_to(folder).as_posix()
            kind = key.split("/")[0] if "/" in key else key
            found.setdefault("latest.json" if key.endswith("latest.json") else kind, path)
    return found


@pytest.fixture
def flipped(make_store, places, givers, put_tree, files_of, tmp_path):
    """Flips bits of one object of `main` in turn; fetches each time into a fresh clone.

    Yields where, what was raised, and whether the data was got.
    """
    here = make_store("here")
    files = {"a": b"some text " * 20, "b": noise(60)}
    content = put_tree(here, files)
    for name in ("main", "spare"):
        push(here, places[name].remote("me", publish=True), {DATA: content})
    folder = places["main"].folder / tombstones.FOLDER
    folder.mkdir()
    gone = tombstones.encode(frozenset([FileName.fresh()]))
    (folder / f"{FileName.fresh()}.json").write_bytes(gone)

    def each(kind, *names, step):
        path = kinds(places["main"].folder)[kind]
        whole = path.read_bytes()
        for at in range(0, len(whole), step):
            bit = 1 << at % 8
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            there = make_store("there")
            error = None
            try:
                gather(there, givers(*names), {DATA: content})
            except PivotError as caught:
                error = caught
            again = make_store("there")
            got = again.holds(content)
            assert not got or files_of(again, content) == files
            shutil.rmtree(tmp_path / "there")
            for name in names:
                shutil.rmtree(tmp_path / f"cache-you-{name}", ignore_errors=True)
            yield at, error, got
        path.write_bytes(whole)

    return each


OBJECTS = [
    ("packs", 19),
    ("index", 67),
    ("tombstones", 9),
    ("pivot-store.json", 5),
    ("latest.json", 9),
]


@pytest.mark.parametrize(("kind", "step"), OBJECTS)
def test_a_flipped_bit_of_any_object_is_found_before_use(flipped, kind, step):
    refused = 0
    for where, error, got in flipped(kind, "main", step=step):
        assert (error is None) == got, where
        if error is not None:
            refused += 1
            assert error.exit_code in (ExitCode.INTEGRITY, ExitCode.FAILED), (where, error)
            assert error.hint
    # A fetch reads neither tombstones, nor what is published where it can list.
    assert (refused > 3) == (kind not in ("tombstones", "latest.json"))


@pytest.mark.parametrize(("kind", "step"), OBJECTS)
def test_with_a_second_remote_a_flipped_bit_costs_a_warning_at_most(flipped, heard, kind, step):
    for where, error, got in flipped(kind, "main", "spare", step=step):
        assert error is None, (where, error)
        assert got
        assert len(heard) <= 1, heard
        heard.clear()


def test_a_store_that_is_another_format_now_is_passed_over(
    make_store, places, givers, put_file, heard
):
    here, there = make_store("here"), make_store("there")
    content = put_file(here, noise(5000))
    for name in ("main", "spare"):
        push(here, places[name].remote("me"), {MODEL: content})
    (places["main"].folder / "pivot-store.json").write_text(json.dumps({"format": 99, "id": "x"}))
    gather(there, givers("main", "spare"), {MODEL: content})
    assert there.holds(content)
    assert "newer than this Pivot reads" in heard[0]


@pytest.mark.parametrize("others", [(), ("spare",)])
def test_an_index_whose_rows_lead_nowhere_is_damage(
    make_store, places, givers, put_file, heard, others
):
    """Its checksum fits: somebody made it so."""
    here, there = make_store("here"), make_store("there")
    content = put_file(here, noise(5000))
    for name in ("main", "spare"):
        push(here, places[name].remote("me"), {MODEL: content})
    (path,) = (places["main"].folder / "index").iterdir()
    data = bytearray(path.read_bytes())
    data[-40 - 16 : -40 - 12] = b"\xff\xff\xff\xff"  # the block's number in the only row
    data[-40:-8] = blake3(data[:-40]).digest()
    path.write_bytes(data)
    if others:
        gather(there, givers("main", *others), {MODEL: content})
        assert there.holds(content)
        assert "'main' is damaged" in heard[0]
        return
    with pytest.raises(IntegrityError, match="a place names no block") as caught:
        gather(there, givers("main"), {MODEL: content})
    assert str(places["main"].folder) in caught.value.message
    assert "Delete it there" in caught.value.hint


def test_nothing_is_left_of_it_but_the_data(make_store, places, givers, put_file, tmp_path):
    here, there = make_store("here"), make_store("there")
    big = put_file(here, noise(20_000_000))
    push(here, places["main"].remote("me"), {MODEL: big})
    gather(there, givers("main"), {MODEL: big})
    assert set(os.listdir(tmp_path / "there" / "tmp")) <= {"in-use"}
    assert Content(ContentType.FILE, big.id, big.size, big.recipe) == big
