"""A store under all that happens to one, beside a model of a few sets.

The model knows which entries the store must have, and the bytes of every version that was stored.
After each step the store has exactly the entries of the model; what it says that it holds can be
read and is what it was; and nothing that the user wrote and nobody else has is gone.
"""

import contextlib
import io
import os
import random
import shutil
import signal
import tempfile

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from pivot.checkout import plan_checkout, refuse_absent, refuse_edited
from pivot.errors import EditedError, IntegrityError, MissingDataError
from pivot.gc.collect import plan_collection
from pivot.paths import RepoPath, TreePath
from pivot.placing import fill, place
from pivot.state import State
from pivot.store.content import ContentType
from pivot.store.entry import identify
from pivot.store.index import VERSION
from pivot.store.repair import repair
from pivot.store.split import split
from pivot.store.store import Store
from pivot.track.planning import Update
from pivot.track.updating import Parts, take
from pivot.workspace import Workspace
from tests.unit.closure import closure
from tests.unit.disk import failing_disk

FILES = ("one", "two")
FOLDER = "folder"
NAMES = ("x", "y", "sub/z", "sub/w")


class Body(bytes):
    """What a file holds; known by its number, for every step that is tried is kept as text."""

    def __repr__(self):
        return f"BODIES[{BODIES.index(self)}]"


# Files of more than 1 MiB are cut; small ones share blocks.
LARGE = [random.Random(seed).randbytes(1_100_000) for seed in range(2)]
BODIES = tuple(
    map(Body, (b"", b"a", b"text, " * 50, b"other, " * 9000, *LARGE, LARGE[0] + b"tail"))
)
EXAMPLES = max(100, settings.default.max_examples)
STEPS = 50

pytestmark = pytest.mark.timeout(1200)

bodies = st.sampled_from(BODIES) | st.binary(max_size=40)
numbers = st.integers(0, 1 << 30)


class StoreMachine(RuleBasedStateMachine):
    """One project, and one store that nobody else uses."""

    versions = Bundle("versions")

    @initialize()
    def start(self):
        self.base = tempfile.mkdtemp(prefix="pivot-machine-")
        self.root = os.path.join(self.base, "project")
        os.makedirs(os.path.join(self.root, ".pivot"))
        self.fsync, os.fsync = os.fsync, lambda _: None  # power failures aren't tried here
        self.state = None
        self.held, self.known, self.bytes = set(), set(), {}
        self.open()

    def teardown(self):
        os.fsync = self.fsync
        self.state.close()
        shutil.rmtree(self.base)

    def open(self):
        if self.state is not None:
            self.state.close()
        self.state = State.open(os.path.join(self.root, ".pivot", "state.db"))
        self.store = Store.open(os.path.join(self.root, ".pivot", "cache"))
        self.workspace = Workspace(self.root, self.state)

    # -- the workspace ---------------------------------------------------------------------

    def at(self, path):
        return os.path.join(self.root, path)

    def look(self, path):
        """The bytes of a file, or of the files of a folder by name; None where nothing is."""
        top = self.at(path)
        if os.path.isfile(top):
            with open(top, "rb") as f:
                return f.read()
        found = {}
        for base, _, files in os.walk(top):
            for name in files:
                with open(os.path.join(base, name), "rb") as f:
                    found[os.path.relpath(os.path.join(base, name), top)] = f.read()
        return found if os.path.isdir(top) else None

    def clear(self, path):
        if os.path.isdir(self.at(path)):
            shutil.rmtree(self.at(path))
        elif os.path.lexists(self.at(path)):
            os.unlink(self.at(path))

    def write(self, path, body):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        with open(self.at(path), "wb") as f:
            f.write(body)

    @rule(path=st.sampled_from(FILES), body=bodies)
    def edit_file(self, path, body):
        self.clear(path)
        self.write(path, body)

    @rule(name=st.sampled_from(NAMES), body=bodies)
    def edit_in_folder(self, name, body):
        if os.path.isfile(self.at(FOLDER)):
            self.clear(FOLDER)
        self.write(f"{FOLDER}/{name}", body)

    @rule(path=st.sampled_from((*FILES, FOLDER, f"{FOLDER}/x", f"{FOLDER}/sub")))
    def lose(self, path):
        self.clear(path)

    # -- what Pivot does -------------------------------------------------------------------

    def _store(self, path):
        with self.store.writer() as writer:
            return self.workspace.store(RepoPath(path), writer)

    def _note(self, content, files):
        self.bytes[content] = files
        needed = closure(self.store, [content])
        self.known |= needed
        self.held |= needed
        return content

    @rule(target=versions, path=st.sampled_from((*FILES, FOLDER)))
    def keep(self, path):
        if self.look(path) is None:
            path = "one"
            self.edit_file(path, b"made")
        return self._note(self._store(path), self.look(path))

    @rule(target=versions, body=bodies, content=versions, name=st.sampled_from(NAMES))
    def track_a_part(self, content, name, body):
        """A file inside a tracked directory is updated alone, whatever became of the others."""
        files = self.bytes[content]
        if not isinstance(files, dict) or content not in self._whole():
            return content
        self.clear(FOLDER)
        self.write(f"{FOLDER}/{name}", body)
        path = RepoPath(FOLDER)
        update = Update(path, content, (TreePath(name),))
        parts = Parts.of(self.workspace, self.store.tree, update)
        with self.store.writer() as writer:
            new = take(self.workspace, self.store.tree, update, parts, writer)
        return self._note(new, files | {name: body})

    def _restore(self, path, content, *, force=False):
        with self.store.in_use():
            plan = plan_checkout(
                self.workspace, {RepoPath(path): content}, self.store.holds, self.store.tree
            )
            refuse_absent(plan)
            if not force:
                refuse_edited(plan)
            for put, contents in ((place, plan.place), (fill, plan.fill)):
                for where, what in contents.items():
                    put(self.workspace, self.state, self.store, where, what)

    @rule(content=versions, path=st.sampled_from((*FILES, FOLDER)), force=st.booleans())
    def check_out(self, content, path, force):
        before, wanted = self.look(path), self.bytes[content]
        would_lose = before not in (None, wanted) and not self._is_held(before)
        try:
            self._restore(path, content, force=force)
        except EditedError:
            assert would_lose
            assert not force
            assert self.look(path) == before
        except MissingDataError:
            assert content not in self._whole()
            assert self.look(path) == before
        else:
            assert self.look(path) == wanted
            assert force or not would_lose

    def _whole(self):
        return {c for c in self.bytes if (c.recipe or c.id) in self.held}

    def _is_held(self, found):
        """The design's rule, by the model alone: each file's bytes are in the store."""
        for body in found.values() if isinstance(found, dict) else [found]:
            added = split(io.BytesIO(body), identify)
            if (added.recipe or added.id) not in self.held:
                return False
        return True

    def _some(self, data):
        contents = sorted(self.bytes, key=repr)
        return data.draw(st.sets(st.sampled_from(contents))) if contents else set()

    def _collect(self, wanted):
        with self.store.alone(holder="gc"):
            plan_collection(self.store, wanted).sweep()

    def _needed(self, contents):
        return closure(self.store, self._whole() & contents)

    @rule(data=st.data())
    def collect(self, data):
        """All that is wanted and was there stays, and nothing else does.

        What an earlier collection left behind when it died may come back, if it is wanted.
        """
        wanted = self._some(data)
        needed = self._needed(wanted)
        self._collect(wanted)
        self._settle(needed)
        assert self.held == self._needed(wanted)

    @rule()
    def merge_indexes(self):
        with self.store.in_use():
            self.store.replace_indexes(self.store.indexes, lambda *_: True, level=1)

    @rule(forget=st.booleans())
    def reopen(self, forget):
        if forget:
            self.state.close()
            os.unlink(self.at(".pivot/state.db"))
        self.open()

    # -- what happens to it ----------------------------------------------------------------

    def _killed(self, at, action):
        """Do something in a process that dies at its `at`-th change of the disk, if it has one."""
        self.state.commit()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                with failing_disk(at, None):
                    action()
                os._exit(0)
            os._exit(1)
        _, status = os.waitpid(pid, 0)
        assert status in (0, signal.SIGKILL)
        self.open()

    @rule(path=st.sampled_from((*FILES, FOLDER)), at=st.integers(0, 30))
    def die_while_storing(self, path, at):
        before = self.look(path)
        if before is None:
            return
        content = self.workspace.content(RepoPath(path))
        self._killed(at, lambda: self._store(path))
        assert self.look(path) == before
        if self.store.holds(content):
            self._note(content, before)
        self._settle(self.held)

    @rule(content=versions, path=st.sampled_from((*FILES, FOLDER)), at=st.integers(0, 15))
    def die_while_checking_out(self, content, path, at):
        before, wanted = self.look(path), self.bytes[content]
        if content in self._whole() and (before is None or self._is_held(before)):
            self._killed(at, lambda: self._restore(path, content))
            assert self.look(path) in (before, wanted, None)  # what is missing is held

    @rule(data=st.data(), at=st.integers(0, 30))
    def die_while_collecting(self, data, at):
        wanted = self._some(data)
        needed = self._needed(wanted)
        self._killed(at, lambda: self._collect(wanted))
        self._settle(needed)

    @rule(which=numbers, at=numbers, is_cut=st.booleans(), bits=st.integers(1, 255))
    def damage_and_repair(self, which, at, is_cut, bits):
        """What can still be read is right; afterwards the store is sound, and tells the truth."""
        files = self._files_of_the_store()
        if not files:
            return
        _damage(files[which % len(files)], at, 0 if is_cut else bits)
        self.open()
        for content, files in self.bytes.items():
            with contextlib.suppress(IntegrityError, MissingDataError):
                assert self._read(content) == files
        repair(self.store)
        self.open()
        self._settle(set())

    def _files_of_the_store(self):
        folders = (os.path.join(self.store.root, name) for name in ("packs", "index"))
        return sorted(
            os.path.join(base, name)
            for folder in folders
            for base, _, names in os.walk(folder)
            for name in names
            if os.path.getsize(os.path.join(base, name))
        )

    def _settle(self, needed):
        """After a crash the store has what it must have; what else it has is noted."""
        there = self._there()
        assert needed <= there
        self.held = there

    # -- what holds always -----------------------------------------------------------------

    def _there(self):
        return {id_ for id_ in self.known if self.store.has(id_)}

    def _read(self, content):
        if content.type is not ContentType.DIRECTORY:
            return b"".join(self.store.stream(content))
        return {
            str(entry.path): b"".join(self.store.stream(entry.content))
            for entry in self.store.tree(content)
            if entry.content is not None
        }

    @invariant()
    def the_store_has_what_the_model_has(self):
        assert self._there() == self.held

    @invariant()
    def what_is_held_can_be_read_and_is_right(self):
        for content in self._whole():
            assert self.store.holds(content)
            assert self._read(content) == self.bytes[content]


def _damage(path, at, bits):
    """Flip bits of a byte of a file, or without any cut it there."""
    size = os.path.getsize(path)
    os.chmod(path, 0o644)
    with open(path, "r+b") as f:
        if not bits:
            f.truncate(at % size)
            return
        at %= size
        if 8 <= at < 10:  # a version: a newer one is refused, and that is another test
            at, bits = 8, VERSION
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ bits]))


StoreMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_a_store_and_its_model = StoreMachine.TestCase
