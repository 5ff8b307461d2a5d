"""Storage in this process whose objects a test may look at, copy and spoil."""

import threading
import time

from pivot_remotes.backend import Capabilities, ObjectInfo
from pivot_remotes.errors import NotFound, Truncated
from pivot_remotes.keys import check_key, check_prefix
from pivot_remotes.landing import blocks, new_file, source_file

CAPABILITIES = Capabilities(
    can_list=True, can_write=True, atomic_put=True, ranges=True, delete_size=1000
)


class Storage:
    """A backend over the dictionary `objects`; `now` is its clock."""

    address = "memory"
    capabilities = CAPABILITIES

    def __init__(self, objects=(), now=time.time):
        self.objects = dict(objects)
        self.now = now
        self.times = dict.fromkeys(self.objects, now())
        self.lock = threading.Lock()

    def list(self, prefix):
        folder = check_prefix(prefix)
        below = f"{folder}/" if folder else ""
        with self.lock:
            return [
                ObjectInfo(key, len(data), self.times.get(key))
                for key, data in sorted(self.objects.items())
                if key.startswith(below)
            ]

    def get(self, key):
        try:
            return self.objects[check_key(key)]
        except KeyError:
            raise NotFound(f"{key} isn't in {self.address}") from None

    def get_range(self, key, start, length):
        data = self.get(key)[start : start + length]
        if len(data) < length:
            raise Truncated(f"{key} in {self.address} ends before byte {start + length}")
        return data

    def get_file(self, key, path, limit=None):
        data = self.get(key)
        with new_file(path, limit) as write:
            write(data)

    def put(self, key, data):
        with self.lock:
            self.objects[check_key(key)] = bytes(data)
            self.times[key] = self.now()

    def put_file(self, key, path):
        with source_file(path) as file:
            data = b"".join(blocks(file))
        self.put(key, data)

    def delete(self, key):
        with self.lock:
            self.objects.pop(check_key(key), None)

    def delete_all(self, keys):
        for key in [check_key(key) for key in keys]:
            self.delete(key)
