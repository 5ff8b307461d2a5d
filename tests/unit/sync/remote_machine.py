"""A remote under several clients of two repositories, whose calls interleave in any order.

The model knows what successful pushes reported, and what the repositories' refs name. Whatever was
pushed within the grace, or is named by a ref since then, can be fetched whole after each step. Time
passes, operations die at any call, and clients come back with old memories.

The assumptions are those of `docs/design.md`: listings are consistent, and nothing that is under
way takes as long as the grace.
"""

import concurrent.futures
import contextlib
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
from pivot.sync import push as syncing
from pivot.sync.collect import Collecting, collect, preview
from pivot.sync.fetch import fetch
from pivot.sync.push import push
from pivot.sync.sweeping import GRACE
from pivot.transfer import lanes, listing, merging, tombstones
from pivot.transfer.remote import RemoteStore
from pivot_remotes.tracing import Trace
from tests.unit.closure import closure
from tests.unit.storage import Storage
from tests.unit.sync.simulated import DAY, Clock, Inline, Killed, Operation

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


class InlineThread:
    """A thread that is over once it was started."""

    def __init__(self, target, args, name):
        self.start = lambda: target(*args)

    def join(self):
        """It is over."""

    def is_alive(self):
        return False


@contextlib.contextmanager
def quick():
    """Power failures aren't tried here, and threads would take the choice of who goes on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        for name, module in tuple(sys.modules.items()):
            if name.startswith("pivot.") and hasattr(module, "ThreadPoolExecutor"):
                patch.setattr(module, "ThreadPoolExecutor", Inline)
        patch.setattr(concurrent.futures, "ThreadPoolExecutor", Inline)  # where imported late
        patch.setattr(lanes, "Thread", InlineThread)
        patch.setattr(syncing, "abreast", lambda *calls: tuple(call() for call in calls))
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
        self.storage = Storage(now=self.clock.time)
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
