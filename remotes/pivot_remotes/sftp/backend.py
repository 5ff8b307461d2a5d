"""A folder on an SFTP server as storage.

Not through fsspec's file system for it: that one accepts any host key, and the library beneath it
encrypts while holding the interpreter.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from stat import S_ISDIR, S_ISREG
from typing import Final

from pivot_remotes.backend import Capabilities, ObjectInfo
from pivot_remotes.errors import BadAddress, RemoteError, Truncated
from pivot_remotes.keys import check_key, check_prefix, is_key, temporary_key
from pivot_remotes.landing import blocks, new_file, source_file
from pivot_remotes.sftp import faults
from pivot_remotes.sftp.connections import Connections
from pivot_remotes.sftp.packets import Code
from pivot_remotes.sftp.session import RefusedError, Session
from pivot_remotes.sftp.settings import SftpSettings
from pivot_remotes.small import Small

_CAPABILITIES: Final = Capabilities(can_list=True, can_write=True, atomic_put=True, ranges=True)


class SftpBackend:
    """Objects as files below a folder, which is made at the first put.

    A connection that breaks is replaced at the next call. Links are not listed.
    """

    __slots__ = ("_connections", "_settings")

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self._connections = Connections(settings)

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    @property
    def address(self) -> str:
        return self._settings.address

    def list(self, prefix: str) -> list[ObjectInfo]:
        folder = check_prefix(prefix)
        found: list[ObjectInfo] = []
        level = [folder]
        with self._session(folder) as session:
            while level:
                paths = {self._path(key): key for key in level}
                level = []
                for path, entries in session.folders(list(paths)):
                    for entry in entries:
                        key = f"{paths[path]}/{entry.name}" if paths[path] else entry.name
                        mode = entry.attributes.mode or 0
                        if not is_key(key):
                            continue
                        if S_ISDIR(mode):
                            level.append(key)
                        elif S_ISREG(mode):
                            size, modified = entry.attributes.size, entry.attributes.modified
                            found.append(ObjectInfo(key, size or 0, modified))
        return sorted(found, key=lambda info: info.key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        path = self._path(check_key(key))
        if length == 0:
            return b""
        data = bytearray()
        with self._session(key) as session:
            session.read(path, start, length, data.extend)
        if len(data) < length:
            raise Truncated(f"{key} in {self.address} ends before byte {start + length}")
        return bytes(data)

    def get(self, key: str) -> bytes:
        path = self._path(check_key(key))
        small = Small(key, self.address)
        with self._session(key) as session:
            session.read(path, 0, None, small.take)
        return small.whole()

    def get_file(self, key: str, path: str, limit: int | None = None) -> None:
        source = self._path(check_key(key))
        with new_file(path, limit) as write, self._session(key) as session:
            session.read(source, 0, None, write)

    def put(self, key: str, data: bytes) -> None:
        check_key(key)
        with self._session(key) as session:
            self._replace(session, key, [data])

    def put_file(self, key: str, path: str) -> None:
        check_key(key)
        with source_file(path) as source, self._session(key) as session:
            self._replace(session, key, blocks(source))

    def delete(self, key: str) -> None:
        self.delete_all([key])

    def delete_all(self, keys: Iterable[str]) -> None:
        doomed = [self._path(check_key(key)) for key in keys]
        with self._session("") as session:
            session.remove(doomed)

    def _path(self, key: str) -> str:
        folder = self._settings.folder
        if not key:
            return folder or "."
        return f"{folder.rstrip('/')}/{key}" if folder else key

    def _replace(self, session: Session, key: str, content: Iterable[bytes]) -> None:
        temporary = self._path(temporary_key(key))
        try:
            self._write(session, temporary, content)
            session.rename(temporary, self._path(key))
        except (RefusedError, RemoteError):
            with contextlib.suppress(RefusedError):
                session.remove([temporary])
            raise

    def _write(self, session: Session, path: str, content: Iterable[bytes]) -> None:
        """Write a new file; its folder is made where it is missing."""
        try:
            session.write(path, content)
        except RefusedError as error:
            # Refused at the opening: none of the content was taken yet.
            if error.code != Code.NO_SUCH_FILE:
                raise
            self._make_folder(session, path.rpartition("/")[0])
            session.write(path, content)

    def _make_folder(self, session: Session, path: str) -> None:
        """Make a folder and its missing parents."""
        parent = path.rpartition("/")[0]
        try:
            session.make_folder(path)
        except RefusedError as error:
            if error.code == Code.NO_SUCH_FILE and parent:
                self._make_folder(session, parent)
                with contextlib.suppress(RefusedError):  # somebody else was faster
                    session.make_folder(path)
            elif error.code != Code.FAILURE:  # what OpenSSH says where it exists
                raise
            self._check_folder(session, path, error)

    def _check_folder(self, session: Session, path: str, refusal: RefusedError) -> None:
        try:
            mode = session.status(path).mode
        except RefusedError:
            raise refusal from None
        if mode is not None and not S_ISDIR(mode):
            raise BadAddress(
                f"{self.address} can't hold objects", why="a file stands where a folder should"
            )

    @contextlib.contextmanager
    def _session(self, key: str) -> Iterator[Session]:
        try:
            with self._connections.session() as session:
                yield session
        except RefusedError as error:
            raise faults.refused(error, self.address, key) from error


def open_folder(
    url: str,
    options: Mapping[str, str],
    environ: Mapping[str, str],  # noqa: ARG001 - what all are opened with; OpenSSH reads its own
) -> SftpBackend:
    """The backend for `sftp://user@host:port/folder`; nothing is asked of it yet.

    Options are those of `pivot_remotes.sftp.settings`. Raises `BadAddress`.
    """
    return SftpBackend(SftpSettings.read(url, options))
