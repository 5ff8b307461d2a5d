"""What is known of an object that a module's code works with, without running that code."""

from enum import StrEnum, auto
from typing import Final


class Tag(StrEnum):
    """Kinds of objects; `what` of a value depends on it."""

    UNKNOWN = auto()
    NULL = auto()  # of the interpreter: no object
    KNOWN = auto()  # a literal, or what literals give: itself
    LIST = auto()  # a new list or tuple of anything
    MAPPING = auto()  # a new dictionary with literal keys
    CODE = auto()  # the code object
    FUNCTION = auto()  # the code object
    DESCRIPTOR = auto()  # what a decorator of the language makes of a function: its name
    CLASS = auto()  # one that does nothing when others are derived from it: its `Body`, or None
    DATACLASS = auto()  # what makes data classes
    FIELD = auto()  # a field of one: whether it has a default
    TYPE = auto()  # an annotation such as `list[int]`
    BUILTIN = auto()  # its name
    MODULE = auto()  # one of the project's
    LIBRARY = auto()  # `module`, or `module:name.attribute`
    DECORATOR = auto()  # what gives a function for a function
    PATH = auto()  # a `pathlib.Path`
    FILE = auto()  # `__file__`, a text
    METHOD = auto()  # of a text: both
    BUILDER = auto()  # `__build_class__`
    ANNOTATIONS = auto()
    MODULE_NAME = auto()  # `__name__`
    FALSE = auto()  # a condition that doesn't hold in an imported module


type Value = tuple[Tag, object]
"""An object as far as it is known: its kind, and what that is about."""

UNKNOWN: Final = (Tag.UNKNOWN, None)
NULL: Final = (Tag.NULL, None)
TYPE: Final = (Tag.TYPE, None)
LIST: Final = (Tag.LIST, None)
MAPPING: Final = (Tag.MAPPING, None)
FALSE: Final = (Tag.FALSE, None)
CLASS: Final = (Tag.CLASS, None)
DECORATOR: Final = (Tag.DECORATOR, None)
MODULE: Final = (Tag.MODULE, None)
PATH: Final = (Tag.PATH, None)
MUTABLE: Final = (list, dict, set)


def member(of: str, name: str) -> str:
    """How a name in a library is written, or an attribute of one."""
    return f"{of}.{name}" if ":" in of else f"{of}:{name}"
