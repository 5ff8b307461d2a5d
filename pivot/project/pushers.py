"""As which project a clone pushes, and for which ones it can tell what they need."""

import os

from pivot.git.addresses import addresses, common_folder, folder_of, host_and_path
from pivot.project.project import Project
from pivot.store.pushers import Pusher

_USUAL = "origin"


def pusher_of(project: Project) -> Pusher:
    """The project that is noted where this clone pushes: that of `origin`, or its only remote."""
    repository = project.repository
    if repository is None:
        return _local(project.root, "")
    inside = os.path.relpath(project.root, repository.workdir)
    folder = "" if inside == os.curdir else inside.replace(os.sep, "/")
    found = addresses(repository)
    if _USUAL in found or len(found) == 1:
        return _cloned(found.get(_USUAL) or next(iter(found.values())), repository.workdir, folder)
    return _local(common_folder(repository), folder)


def spoken_for(project: Project) -> frozenset[Pusher]:
    """The projects whose refs this clone has: those of all its Git remotes, and itself."""
    repository = project.repository
    own = {pusher_of(project)}
    if repository is not None:
        folder = next(iter(own)).folder
        own |= {
            _cloned(address, repository.workdir, folder)
            for address in addresses(repository).values()
        }
        own.add(_local(common_folder(repository), folder))
    else:
        own.add(_local(project.root, ""))
    return frozenset(own)


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
