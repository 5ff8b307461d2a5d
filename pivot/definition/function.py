"""Which functions can be stages: those that another process finds again by module and name."""

from types import CodeType, FunctionType

from pivot.definition.declaration import Function, location
from pivot.errors import DefinitionError

_TO_MODULE_LEVEL = "Move the function to the top level of a module"
_TO_PARAMETERS = (
    "Move the function to the top level of a module, and pass what it captures as Pydantic "
    "parameters: `@stage(params=...)`"
)

# Bits of `co_flags`: https://docs.python.org/3/library/inspect.html#code-objects-bit-flags
# (importing `inspect` would cost every stage module several milliseconds).
_VARKEYWORDS = 0x08
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


def check_function(function: object, name: str | None, *, takes_params: bool) -> FunctionType:
    """The function, if a worker process can find and call it.

    Args:
        function: what `@stage` was put on.
        name: the stage's own name, if it was given one; used in messages.
        takes_params: whether the stage has parameters, which are passed as `params`.

    Raises:
        DefinitionError: it is no function, can't be found again by its module and name, or can't
            be called as a stage is.
    """
    if not isinstance(function, FunctionType):
        raise _not_a_function(function, name)
    stage = name or function.__name__
    _check_place(function, stage)
    _check_kind(function, stage)
    _check_signature(function, stage, takes_params=takes_params)
    return function


def _not_a_function(function: object, name: str | None) -> DefinitionError:
    kind = type(function).__name__
    if isinstance(function, type):
        what = f"{function.__qualname__} is a class"
    else:
        what = f"an object of type {kind} is no function with a module and a name"
    return DefinitionError(
        f"stage {name or getattr(function, '__name__', kind)!r} can't be defined",
        why=f"Could not pickle the task to send it to the workers: {what}",
        hint="Put `@stage` on a plain function at the top level of a module",
    )


def _refused(function: Function, stage: str, why: str, hint: str) -> DefinitionError:
    return DefinitionError(
        f"stage {stage!r} can't be defined", why=f"{why} ({location(function)})", hint=hint
    )


def _check_place(function: FunctionType, stage: str) -> None:
    """Refuse what a fresh interpreter could not find by importing the module."""
    qualname = function.__qualname__
    if function.__name__ == "<lambda>":
        why = "Can't pickle <lambda>: a lambda has no name by which a worker could find it"
        raise _refused(function, stage, why, "Write it as a `def` at the top level of a module")
    if "<locals>" in qualname:
        raise _refused(function, stage, _nested(function), _TO_PARAMETERS)
    if function.__module__ == "__main__":
        why = (
            f"Can't get attribute '{qualname}' on <module '__main__'>: in a worker process "
            "another program is __main__"
        )
        hint = "Move the function to the top level of `pipeline.py` and run `pivot repro`"
        raise _refused(function, stage, why, hint)
    if "." in qualname:
        why = f"{qualname} is defined inside a class"
        raise _refused(function, stage, why, _TO_MODULE_LEVEL)


def _nested(function: FunctionType) -> str:
    captured = ", ".join(function.__code__.co_freevars)
    outer = function.__qualname__.partition(".<locals>")[0]
    what = f"it is defined inside {outer}"
    if captured:
        what += f" and captures {captured}"
    return f"Could not pickle the task to send it to the workers: {what}"


def _check_kind(function: FunctionType, stage: str) -> None:
    """Refuse functions whose call only makes an object and runs nothing of their body."""
    flags = function.__code__.co_flags
    if flags & (_COROUTINE | _ASYNC_GENERATOR):
        why = "it is declared with async def, so calling it runs nothing"
        hint = "Make it a plain `def` that calls `asyncio.run(...)`"
        raise _refused(function, stage, why, hint)
    if flags & _GENERATOR:
        why = "it is a generator (it contains yield), so calling it runs nothing"
        raise _refused(function, stage, why, "Move the `yield` into a function that it calls")


def _check_signature(function: FunctionType, stage: str, *, takes_params: bool) -> None:
    # A wrapper's own signature is what will be called, not that of the function it wraps.
    code = function.__code__
    required = [name for name in _required(function, code) if name != "params"]
    if required:
        why = f"nothing gives a value to its argument {required[0]!r}"
        hint = "Remove the argument, or take it from Pydantic parameters: `@stage(params=...)`"
        raise _refused(function, stage, why, hint)
    if takes_params and not _accepts_params(code):
        why = "it has parameters, but the function takes no argument named params"
        raise _refused(
            function, stage, why, f"Add the argument: `def {function.__name__}(params): ...`"
        )
    if not takes_params and "params" in _required(function, code):
        why = "it takes params, but the stage declares none"
        hint = "Declare them with a Pydantic model: `@stage(params=Model)`"
        raise _refused(function, stage, why, hint)


def _required(function: FunctionType, code: CodeType) -> list[str]:
    positional = code.co_varnames[: code.co_argcount]
    defaults = len(function.__defaults__ or ())
    keyword = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    given = function.__kwdefaults__ or {}
    return [*positional[: len(positional) - defaults], *(k for k in keyword if k not in given)]


def _accepts_params(code: CodeType) -> bool:
    if code.co_flags & _VARKEYWORDS:
        return True
    named = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    return "params" in named
