"""As which project a clone pushes, and for which ones it can tell what they need."""

import os

from pivot.git.addresses import Clone, folder_of, host_and_path
from pivot.store.pushers import Pusher

_USUAL = "origin"


def pusher_of(root: str, clone: Clone | None) -> Pusher:
    """The project that is noted where this clone pushes: that of `origin`, or its only remote."""
    if clone is None:
        return _local(root, "")
    folder = _folder(root, clone)
    found = clone.addresses
    if _USUAL in found or len(found) == 1:
        address = found.get(_USUAL) or next(iter(found.values()))
        return _cloned(address, clone.workdir, folder)
    return _local(clone.common, folder)


def spoken_for(root: str, clone: Clone | None) -> frozenset[Pusher]:
    """The projects whose refs this clone has: those of all its Git remotes, and its own."""
    if clone is None:
        return frozenset({_local(root, "")})
    folder = _folder(root, clone)
    found = clone.addresses.values()
    cloned = {_cloned(address, clone.workdir, folder) for address in found}
    return frozenset(cloned | {_local(clone.common, folder)})


def _folder(root: str, clone: Clone) -> str:
    inside = os.path.relpath(root, clone.workdir)
    return "" if inside == os.curdir else inside.replace(os.sep, "/")


def _cloned(address: str, workdir: str, folder: str) -> Pusher:
    place = host_and_path(address)
    if place is not None:
        return Pusher(place, folder)
    path = address if address.startswith("file://") else os.path.join(workdir, address)
    return _local(_git_folder(folder_of(path)), folder)


def _git_folder(path: str) -> str:
    """A repository's own folder, as `common_folder` tells it: two ways to name it are one."""
    inner = os.path.join(path, ".git")
    return inner if os.path.isdir(inner) else path


def _local(path: str, folder: str) -> Pusher:
    return Pusher(path, folder, os.uname().nodename)
