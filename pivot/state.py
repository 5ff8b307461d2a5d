"""The project's private accelerator: what was hashed before, and documents worth keeping.

One SQLite file, `.pivot/state.db`. It is never shared and never the truth: delete it at any time
and lose nothing but time. A damaged one is replaced by an empty one.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any, NamedTuple, Self

from pivot.clock import COARSE_TICK_NS, TICK_NS, FileClock
from pivot.files import Stat, folder_identity
from pivot.hashing import ObjectId

SCHEMA = 3
# Remembering a file that was just written needs a wait of one tick: for one of fewer bytes, longer
# than reading it again.
WORTH_REMEMBERING = 1 << 20
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY_CODE = 0xFF  # the rest of an error's number says more of the same
_READ_AT_ONCE = 900  # older SQLite takes no more than 999 values in a statement
_DAY = 24 * 60 * 60  # seconds
_DAYS_KEPT = 14  # facts of sources that nobody asked for so long, as of branches that are gone

_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, mtime INTEGER, ctime INTEGER, size INTEGER, inode INTEGER,
    mode INTEGER, id BLOB NOT NULL, recipe BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS directories (
    path TEXT PRIMARY KEY, digest BLOB NOT NULL, id BLOB NOT NULL, recipe BLOB,
    size INTEGER NOT NULL, files INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (
    key BLOB PRIMARY KEY, facts BLOB NOT NULL, day INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS actions (
    number INTEGER PRIMARY KEY, static_key BLOB NOT NULL, lock_id BLOB NOT NULL UNIQUE,
    lock BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS actions_by_key ON actions (static_key);
"""

_OWNER = "state:owner"
_LATEST = "state:latest"
_SWEPT = "state:swept"
_SELECT_FILES = "SELECT path, mtime, ctime, size, inode, mode, id, recipe FROM files"

type _FileColumns = tuple[str, int, int, int, int, int, bytes, bytes | None]


class Hashed(NamedTuple):
    """What a file was when it was read: its id, and its recipe where that was made."""

    id: ObjectId
    recipe: ObjectId | None


class HashedDirectory(NamedTuple):
    """What a directory was when its files' states had a certain digest."""

    digest: bytes
    id: ObjectId
    recipe: ObjectId | None
    size: int
    files: int


type FileRow = tuple[str, Stat, Hashed]

_MEMORY = ":memory:"


class State:
    """The open database. One transaction a command: `close` commits."""

    def __init__(self, db: sqlite3.Connection, path: str) -> None:
        self._db = db
        self._path = path
        self._has_news = False
        self._recalled: dict[str, _FileColumns | None] = {}
        self._used: list[bytes] = []
        self.clock = FileClock(os.path.dirname(path))

    @classmethod
    def open(cls, path: str) -> Self:
        """Open or make the database; one that is damaged or of another version is replaced.

        So is one that wasn't made in this very folder: a database that came with a clone could
        claim anything. Where the disk doesn't let us (read-only, no room), this run goes without.
        """
        self = cls(cls._opened(path), path)
        if not _is_on_disk(self._db):
            return self
        owner = folder_identity(os.path.dirname(path)).encode()
        if self.document(_OWNER) != owner:
            self._db.close()
            self._db = _replaced(path)
            self.record_document(_OWNER, owner)
        self._doubt_the_future()
        return self

    def _doubt_the_future(self) -> None:
        """Forget files from times that are still to come, since the clock was set back.

        It will come by those times again, and a change may then leave just the same ones.
        """
        latest = self.document(_LATEST)
        now = time.time_ns()
        if latest is None or now >= int.from_bytes(latest) - TICK_NS:
            return
        to_come = self.clock.now() - COARSE_TICK_NS
        self._execute("DELETE FROM files WHERE ctime >= ?", (to_come,))
        self._execute("DELETE FROM directories")
        self.record_document(_LATEST, now.to_bytes(8))

    @classmethod
    def _opened(cls, path: str) -> sqlite3.Connection:
        try:
            return _connect(path)
        except _OtherSchemaError:
            return _replaced(path)
        except sqlite3.DatabaseError as error:
            return _replaced(path) if _is_damage(error) else _connect(_MEMORY)

    def _execute(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """Run one statement, and return its rows.

        A database that turns out to be damaged, or that the disk or another process doesn't let
        us use, costs what was remembered and not the run.
        """
        return self._guarded(lambda db: db.execute(statement, values).fetchall())

    def _execute_many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row, with the same guard."""
        self._guarded(lambda db: db.executemany(statement, rows).fetchall())

    def _guarded(self, action: Callable[[sqlite3.Connection], list[Any]]) -> list[Any]:
        try:
            return action(self._db)
        except sqlite3.DatabaseError as error:
            if type(error) not in (sqlite3.DatabaseError, sqlite3.OperationalError):
                raise
            self._db.close()
            self._db = _replaced(self._path) if _is_damage(error) else _connect(_MEMORY)
            return action(self._db)

    def close(self) -> None:
        self.commit()
        self._db.close()

    def commit(self) -> None:
        """Keep what was recorded. What another process keeps us from writing is hashed again."""
        if self._used:
            rows = [(_today(), key) for key in self._used]
            self._execute_many("UPDATE sources SET day = ? WHERE key = ?", rows)
            self._used = []
        if self._has_news:
            self._has_news = False
            self.record_document(_LATEST, time.time_ns().to_bytes(8))
        with contextlib.suppress(sqlite3.DatabaseError):
            self._db.commit()

    # -- files ------------------------------------------------------------------------------

    def recall(self, paths: Collection[str]) -> None:
        """Read at once what is known of files that `file` is going to be asked for."""
        new = [path for path in paths if path not in self._recalled]
        self._recalled |= dict.fromkeys(new)
        for some in batched(new, _READ_AT_ONCE, strict=False):
            marks = ",".join("?" * len(some))
            for row in self._execute(f"{_SELECT_FILES} WHERE path IN ({marks})", some):
                self._recalled[row[0]] = row

    def file(self, path: str, stat: Stat) -> Hashed | None:
        """What `path` held when its state was exactly `stat`; None when that isn't known."""
        if path in self._recalled:
            row = self._recalled[path]
        else:
            row = next(iter(self._execute(f"{_SELECT_FILES} WHERE path = ?", (path,))), None)
        return _hashed(row) if row is not None and row[1:6] == stat else None

    def ids(self, stats: Mapping[str, os.stat_result]) -> dict[str, ObjectId]:
        """The ids of those among many files whose states are exactly these."""
        self.recall(stats)
        found: dict[str, ObjectId] = {}
        for path, s in stats.items():
            row = self._recalled[path]
            now = (s.st_mtime_ns, s.st_ctime_ns, s.st_size, s.st_ino, s.st_mode)
            if row is not None and row[1:6] == now:
                found[path] = ObjectId(row[6])
        return found

    def files_below(self, folder: str) -> Iterator[FileRow]:
        """What is known of all files below a folder, in the order of their paths' bytes.

        Read in portions, so that more may be recorded meanwhile.
        """
        # "0" follows "/": SQLite compares text by its UTF-8 bytes, as trees are sorted
        last, end = f"{folder}/", f"{folder}0"
        query = f"{_SELECT_FILES} WHERE path > ? AND path < ? ORDER BY path LIMIT {_READ_AT_ONCE}"
        while rows := self._execute(query, (last, end)):
            yield from map(_file_row, rows)
            last = rows[-1][0]

    def record_files(self, rows: Iterable[FileRow], *, may_be_racy: bool = False) -> None:
        """Remember what files held; each state must have been the same before and after reading.

        Racily clean files are left out, so that they are read again; unless `may_be_racy`, for a
        caller who makes sure that nothing can change them within their tick.
        """
        self._has_news = True
        clean = [
            (path, *s, hashed.id, hashed.recipe)
            for path, s, hashed in rows
            if may_be_racy or not self.clock.is_racy(s)
        ]
        for row in clean:
            if row[0] in self._recalled:
                self._recalled[row[0]] = row
        self._execute_many("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", clean)

    def forget_files(self, paths: Iterable[str]) -> None:
        """Drop what is known of files that are gone."""
        gone = [(path,) for path in paths]
        for (path,) in gone:
            self._recalled.pop(path, None)
        self._execute_many("DELETE FROM files WHERE path = ?", gone)

    def forget_below(self, folder: str) -> None:
        """Drop what is known of all files below a folder."""
        self._recalled.clear()
        self._execute("DELETE FROM files WHERE path > ? AND path < ?", (f"{folder}/", f"{folder}0"))

    # -- directories --------------------------------------------------------------------------

    def directory(self, path: str) -> HashedDirectory | None:
        """What was last recorded of a directory."""
        query = "SELECT digest, id, recipe, size, files FROM directories WHERE path = ?"
        for digest, id_, recipe, size, files in self._execute(query, (path,)):
            return HashedDirectory(
                digest, ObjectId(id_), ObjectId(recipe) if recipe else None, size, files
            )
        return None

    def record_directory(self, path: str, known: HashedDirectory) -> None:
        """Remember what a directory held, under the digest of its files' states."""
        self._execute(
            "INSERT OR REPLACE INTO directories VALUES (?, ?, ?, ?, ?, ?)",
            (path, known.digest, known.id, known.recipe, known.size, known.files),
        )

    # -- documents ----------------------------------------------------------------------------

    def document(self, name: str) -> bytes | None:
        """A value that some room keeps under its name; the room validates it on use."""
        for (value,) in self._execute("SELECT value FROM documents WHERE name = ?", (name,)):
            return bytes(value)
        return None

    def record_document(self, name: str, value: bytes) -> None:
        self._execute("INSERT OR REPLACE INTO documents VALUES (?, ?)", (name, value))

    def forget_documents(self, prefix: str) -> None:
        """Drop all documents whose names begin with `prefix`."""
        self._execute("DELETE FROM documents WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))

    # -- sources ------------------------------------------------------------------------------

    def facts(self, key: bytes) -> bytes | None:
        """What was kept of a source under a key that its content is part of."""
        for facts, day in self._execute("SELECT facts, day FROM sources WHERE key = ?", (key,)):
            if day != _today():
                self._used.append(key)
            return bytes(facts)
        return None

    def record_facts(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep facts by their keys, and drop those that weren't used for long."""
        today = _today()
        if self.document(_SWEPT) != today.to_bytes(8):  # looking at all of them takes a while
            self._execute("DELETE FROM sources WHERE day < ?", (today - _DAYS_KEPT,))
            self.record_document(_SWEPT, today.to_bytes(8))
        self._execute_many(
            "INSERT OR REPLACE INTO sources VALUES (?, ?, ?)",
            [(key, facts, today) for key, facts in rows],
        )

    # -- actions ------------------------------------------------------------------------------

    def actions(self, static_key: ObjectId) -> Iterator[bytes]:
        """The lock texts of the actions under a key, newest first."""
        query = "SELECT lock FROM actions WHERE static_key = ? ORDER BY number DESC"
        for (lock,) in self._execute(query, (static_key,)):
            yield bytes(lock)

    def record_action(self, static_key: ObjectId, lock_id: ObjectId, lock: bytes) -> None:
        """Add an action; one that is known becomes the newest."""
        self._execute(
            "INSERT OR REPLACE INTO actions (static_key, lock_id, lock) VALUES (?, ?, ?)",
            (static_key, lock_id, lock),
        )


class Memory:
    """What is known of the files below a folder, asked for in the order of their paths."""

    def __init__(self, state: State, folder: str) -> None:
        self._rows = state.files_below(folder)
        self._next = next(self._rows, None)
        self._gone: list[str] = []

    def find(self, path: str) -> FileRow | None:
        """What is known of a file; `path` must come after the last one that was asked for."""
        while self._next is not None and self._next[0] < path:
            self._gone.append(self._next[0])
            self._next = next(self._rows, None)
        row = self._next
        if row is None or row[0] != path:
            return None
        self._next = next(self._rows, None)
        return row

    def skipped(self) -> list[str]:
        """Files that were passed by since this was last called: nobody asked for them."""
        gone, self._gone = self._gone, []
        return gone

    def rest(self) -> Iterator[list[str]]:
        """Files after the last one that was asked for, in portions."""
        while self._next is not None:
            self._gone.append(self._next[0])
            self._next = next(self._rows, None)
            if len(self._gone) >= _READ_AT_ONCE or self._next is None:
                yield self.skipped()


def _file_row(row: _FileColumns) -> FileRow:
    return row[0], Stat(*row[1:6]), _hashed(row)


def _hashed(row: _FileColumns) -> Hashed:
    return Hashed(ObjectId(row[6]), ObjectId(row[7]) if row[7] else None)


def _today() -> int:
    return int(time.time()) // _DAY


class _OtherSchemaError(Exception):
    """The database was made by another version of Pivot."""


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE in _DAMAGED


def _is_on_disk(db: sqlite3.Connection) -> bool:
    return bool(db.execute("PRAGMA database_list").fetchone()[2])


def _replaced(path: str) -> sqlite3.Connection:
    """An empty database in place of an unusable one; in memory where that can't be."""
    try:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + suffix)
        return _connect(path)
    except (OSError, sqlite3.DatabaseError):
        return _connect(_MEMORY)


def _connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=5.0, isolation_level="DEFERRED")
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version != SCHEMA:
            if version != 0:
                raise _OtherSchemaError
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;")
        db.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        db.close()
        raise
    return db
