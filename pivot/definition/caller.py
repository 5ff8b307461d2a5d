"""Whose doing an event is: the project's own code, or a library that is being imported."""

from types import FrameType

from pivot.definition.ownership import Ownership

_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"


def own_caller(frame: FrameType | None, own: Ownership) -> FrameType | None:
    """The nearest frame of own code outwards from `frame`, or None if it isn't own code's doing.

    An import stands between a library's top-level code and the project's `import` statement: what
    happens inside is the library's. So is the search through the metadata of all distributions
    (for plugins), whose identity is evidence in itself.
    """
    while frame is not None:
        code = frame.f_code
        if own.is_own(code.co_filename):
            return frame
        if code.co_filename == _IMPORT_SYSTEM and code.co_name == "_find_and_load":
            return None
        if str(frame.f_globals.get("__name__", "")).startswith("importlib.metadata"):
            return None
        frame = frame.f_back
    return None
