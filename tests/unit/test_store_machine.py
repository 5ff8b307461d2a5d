"""A store under everything that happens to one, against a model of a few sets.

The model knows which entries the store must have, and the bytes of every version that was ever
stored. After each step the store has exactly the entries of the model; whatever it says that it
holds can be read, and is what it was; nothing that the user wrote and nobody holds is gone.
"""

import os
import random
import shutil
import signal
import tempfile

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from pivot.checkout import EditedError, place, plan_checkout, refuse_absent, refuse_edited
from pivot.errors import IntegrityError, MissingDataError, PivotError
from pivot.gc.collect import plan_collection
from pivot.paths import RepoPath
from pivot.state import State
from pivot.store.content import ContentType
from pivot.store.repair import repair
from pivot.store.store import Store
from pivot.workspace import Workspace
from tests.unit.conftest import watched_disk

PATHS = ("one", "two", "folder")
# Sizes around what matters: small ones share blocks, 1 MiB is the threshold of cutting.
SEEDED = {n: random.Random(n).randbytes(1_200_000) for n in range(2)}  # noqa: S311
TEXTS = (b"", b"a", b"text, " * 50, b"other, " * 9000, *SEEDED.values(), SEEDED[0] + b"tail")

bodies = st.sampled_from(TEXTS) | st.binary(max_size=40)
folders = st.dictionaries(st.sampled_from(("x", "y", "sub/z", "sub/w")), bodies, max_size=4)


class StoreMachine(RuleBasedStateMachine):
    """One project; each step is done by a process that has just opened everything, or not."""

    versions = Bundle("versions")

    @initialize()
    def start(self):
        self.base = tempfile.mkdtemp(prefix="pivot-machine-")
        self.root = os.path.join(self.base, "project")
        os.makedirs(os.path.join(self.root, ".pivot"))
        self.fsync, os.fsync = os.fsync, lambda _: None  # what a power failure does isn't tried
        self.state = None
        self.open()
        self.held = set()
        self.known = set()
        self.bytes = {}  # of each content, its files

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

    def look(self, path):
        """The files at a path of the workspace; None where nothing is."""
        top = os.path.join(self.root, path)
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
        top = os.path.join(self.root, path)
        shutil.rmtree(top) if os.path.isdir(top) else os.path.lexists(top) and os.unlink(top)

    @rule(path=st.sampled_from(PATHS[:2]), body=bodies)
    def edit_file(self, path, body):
        self.clear(path)
        with open(os.path.join(self.root, path), "wb") as f:
            f.write(body)

    @rule(files=folders)
    def edit_folder(self, files):
        self.clear("folder")
        os.makedirs(os.path.join(self.root, "folder"))
        for name, body in files.items():
            path = os.path.join(self.root, "folder", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(body)

    @rule(path=st.sampled_from(PATHS))
    def lose(self, path):
        self.clear(path)

    # -- what Pivot does -------------------------------------------------------------------

    def _store(self, path):
        with self.store.writer() as writer:
            return self.workspace.store(RepoPath(path), writer)

    @rule(target=versions, path=st.sampled_from(PATHS))
    def keep(self, path):
        if self.look(path) is None:
            self.edit_file("one", b"made")
            path = "one"
        content = self._store(path)
        self.bytes[content] = self.look(path)
        closure = set(self.store.closure([content]))
        self.known |= closure
        self.held |= closure
        return content

    def _restore(self, path, content, *, force=False):
        with self.store.in_use():
            plan = plan_checkout(self.workspace, {RepoPath(path): content}, self.store.holds)
            refuse_absent(plan)
            if not force:
                refuse_edited(plan)
            for where, what in plan.place.items():
                place(self.workspace, self.state, self.store, where, what)

    @rule(content=versions, path=st.sampled_from(PATHS), force=st.booleans())
    def check_out(self, content, path, force):
        before, wanted = self.look(path), self.bytes[content]
        is_lost = before not in (None, wanted) and not self._is_held(before)
        try:
            self._restore(path, content, force=force)
        except EditedError:
            assert is_lost
            assert not force
            assert self.look(path) == before
        except MissingDataError:
            assert not self._has(content)
            assert self.look(path) == before
        else:
            assert self.look(path) == wanted
            assert force or not is_lost
            assert before == wanted or self._has(content)

    def _has(self, content):
        return (content.recipe or content.id) in self.held

    def _is_held(self, found):
        """Whether every file that lies there is in the store: the rule of the design."""
        files = found.values() if isinstance(found, dict) else [found]
        kept = [
            body
            for content, bodies_ in self.bytes.items()
            if self._has(content)
            for body in (bodies_.values() if isinstance(bodies_, dict) else [bodies_])
        ]
        return all(body in kept or self._is_entry(body) for body in files)

    def _is_entry(self, body):
        """Whether a small file is in the store by itself, of whatever it was a part."""
        from pivot.store.entry import identify
        from pivot.store.split import split

        added = split(_Reader(body), identify)
        return (added.recipe or added.id) in self.held

    @rule(data=st.data())
    def collect(self, data):
        wanted = data.draw(st.sets(st.sampled_from(sorted(self.bytes, key=repr)))) if self.bytes else ()
        self._collect(wanted)
        self.held = self._closure(wanted)

    def _collect(self, wanted):
        with self.store.alone():
            plan_collection(self.store, wanted).sweep()

    def _closure(self, contents):
        """What those of `contents` need that the store has."""
        with self.store.in_use():
            return set(self.store.closure(c for c in contents if self._has(c)))

    @rule()
    def merge(self):
        with self.store.in_use():
            self.store.replace_indexes(self.store.indexes, lambda *_: True, level=1)

    @rule(forget=st.booleans())
    def reopen(self, forget):
        if forget:
            os.unlink(os.path.join(self.root, ".pivot", "state.db"))
        self.open()

    # -- what happens to it ----------------------------------------------------------------

    def _killed(self, at, action):
        """Do something in a process that dies at its `at`-th change of the disk, if it has one."""
        self.state.commit()
        pid = os.fork()
        if pid == 0:
            with watched_disk(at, None):
                action()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert not os.WIFSIGNALED(status) or os.WTERMSIG(status) == signal.SIGKILL
        assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
        self.open()

    @rule(path=st.sampled_from(PATHS), at=st.integers(0, 40))
    def die_while_storing(self, path, at):
        before = self.look(path)
        if before is not None:
            self._killed(at, lambda: self._store(path))
            assert self.look(path) == before
            content = self.workspace.content(RepoPath(path))
            if self.store.holds(content):
                self.bytes[content] = before
                self.known |= set(self.store.closure([content]))
            self._expect_at_least(self.held)

    @rule(content=versions, path=st.sampled_from(PATHS), at=st.integers(0, 20))
    def die_while_checking_out(self, content, path, at):
        before, wanted = self.look(path), self.bytes[content]
        if self._has(content) and (before is None or self._is_held(before)):
            self._killed(at, lambda: self._restore(path, content))
            assert self.look(path) in (before, wanted, None)  # what is missing is held

    @rule(data=st.data(), at=st.integers(0, 40))
    def die_while_collecting(self, data, at):
        wanted = data.draw(st.sets(st.sampled_from(sorted(self.bytes, key=repr)))) if self.bytes else ()
        needed = self._closure(wanted)
        self._killed(at, lambda: self._collect(wanted))
        assert self._there() <= self.held
        self._expect_at_least(needed)

    @rule(data=st.data(), mend=st.booleans())
    def damage(self, data, mend):
        """Flip a byte of any file, or cut it: what can be read is right, and a repair is true."""
        files = sorted(
            os.path.join(base, name)
            for kind in ("packs", "index")
            for base, _, names in os.walk(os.path.join(self.store.root, kind))
            for name in names
        )
        if files:
            path = data.draw(st.sampled_from(files))
            size = os.path.getsize(path)
            at = data.draw(st.integers(0, size - 1))
            os.chmod(path, 0o644)
            with open(path, "r+b") as f:
                if data.draw(st.booleans()):
                    f.truncate(at)
                else:
                    f.seek(at)
                    byte = f.read(1)[0]
                    f.seek(at)
                    f.write(bytes([byte ^ 0x41]))
            self.open()
            for content in self.bytes:
                self._read_or_refuse(content)
            with self.store.alone() if False else self._nothing():
                repair(self.store)
            self.open()
            assert self._there() <= self.held | self._unindexed
            self._expect_at_least(set())

    _unindexed = frozenset()

    def _nothing(self):
        import contextlib

        return contextlib.nullcontext()

    def _read_or_refuse(self, content):
        try:
            assert self._read(content) == self.bytes[content]
        except (IntegrityError, MissingDataError):
            pass
        except PivotError as error:
            assert "newer" in str(error)  # a flipped bit of a version

    # -- what must hold --------------------------------------------------------------------

    def _there(self):
        return {id_ for id_ in self.known if self.store.has(id_)}

    def _expect_at_least(self, needed):
        """After a crash the store has what it needs; what else it has is noted."""
        assert needed <= self._there()
        self.held = self._there()

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
        if self.state is not None:
            assert self._there() == self.held

    @invariant()
    def what_is_held_can_be_read(self):
        if self.state is not None:
            for content in self.bytes:
                if self.store.holds(content):
                    assert self._read(content) == self.bytes[content]
