"""Stores and trees that lie: with checksums that fit, but claims that don't.

Whatever they claim, nothing of it becomes visible, nothing outside the project is touched, memory
stays bounded, and a repair ends in a store that tells the truth.
"""

import os
import struct
import subprocess
import sys
import textwrap
import threading
from copy import replace

import pytest
import zstandard

from pivot.errors import IntegrityError, PivotError
from pivot.hashing import hash_bytes
from pivot.paths import RepoPath
from pivot.placing import place
from pivot.store.check import check
from pivot.store.codec import Codec, Compressor
from pivot.store.content import Content, ContentType
from pivot.store.entry import Entry, Kind, Place, identify
from pivot.store.indexing import rows_of, write_index
from pivot.store.pack import PackWriter, pack_key
from pivot.store.repair import repair
from pivot.store.store import Store

OUT = RepoPath("out")
TEXT = b"some words that compress, " * 40
OTHER = b"other words altogether! " * 40
MEMORY_MB = 250


class Forge:
    """Writes packs and indexes that say anything, with checksums that fit."""

    def __init__(self, root):
        self.root = root

    def pack(self, *blocks):
        """A pack of blocks, each (codec, payload, raw size, [(bytes, kind, size), ...])."""
        writer = PackWriter.open(self.root)
        for codec, stored, raw, entries in blocks:
            rows = [Entry(identify(data, kind), kind, size) for data, kind, size in entries]
            writer.append(codec, stored, raw, rows)
        return writer.finish()

    def index(self, info, change=None):
        """The index of a pack, with each place changed."""
        rows = {id_: change(p) if change else p for id_, p in rows_of([info])}
        return write_index(self.root, rows, {info.name: info.size})

    def texts(self):
        """A true pack of a block with two entries."""
        raw = TEXT + OTHER
        entries = [(TEXT, Kind.DATA, len(TEXT)), (OTHER, Kind.DATA, len(OTHER))]
        return self.pack((*compressed(raw), entries))

    def block(self, codec, stored):
        """A pack, with its true index, of a block that should hold TEXT."""
        self.index(self.pack((codec, stored, len(TEXT), [(TEXT, Kind.DATA, len(TEXT))])))

    def entry(self, data, kind):
        self.index(self.pack((Codec.RAW, data, len(data), [(data, kind, len(data))])))
        return identify(data, kind)


def compressed(raw):
    codec, stored = Compressor().compress(raw)
    return codec, stored, len(raw)


def file_of(data, recipe=None):
    return Content(ContentType.FILE, hash_bytes(data), len(data), recipe)


def frame(data, **options):
    """A zstd frame that leaves out its content size, or has another window."""
    compressor = zstandard.ZstdCompressor(**options).compressobj()
    return compressor.compress(data) + compressor.flush()


def giant_window(data):
    """A frame made by hand: a window of 2 GiB beside the true content size."""
    head = struct.pack("<IBB", 0xFD2FB528, 0x80, (31 - 10) << 3) + struct.pack("<I", len(data))
    return head + (len(data) << 3 | 1).to_bytes(3, "little") + data


def in_block(change):
    """A change of a place's block."""
    return lambda p: replace(p, block=change(p.block))


SKIPPABLE = struct.pack("<II", 0x184D2A50, 4) + b"skip"

# What lies in packs or indexes; each claims to hold TEXT.
LIES = {
    "index: longer": lambda f: f.index(f.texts(), lambda p: replace(p, size=p.size + 1)),
    "index: shorter": lambda f: f.index(f.texts(), lambda p: replace(p, size=p.size - 1)),
    "index: empty": lambda f: f.index(f.texts(), lambda p: replace(p, size=0)),
    "index: elsewhere": lambda f: f.index(f.texts(), lambda p: replace(p, offset=1)),
    "index: outside": lambda f: f.index(f.texts(), lambda p: replace(p, offset=2**32 - 1)),
    "index: all in one place": lambda f: f.index(
        f.texts(), lambda p: Place(p.block, len(TEXT), len(OTHER), p.kind)
    ),
    "index: tree": lambda f: f.index(f.texts(), lambda p: replace(p, kind=Kind.TREE)),
    "index: block elsewhere": lambda f: f.index(
        f.texts(), in_block(lambda b: replace(b, offset=b.offset + 1))
    ),
    "index: block in header": lambda f: f.index(
        f.texts(), in_block(lambda b: replace(b, offset=0))
    ),
    "index: block outside": lambda f: f.index(
        f.texts(), in_block(lambda b: replace(b, offset=2**63))
    ),
    "index: block short": lambda f: f.index(f.texts(), in_block(lambda b: replace(b, stored=9))),
    "index: block huge": lambda f: f.index(
        f.texts(), in_block(lambda b: replace(b, raw=2**32 - 1))
    ),
    "index: block raw": lambda f: f.index(
        f.texts(), in_block(lambda b: replace(b, codec=Codec.RAW))
    ),
    "pack: other bytes": lambda f: f.block(Codec.RAW, OTHER[:1] * len(TEXT)),
    "pack: sizes shifted": lambda f: f.index(
        f.pack((Codec.RAW, TEXT + OTHER, len(TEXT + OTHER),
                [(TEXT, Kind.DATA, len(TEXT) - 1), (OTHER, Kind.DATA, len(OTHER) + 1)]))
    ),
    "pack: raw of another size": lambda f: f.block(Codec.RAW, TEXT + b"x"),
    "pack: no frame": lambda f: f.block(Codec.ZSTD, TEXT),
    "pack: bomb": lambda f: f.block(
        Codec.ZSTD, zstandard.ZstdCompressor().compress(bytes(64 << 20))
    ),
    "pack: more than it says": lambda f: f.block(
        Codec.ZSTD, zstandard.ZstdCompressor().compress(TEXT + b"x")
    ),
    "pack: less than it says": lambda f: f.block(
        Codec.ZSTD, zstandard.ZstdCompressor().compress(TEXT[:-1])
    ),
    "pack: no content size": lambda f: f.block(Codec.ZSTD, frame(TEXT, write_content_size=False)),
    "pack: giant window": lambda f: f.block(Codec.ZSTD, giant_window(TEXT)),
    "pack: cut frame": lambda f: f.block(
        Codec.ZSTD, zstandard.ZstdCompressor().compress(TEXT)[:-1]
    ),
    "pack: two frames": lambda f: f.block(
        Codec.ZSTD, zstandard.ZstdCompressor().compress(TEXT) * 2
    ),
    "pack: skippable frame": lambda f: f.block(
        Codec.ZSTD, SKIPPABLE + zstandard.ZstdCompressor().compress(TEXT)
    ),
}  # fmt: skip


@pytest.fixture
def forge(bench):
    return Forge(bench.store.root)


def assert_refused(bench, content):
    """Restoring fails by an error that is ours; what was there stays, and nothing is left over."""
    bench.write({"out": b"mine", "beside/it": b"mine"})
    before = bench.look()
    store = Store.open(bench.store.root)
    with pytest.raises(PivotError):
        place(bench.workspace, bench.state, store, OUT, content)
    assert bench.look() == before
    assert not os.listdir(bench.root / ".pivot/tmp")


def assert_truthful(bench, content):
    """A repair ends in a store that is sound, and that holds what can be restored and no more."""
    repair(Store.open(bench.store.root))
    store = Store.open(bench.store.root)
    assert check(store, read_data=True).is_sound
    if store.holds(content):
        place(bench.workspace, bench.state, store, OUT, content)
        assert bench.look()["out"] == TEXT
    return store


@pytest.mark.parametrize("lie", LIES)
def test_lying_sizes_and_places_are_refused_found_and_mended(bench, forge, outside, lie):
    LIES[lie](forge)
    content = file_of(TEXT)
    assert_refused(bench, content)
    assert not check(Store.open(forge.root), read_data=True).is_sound
    held = assert_truthful(bench, content).holds(content)
    assert held == lie.startswith("index: "), "the pack's own account of itself was true"


# -- recipes ----------------------------------------------------------------------------------

PARTS = [TEXT[:500], TEXT[500:]]


def recipe(forge, file=TEXT, size=None, chunks=None):
    """A recipe entry; its chunks are stored."""
    for part in PARTS:
        forge.entry(part, Kind.DATA)
    rows = [(hash_bytes(part), len(part)) for part in PARTS] if chunks is None else chunks
    head = struct.pack("<32sQ", hash_bytes(file), len(TEXT) if size is None else size)
    return forge.entry(head + b"".join(struct.pack("<32sI", *row) for row in rows), Kind.RECIPE)


BAD_RECIPES = {
    "another file": lambda f: recipe(f, file=OTHER),
    "another size": lambda f: recipe(f, size=len(TEXT) + 1),
    "huge size": lambda f: recipe(f, size=2**64 - 1),
    "a chunk twice": lambda f: recipe(
        f, chunks=[(hash_bytes(PARTS[0]), 500), (hash_bytes(PARTS[0]), len(TEXT) - 500)]
    ),
    "other order": lambda f: recipe(
        f, chunks=[(hash_bytes(PARTS[1]), len(TEXT) - 500), (hash_bytes(PARTS[0]), 500)]
    ),
    "sizes of chunks": lambda f: recipe(
        f, chunks=[(hash_bytes(PARTS[0]), 501), (hash_bytes(PARTS[1]), len(TEXT) - 501)]
    ),
    "a chunk that is nowhere": lambda f: recipe(f, chunks=[(hash_bytes(b"no"), len(TEXT))]),
    "itself": lambda f: recipe(f, chunks=[(hash_bytes(TEXT), len(TEXT))]),
    "nothing": lambda f: recipe(f, chunks=[]),
    "half a row": lambda f: f.entry(bytes(41), Kind.RECIPE),
    "empty": lambda f: f.entry(b"", Kind.RECIPE),
}


@pytest.mark.parametrize("bad", BAD_RECIPES)
def test_lying_recipes_make_nothing_visible(bench, forge, outside, bad):
    assert_refused(bench, file_of(TEXT, BAD_RECIPES[bad](forge)))


# -- trees ------------------------------------------------------------------------------------


def line(path, data=TEXT, *, kind="f", size=None):
    path = path if isinstance(path, bytes) else path.encode()
    text = f"{kind} {hash_bytes(data)} {len(data) if size is None else size} "
    return text.encode() + path + b"\0"


DISGUISES = [
    ".git", ".GIT", ".Git", ".g\u200cit", ".git\u200f", "\ufeff.git", ".git.", ".git ", ".git . .",
    ".git::$INDEX_ALLOCATION", ".git:x", "git~1", "GIT~1", "git~1.", "\uff0egit", ".\uff47it",
    ".pivot", ".PIVOT", ".pi\u200bvot", "pivot~1", ".pivot.", ".pivot:x", ".\uff50ivot",
]  # fmt: skip
PATHS = [
    *(f"{name}/config" for name in DISGUISES),
    *(f"deep/{name}" for name in DISGUISES),
    "../out", "a/../../out", "/etc/passwd", "//x", "a//b", "./a", "a/.", "", "..", ".",
    b"\xff\xfe", b"a\xc3", "/".join("d" * 65), "n" * 4097,
]  # fmt: skip
LISTINGS = {
    "unsorted": line("b") + line("a"),
    "twice": line("a") + line("a"),
    "inside a file": line("a") + line("a/b"),
    "inside a file, others between": line("a") + line("a-b") + line("a.b") + line("a/b"),
    "inside an empty directory": b"d - 0 a\0" + line("a/b"),
    "no end": line("a")[:-1],
    "a size with zeros": line("a", size=f"0{len(TEXT)}"),
    "a negative size": line("a", size=-1),
    "another size": line("a", size=len(TEXT) + 1),
    "a link": line("a", kind="l"),
    "a device": line("a", kind="c"),
    "a directory with an id": line("a", kind="d"),
    "no path": line("a").replace(b" a\0", b"\0"),
    "line feeds": line("a").replace(b"\0", b"\n"),
    **{f"path {path!r:.30}": line("!first") + line(path) for path in PATHS},
}


@pytest.mark.parametrize("listing", LISTINGS)
def test_hostile_trees_make_nothing_visible(bench, forge, outside, listing):
    data = LISTINGS[listing]
    count = data.count(hash_bytes(TEXT).hex().encode())
    forge.entry(TEXT, Kind.DATA)
    id_ = forge.entry(data, Kind.TREE)
    content = Content(ContentType.DIRECTORY, id_, len(TEXT) * count, None, count)
    assert_refused(bench, content)
    repair(Store.open(forge.root))
    if listing != "another size":  # which is told by the file's bytes alone
        assert not Store.open(forge.root).holds(content)


@pytest.mark.parametrize(("size", "files"), [(0, 2), (1, 2), (10**18, 2), (0, 1), (0, 10**9)])
def test_trees_of_other_sizes_than_a_lock_declares_make_nothing_visible(bench, forge, size, files):
    forge.entry(TEXT, Kind.DATA)
    id_ = forge.entry(line("a") + line("b"), Kind.TREE)
    assert_refused(bench, Content(ContentType.DIRECTORY, id_, size, None, files))


# -- memory -----------------------------------------------------------------------------------

PROLOGUE = """
import os, resource, struct, sys
from blake3 import blake3
from pivot.errors import PivotError
from pivot.hashing import ObjectId
from pivot.store.content import Content, ContentType
from pivot.store.check import check
from pivot.store.entry import FileName, Kind
from pivot.store.store import Store

def peak():
    # Linux lets ru_maxrss begin at what the process had that started this one.
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) << 10
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes, on macOS

root = sys.argv[1]
store = Store.open(root)
COUNT = 1_000_000
"""
MILLIONS = {
    "tree": """
        listing = b"".join(b"d - 0 %06x\\0" % n for n in range(COUNT))
        with store.writer() as writer:
            id_ = writer.add_bytes(listing, Kind.TREE)
        del listing
        content = Content(ContentType.DIRECTORY, id_, 0, None, 0)
        assert sum(1 for _ in Store.open(root).tree(content)) == COUNT
        """,
    "index": """
        with store.writer() as writer:
            writer.add_bytes(b"x" * 100)
        (index,) = store.indexes
        pack, size = index.packs[0]
        name = FileName.fresh()
        fanout = [COUNT * (n + 1) // 256 for n in range(256)]
        hasher = blake3()
        with open(f"{root}/index/{name}.idx", "wb") as f:
            for part in [
                struct.pack("<8sHHI16sIIII", b"PIVOTIDX", 1, 0, 0, name, 0, 1, 1, COUNT),
                struct.pack("<16sQ", pack, size),
                struct.pack("<IQIIB3x", 0, 40, 50, 100, 0),
                struct.pack("<256I", *fanout),
                os.urandom(32 * COUNT),  # neither sorted nor where the fan-out says
                struct.pack("<IIIB3x", 0, 7, 9, 0) * COUNT,  # all overlap, in one place
            ]:
                hasher.update(part)
                f.write(part)
            f.write(hasher.digest() + b"PIVOTEND")
        hostile = Store.open(root)
        for n in range(1000):
            hostile.has(ObjectId(os.urandom(32)))
        assert not check(hostile, read_data=True).is_sound
        """,
}


@pytest.mark.parametrize("what", MILLIONS)
def test_a_million_entries_take_bounded_memory(tmp_path, what):
    code = PROLOGUE + textwrap.dedent(MILLIONS[what])
    code += "\nprint(peak())\n"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MEMORY_MB << 20


# -- links and FIFOs --------------------------------------------------------------------------


def test_a_racer_that_swaps_folders_for_links_never_leads_outside(bench, outside):
    """At every step of a checkout some folder on the way may become a link, and back."""
    bench.write({"p/out/a": b"1", "p/out/b/c": b"2"})
    with bench.store.writer() as writer:
        content = bench.workspace.store(RepoPath("p/out"), writer)
    (outside / "sentinel").chmod(0o444)
    ended = threading.Event()
    racers = [
        threading.Thread(target=_swap, args=(str(bench.root / name), str(outside), ended))
        for name in ("p", "p/out", ".pivot/tmp")
    ]
    for racer in racers:
        racer.start()
    placed = 0
    try:
        for _ in range(400):
            try:
                place(bench.workspace, bench.state, bench.store, RepoPath("p/out"), content)
                placed += 1
            except (PivotError, OSError):
                continue
    finally:
        ended.set()
        for racer in racers:
            racer.join()
    assert placed, "some got through in between"


def _swap(path, target, ended):
    while not ended.is_set():
        try:
            os.rename(path, f"{path}.aside")
            os.symlink(target, path)
            os.unlink(path)
            os.rename(f"{path}.aside", path)
        except OSError:
            continue


@pytest.fixture
def filled(bench):
    """A store with one entry: its root, its pack and its index."""
    with bench.store.writer() as writer:
        writer.add_bytes(TEXT)
    root = bench.store.root
    (index,) = Store.open(root).indexes
    ((pack, _),) = index.packs
    return root, os.path.join(root, pack_key(pack)), f"{root}/index/{index.name}.idx"


THINGS = {
    "a FIFO": lambda path, aside: os.mkfifo(path),
    "a link": lambda path, aside: os.symlink(aside, path),
    "a folder": lambda path, aside: os.mkdir(path),
    "a dangling link": lambda path, aside: os.symlink("nowhere", path),
}


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("which", ["pack", "index"])
def test_what_is_no_file_in_a_store_is_neither_followed_nor_waited_for(
    bench, filled, tmp_path, which, thing
):
    root, pack, index = filled
    path = pack if which == "pack" else index
    aside = tmp_path / "aside"
    os.rename(path, aside)
    before = aside.read_bytes()
    THINGS[thing](path, aside)
    store = Store.open(root)
    with pytest.raises(PivotError):
        store.read(hash_bytes(TEXT))
    repair(Store.open(root))
    assert not os.path.lexists(path) or os.path.isdir(path)
    assert Store.open(root).has(hash_bytes(TEXT)) == (which == "index")
    assert aside.read_bytes() == before


@pytest.mark.parametrize("thing", ["a FIFO", "a link", "a folder"])
def test_store_file_that_is_no_file_is_refused(bench, tmp_path, thing):
    path = os.path.join(bench.store.root, "pivot-store.json")
    os.rename(path, tmp_path / "aside")
    THINGS[thing](path, tmp_path / "aside")
    with pytest.raises(IntegrityError, match="no Pivot store"):
        Store.open(bench.store.root)


def test_a_folder_for_packs_that_is_a_link_is_not_written_through(bench, outside):
    """A clone could bring all 256 of them."""
    for number in range(256):
        os.symlink(outside, f"{bench.store.root}/packs/{number:02x}")
    with pytest.raises(PivotError, match="is a symbolic link"), bench.store.writer() as writer:
        writer.add_bytes(TEXT)
    assert not Store.open(bench.store.root).has(hash_bytes(TEXT))


def test_damaged_packs_are_not_moved_through_a_link(bench, filled, outside):
    root, pack, _ = filled
    os.chmod(pack, 0o644)
    os.truncate(pack, 50)
    os.symlink(outside, f"{root}/damaged")
    with pytest.raises(PivotError, match="is a symbolic link"):
        repair(Store.open(root))
    assert os.path.exists(pack)
