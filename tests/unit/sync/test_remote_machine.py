"""A remote under several clients of two repositories, whose calls interleave in any order.

The model knows what successful pushes reported, and what the repositories' refs name. Whatever was
pushed within the grace, or is named by a ref since then, can be fetched whole after each step. Time
passes, operations die at any call, and clients come back with old memories.

The assumptions are those of `docs/design.md`: listings are consistent, and nothing that is under
way takes as long as the grace.
"""

import concurrent.futures
import contextlib
import dataclasses
import io
import os
import random
import shutil
import sys
import tempfile

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import pivot.sync.collect as sync_collect
import pivot.sync.plan as sync_plan
import pivot.transfer.doomed
from pivot.errors import PivotError
from pivot.paths import RepoPath, TreePath
from pivot.store.content import Content, ContentType
from pivot.store.entry import NAME_SIZE, FileName, Kind
from pivot.store.index import Index
from pivot.store.pack import pack_key
from pivot.store.split import TREE
from pivot.store.store import Store
from pivot.store.tree import TreeEntry, encode_line
from pivot.sync.closure import walk
from pivot.sync.collect import Collecting, collect, preview
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from pivot.sync.sweeping import GRACE
from pivot.transfer import listing, merging, tombstones
from pivot.transfer.remote import RemoteStore
from pivot.transfer.sweeping import Sweeping
from pivot_remotes.tracing import Trace
from tests.unit.closure import closure
from tests.unit.sync.simulated import DAY, Clock, Inline, Killed, Operation, Storage

pytestmark = pytest.mark.timeout(0 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 600)

DATA = RepoPath("data")
REPOSITORIES = ("one", "two")
# The first two made everything; the third is a fresh clone that has what it fetched.
CLIENTS = ("ada", "bob", "eve")
FILES = {name: random.Random(name).randbytes(300) for name in "abcdef"}
LARGE = random.Random(7).randbytes(1_100_000)  # cut into chunks
# Versions of directories that share files, so that one needs what a pack of another holds.
VERSIONS = ("abc", "abd", "bcd", "ae", "ef", "f", "acL")
LISTED = ("list", "tombstones")
DELAYS = (1.0, 3600.0, DAY, 6 * DAY, 13 * DAY, 20 * DAY)

contents = st.integers(0, len(VERSIONS) - 1)
clients = st.sampled_from(CLIENTS)
repositories = st.sampled_from(REPOSITORIES)


def put_directory(store, names):
    with store.writer() as writer:
        lines = []
        for name in names:
            added = writer.add_stream(io.BytesIO(LARGE if name == "L" else FILES[name]))
            file = Content(ContentType.FILE, added.id, added.size, added.recipe)
            lines.append(encode_line(TreeEntry(TreePath(name), file)))
        listing = writer.add_stream(io.BytesIO(b"".join(sorted(lines, key=_path))), TREE)
    size = sum(len(LARGE if name == "L" else FILES[name]) for name in names)
    return Content(ContentType.DIRECTORY, listing.id, size, listing.recipe, len(names))


def _path(line):
    return line.split(b" ", 3)[3]


class World:
    """What all examples begin with: a store that has every version, and what each version needs."""

    def __init__(self, root):
        self.root = root
        store = Store.open(root)
        self.contents = [put_directory(store, sorted(names)) for names in VERSIONS]
        self.needs = {content: closure(store, [content]) for content in self.contents}
        self.refers = {}
        for content in self.contents:
            self.refers[content.id] = self.needs[content] - {content.id}
            for id_ in self.needs[content]:
                if store.find(id_).kind is Kind.RECIPE:
                    self.refers[id_] = {chunk for chunk, _ in store.recipe(id_).chunks}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with quick():
        return World(str(tmp_path_factory.mktemp("world") / "store"))


@contextlib.contextmanager
def quick():
    """Power failures aren't tried here, and threads would take the choice of who goes on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        for name, module in tuple(sys.modules.items()):
            if name.startswith("pivot.") and hasattr(module, "ThreadPoolExecutor"):
                patch.setattr(module, "ThreadPoolExecutor", Inline)
        patch.setattr(concurrent.futures, "ThreadPoolExecutor", Inline)  # where imported late
        patch.setattr(listing, "abreast", lambda *calls: tuple(call() for call in calls))
        yield


class RemoteMachine(RuleBasedStateMachine):
    """Several clients of two repositories that share a remote."""

    world = None
    versions = VERSIONS  # those that are pushed and pulled
    fan_in = 2  # so many indexes are merged
    is_interleaved = True  # else an operation ends before the next one begins

    @initialize()
    def start(self):
        self.base = tempfile.mkdtemp(prefix="pivot-remote-machine-")
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(quick())
        self.clock = Clock()
        self.stack.enter_context(pytest.MonkeyPatch.context()).setattr(
            pivot.transfer.doomed, "time", self.clock, raising=False
        )
        self.stack.enter_context(pytest.MonkeyPatch.context()).setattr(
            merging, "FAN_IN", self.fan_in
        )
        names = random.Random(0)  # the same choices give the same run
        self.stack.enter_context(pytest.MonkeyPatch.context()).setattr(
            FileName, "fresh", classmethod(lambda cls: cls(names.randbytes(NAME_SIZE)))
        )
        self.storage = Storage(self.clock)
        self.operations = []
        self.refs = {name: set() for name in REPOSITORIES}
        self.pushed = {}  # by content, when a push that reported it last listed tombstones
        self.parsed = {}
        for name in ("ada", "bob"):
            shutil.copytree(self.world.root, self.at(name))

    def teardown(self):
        try:
            for operation in self.operations:
                operation.kill()
            self.a_fresh_client_fetches_all_of_it()
        finally:
            self.stack.close()
            shutil.rmtree(self.base)

    def at(self, *parts):
        return os.path.join(self.base, *parts)

    def content(self, number):
        name = self.versions[number % len(self.versions)]
        return self.world.contents[VERSIONS.index(name)]

    # -- operations ------------------------------------------------------------------------

    def remote(self, client, backend):
        return RemoteStore(backend, self.at(f"{client}-copies"), Trace())

    def begin(self, kind, action, content=None):
        operation = Operation(self.storage, kind, action)
        operation.content = content
        operation.must_succeed = kind == "pull" and content in self.protected()
        self.operations.append(operation)
        return operation

    def pushing(self, client, content):
        def action(backend):
            store = Store.open(self.at(client))
            push(store, self.remote(client, backend), {DATA: content})

        return self.begin("push", action, content)

    def pulling(self, client, content):
        def action(backend):
            fetch(Store.open(self.at(client)), self.remote(client, backend), {DATA: content})

        return self.begin("pull", action, content)

    def merging(self, client):
        def action(backend):
            remote = self.remote(client, backend)
            remote.open()
            remote.refresh_tombstones()
            remote.merge_indexes()

        return self.begin("merge", action)

    def collecting(self, client, act=collect):
        """Refs are read after the clock, as `ask_time` wants it; a dry run has its own clock."""

        def action(backend):
            remote = self.remote(client, backend)
            store = Store.open(self.at(client))
            them = Collecting(store, remote, clock=self.clock.time)
            now = sync_collect.ask_time(them) if act is collect else self.clock.now
            return act(them, set().union(*self.refs.values()), now)

        return self.begin("gc", action)

    # -- rules -----------------------------------------------------------------------------

    def settle(self, operation):
        """Note what an operation that is over came to."""
        self.operations.remove(operation)
        error = operation.error
        if error is None and operation.kind == "push":
            listed = [t for verb, key, t in operation.calls if (verb, key) == LISTED]
            at = listed[-1] if listed else operation.begun
            content = operation.content
            self.pushed[content] = max(at, self.pushed.get(content, at))
        elif isinstance(error, PivotError):
            assert not operation.must_succeed, error
        elif error is not None and not isinstance(error, Killed):
            raise error

    def go(self, operation, steps=None):
        while not operation.is_over and steps != 0:
            operation.step()
            self.check_order(operation)
            steps = None if steps is None else steps - 1
        if operation.is_over:
            self.settle(operation)

    def check_order(self, operation):
        """Nothing that refers is made visible before what it refers to."""
        verb, key, _ = operation.calls[-1] if operation.calls else ("", "", 0)
        if operation.kind == "push" and verb == "put" and key.startswith("index/"):
            index = self.parse(key)
            there = self.readable()
            for id_, _ in () if index.replaces else index.rows():
                assert self.world.refers.get(id_, set()) <= there, "visible before its members"

    @rule(client=clients, number=contents)
    def push(self, client, number):
        self.go(self.pushing(client, self.content(number)))

    @rule(client=clients)
    def merge(self, client):
        self.go(self.merging(client))

    @rule(client=clients)
    def collect(self, client):
        """A dry run tells beforehand what is done."""
        foreseen = self.collecting(client, preview)
        self.go(foreseen)
        done = self.collecting(client)
        self.go(done)
        if foreseen.error is None:
            assert done.error is None, done.error
            assert done.result == foreseen.result

    @rule(client=clients, number=contents)
    def pull(self, client, number):
        self.go(self.pulling(client, self.content(number)))

    @precondition(lambda self: self.is_interleaved and len(self.operations) < 4)
    @rule(client=clients, number=contents, kind=st.sampled_from(("push", "pull", "merge", "gc")))
    def begin_one(self, client, number, kind):
        content = self.content(number)
        if kind == "push":
            self.pushing(client, content)
        elif kind == "pull":
            self.pulling(client, content)
        elif kind == "merge":
            self.merging(client)
        else:
            self.collecting(client)

    @precondition(lambda self: self.operations)
    @rule(which=st.integers(0, 3), steps=st.integers(1, 12))
    def go_on(self, which, steps):
        self.go(self.operations[which % len(self.operations)], steps)

    @precondition(lambda self: self.operations)
    @rule(which=st.integers(0, 3))
    def finish(self, which):
        self.go(self.operations[which % len(self.operations)])

    @precondition(lambda self: self.operations)
    @rule(which=st.integers(0, 3))
    def kill(self, which):
        operation = self.operations[which % len(self.operations)]
        operation.kill()
        self.settle(operation)

    @rule(delay=st.sampled_from(DELAYS))
    def pass_time(self, delay):
        """Nothing that is under way takes as long as the grace."""
        for operation in tuple(self.operations):
            if self.clock.now + delay - operation.begun >= GRACE:
                operation.kill()
                self.settle(operation)
        self.clock.now += delay

    @precondition(lambda self: self.protected())
    @rule(repository=repositories, which=st.integers(0, 9))
    def name_in_a_ref(self, repository, which):
        """What was pushed is committed, and the commit pushed, within the grace."""
        kept = sorted(self.protected(), key=self.world.contents.index)
        self.refs[repository].add(kept[which % len(kept)])

    @precondition(lambda self: any(self.refs.values()))
    @rule(repository=repositories, which=st.integers(0, 9))
    def drop_a_ref(self, repository, which):
        names = sorted(self.refs[repository], key=self.world.contents.index)
        if names:
            self.refs[repository].discard(names[which % len(names)])

    # -- what holds always -----------------------------------------------------------------

    def protected(self):
        kept = set().union(*self.refs.values())
        kept |= {c for c, at in self.pushed.items() if self.clock.now < at + GRACE}
        return kept

    def parse(self, key):
        if key not in self.parsed:
            name = FileName.parse(os.path.basename(key).removesuffix(".idx"))
            self.parsed[key] = Index(memoryview(self.storage.objects[key]), name)
        return self.parsed[key]

    def readable(self):
        """Ids that a fresh client can read, by the rules of `docs/format.md` alone."""
        objects = self.storage.objects
        listed = [self.parse(key) for key in objects if key.startswith("index/")]
        replaced = {name for index in listed for name in index.replaces}
        gone = set()
        for key in objects:
            if key.startswith("tombstones/"):
                stone = tombstones.read(objects[key], key, "")
                gone |= stone.packs if stone.deleted else set()
        found = set()
        for index in listed:
            if index.name not in replaced:
                packs = {p for p, _ in index.packs if p not in gone and pack_key(p) in objects}
                found |= {id_ for id_, place in index.rows() if place.block.pack in packs}
        return found

    @invariant()
    def what_was_promised_can_be_read(self):
        there, kept = self.readable(), self.protected()
        for operation in self.operations:
            operation.must_succeed = operation.must_succeed and operation.content in kept
        for content in kept:
            lost = self.world.needs[content] - there
            assert not lost, f"{VERSIONS[self.world.contents.index(content)]} was lost"

    def a_fresh_client_fetches_all_of_it(self):
        for number, content in enumerate(self.protected()):
            store = Store.open(self.at(f"fresh-{number}"))
            fetch(store, self.remote(f"fresh-{number}", self.storage), {DATA: content})
            assert closure(store, [content]) == self.world.needs[content]


def run(world, examples, *, phases=tuple(Phase), steps=40, **attributes):
    machine = type("Machine", (RemoteMachine,), {"world": world, **attributes})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=phases,
            report_multiple_bugs=False,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nothing_that_was_promised_is_lost(world):
    run(world, max(40, settings.default.max_examples))


# -- the machine has teeth: each way to break the protocol is found -----------------------------


def without_listing_tombstones_again(patch):
    patch.setattr(RemoteStore, "refresh_tombstones", lambda self: False)


def without_copies(patch):
    patch.setattr(sync_collect, "rescue", lambda *_, **__: None)
    patch.setattr(sync_collect, "refuse_lost", lambda *_: None)


def with_deleted_packs_forgotten_at_once(patch):
    """No tombstone says that packs were deleted, and the one that foretold it goes with them."""
    doom, delete_packs = Sweeping.doom, Sweeping.delete_packs

    def delete(self, packs):
        gone = frozenset(packs)
        delete_packs(self, gone)
        self.delete(key for key, stone in self._doomed.stones.items() if stone.packs <= gone)

    patch.setattr(Sweeping, "doom", lambda *a, deleted=False: None if deleted else doom(*a))
    patch.setattr(Sweeping, "delete_packs", delete)


def with_packs_revived_in_place(patch):
    """What turns out to be needed has its tombstone taken away, instead of being copied."""
    carry_out = sync_collect._carry_out

    def revive(collecting, borrowed, swept, progress):
        plan, sweeping = swept.plan, collecting.remote.sweeping()
        needed = {collecting.remote.find(id_).block.pack for id_ in plan.rescue}
        stones = sweeping._doomed.stones.items()
        sweeping.delete([k for k, stone in stones if not stone.packs.isdisjoint(needed)])
        kept = tuple(pack for pack in plan.delete if pack not in needed)
        doom = tuple(pack for pack in plan.doom if pack not in plan.partly)
        plan = dataclasses.replace(plan, rescue=(), delete=kept, doom=doom, partly=())
        return carry_out(collecting, borrowed, dataclasses.replace(swept, plan=plan), progress)

    patch.setattr(sync_collect, "_carry_out", revive)


def with_packs_deleted_before_copies_are_made(patch):
    def rescue(borrowed, remote, ids, **options):
        borrowed.obtain(ids)
        doomed = {remote.find(id_).block.pack for id_ in ids} & remote.doomed
        remote.sweeping().delete_packs(doomed)
        copy(borrowed, remote, ids, **options)

    copy = sync_collect.rescue
    patch.setattr(sync_collect, "rescue", rescue)


def with_trust_in_trees_that_are_not_here(patch):
    def closure_of(store, remote, roots):
        return walk(roots, store.read, lambda ids: [id_ for id_ in ids if not store.has(id_)])

    def plan(store, remote, roots):
        closure = closure_of(store, remote, roots)
        if all(remote.has(id_) for id_ in closure.absent):
            closure.absent.clear()
        return closure

    patch.setattr(sync_plan, "_closure", plan)


def with_no_grace(patch):
    decide = sync_collect.plan_sweep
    patch.setattr(
        sync_collect, "plan_sweep", lambda *a, **o: decide(*a, **{**o, "grace": GRACE / 2})
    )


def with_refs_read_before_the_clock(patch):
    """The time is asked for once it was found out what is needed."""
    decide = sync_collect._decide
    patch.setattr(sync_collect, "_decide", lambda c, b, w, _: decide(c, b, w, c.clock()))


FAULTS = (
    without_listing_tombstones_again,
    without_copies,
    with_no_grace,
    with_trust_in_trees_that_are_not_here,
    with_deleted_packs_forgotten_at_once,
    with_packs_revived_in_place,
    with_packs_deleted_before_copies_are_made,
    with_refs_read_before_the_clock,
)


def until(machine, operation, verb, folder):
    """Let an operation go on until it is about to make such a call."""
    while not operation.is_over:
        if operation.next and operation.next[0] == verb and operation.next[1].startswith(folder):
            return
        machine.go(operation, 1)
    raise AssertionError(f"it never came to {verb} {folder}: {operation.error}")


def another_client_relies_on_what_is_doomed(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.pass_time(13 * DAY)
    machine.push("bob", 0)
    machine.pass_time(6 * DAY)
    machine.collect("ada")


def doomed_data_is_committed_within_the_grace(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.name_in_a_ref("one", 0)
    machine.pass_time(20 * DAY)
    machine.collect("eve")


def it_is_collected_twice_within_the_grace(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.pass_time(13 * DAY)
    machine.collect("bob")


def a_fresh_clone_pushes_what_it_never_fetched(machine):
    for number in range(3):
        machine.push("ada", number)
    machine.refs["one"].add(machine.content(2))
    for _ in range(2):
        machine.pass_time(20 * DAY)
        machine.collect("ada")
    machine.push("eve", 1)


def a_slow_merge_brings_rows_of_deleted_packs_back(machine):
    machine.push("ada", 0)
    machine.push("ada", 1)
    machine.refs["one"].add(machine.content(1))
    machine.collect("ada")
    machine.pass_time(13 * DAY)
    slow = machine.pushing("bob", machine.content(2))
    until(machine, slow, "list", "tombstones")
    until(machine, slow, "put", "index/")
    machine.pass_time(6 * DAY)
    machine.collect("ada")
    machine.go(slow)
    machine.push("ada", 0)


def a_collection_that_decided_before_goes_on_after_another(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.name_in_a_ref("one", 0)
    machine.pass_time(20 * DAY)
    first = machine.collecting("bob")
    until(machine, first, "list", "packs")
    machine.drop_a_ref("one", 0)
    second = machine.collecting("eve")
    for folder in ("packs", "tmp", "index"):  # it looked at everything, and decided
        until(machine, second, "list", folder)
    machine.go(first)
    machine.push("ada", 0)
    machine.go(second)


def a_collection_dies_while_it_copies(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.name_in_a_ref("one", 0)
    machine.pass_time(20 * DAY)
    dying = machine.collecting("eve")
    until(machine, dying, "put_file", "packs/")
    dying.kill()
    machine.settle(dying)


def a_commit_comes_while_a_collection_begins(machine):
    machine.push("ada", 0)
    machine.collect("ada")
    machine.pass_time(13 * DAY)
    slow = machine.collecting("eve")
    until(machine, slow, "delete", "tmp/clock")
    until(machine, slow, "list", "index")
    machine.name_in_a_ref("one", 0)
    machine.pass_time(6 * DAY)
    machine.go(slow)


SCENES = (
    (another_client_relies_on_what_is_doomed, {}),
    (doomed_data_is_committed_within_the_grace, {}),
    (it_is_collected_twice_within_the_grace, {}),
    (a_fresh_clone_pushes_what_it_never_fetched, {"versions": ("ae", "abc", "bcd")}),
    (
        a_slow_merge_brings_rows_of_deleted_packs_back,
        {"versions": ("abc", "ef", "f"), "fan_in": 3},
    ),
    (a_collection_that_decided_before_goes_on_after_another, {}),
    (a_collection_dies_while_it_copies, {}),
    (a_commit_comes_while_a_collection_begins, {}),
)


def play(world, scene, attributes):
    machine = type("Machine", (RemoteMachine,), {"world": world, **attributes})()
    machine.start()
    try:
        scene(machine)
        machine.what_was_promised_can_be_read()
    finally:
        machine.teardown()


@pytest.mark.parametrize(("scene", "attributes"), SCENES)
def test_nothing_is_lost_when(world, scene, attributes):
    play(world, scene, attributes)


@pytest.mark.parametrize(
    ("fault", "scene", "attributes"),
    [(fault, *played) for fault, played in zip(FAULTS, SCENES, strict=True)],
)
def test_each_way_to_break_the_protocol_loses_something(
    world, fault, scene, attributes, monkeypatch
):
    fault(monkeypatch)
    with pytest.raises((AssertionError, PivotError)):
        play(world, scene, attributes)


def test_the_machine_finds_by_itself_what_is_broken(world, monkeypatch):
    with_no_grace(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup, PivotError)):
        run(
            world,
            300,
            phases=(Phase.generate,),
            versions=("abc",),
            is_interleaved=False,
        )
