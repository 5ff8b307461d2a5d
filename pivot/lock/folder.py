"""The folder of locks, `.pivot/stages/`: a file a stage, named after it."""

import contextlib
import os

from pivot.files import write_atomic
from pivot.lock.code import CodeHashes
from pivot.lock.lock import Lock, UnreadableLockError, decode
from pivot.paths import PathError, StageName

SUFFIX = ".lock"


def lock_path(stage: StageName) -> str:
    """A lock's file, relative to the folder of locks."""
    return stage + SUFFIX


def read_lock(folder: str, stage: StageName, code: CodeHashes | None = None) -> Lock | None:
    """The lock of a stage, None where there is none. Raises `UnreadableLockError`.

    `code` saves reading the lock's, if that is the same.
    """
    path = os.path.join(folder, lock_path(stage))
    try:
        with open(path, "rb") as f:
            data = f.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableLockError(f"{path} can't be read", why=error.strerror) from error
    return decode(data, f".pivot/stages/{lock_path(stage)}", code)


def write_lock(folder: str, lock: Lock) -> bytes:
    """Write a lock in place of the stage's last one, and return its bytes."""
    data = lock.encode()
    write_encoded(folder, lock.stage, data)
    return data


def write_encoded(folder: str, stage: StageName, data: bytes) -> None:
    """Write a stage's lock that is encoded already."""
    path = os.path.join(folder, lock_path(stage))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_atomic(path, data)


def list_locks(folder: str) -> list[StageName]:
    """The names of all locks below a folder, sorted; files of other kinds are passed over."""
    names: list[StageName] = []
    for base, _, files in os.walk(folder):
        prefix = os.path.relpath(base, folder)
        for file in files:
            if file.endswith(SUFFIX):
                joined = os.path.normpath(os.path.join(prefix, file[: -len(SUFFIX)]))
                with contextlib.suppress(PathError):  # e.g. what a crash left half written
                    names.append(StageName(joined))
    return sorted(names)
