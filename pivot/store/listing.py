"""What lies in a store's folder, whether an index names it or not."""

import os

from pivot.store.entry import FileName


def packs_on_disk(root: str) -> dict[FileName, int]:
    """The packs in the store at `root`, with their files' sizes in bytes, sorted by name.

    Links, and files of other names, are passed over.
    """
    found: dict[FileName, int] = {}
    for folder, _, files in os.walk(os.path.join(root, "packs")):
        for file in files:
            name = FileName.parse(file.removesuffix(".pack")) if file.endswith(".pack") else None
            path = os.path.join(folder, file)
            if name is not None and not os.path.islink(path):
                found[name] = os.stat(path).st_size
    return dict(sorted(found.items()))
