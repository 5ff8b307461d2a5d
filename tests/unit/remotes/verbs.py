"""Every verb of a backend as a call, for tests of what all of them must do."""


def calls(backend, tmp_path):
    """A call of each verb about the object or folder `a`; what is read lands in `landed`."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    return [
        lambda: backend.list("a"),
        lambda: backend.get("a"),
        lambda: backend.get_range("a", 0, 1),
        lambda: backend.get_file("a", str(tmp_path / "landed")),
        lambda: backend.put("a", b"x"),
        lambda: backend.put_file("a", str(source)),
        lambda: backend.delete("a"),
    ]
