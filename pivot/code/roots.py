"""What a fingerprint starts from: the stage's function, and the symbols of `extra_code=`."""

from collections.abc import Iterable

from pivot.code.findings import MODULE
from pivot.code.modules import Modules
from pivot.code.source.uses import Reference
from pivot.code.targets import SymbolId
from pivot.errors import DefinitionError, nearest


def find_root(modules: Modules, symbol: str) -> SymbolId:
    """The symbol that `package.module:qualname` names; a method's is that of its class.

    Raises `DefinitionError` where there is no such module or name.
    """
    name, _, qualname = symbol.partition(":")
    module = modules.get(name)
    if module is None:
        raise DefinitionError(
            f"module {name!r} of {symbol!r} was not found",
            why="no source file of the project has that name",
        )
    top = qualname.partition(".")[0]
    if top not in module.symbols:
        raise DefinitionError(f"{module.file} does not define {top!r}")
    return SymbolId(name, top)


def find_extra(
    modules: Modules, root: str, entries: Iterable[str]
) -> tuple[list[SymbolId], list[str]]:
    """The symbols, and the modules as a whole, that entries `package.module:name` stand for.

    A name that a module imports stands for what it imports. `root`, the stage's function, is for
    messages. Raises `DefinitionError` where there is no such thing in the project.
    """
    symbols: dict[SymbolId, None] = {}
    whole: dict[str, None] = {}
    for entry in entries:
        name, _, qualname = entry.partition(":")
        module = modules.get(name)
        if module is None:
            raise _unusable(
                root,
                entry,
                f"no source file of the project is module {name!r}",
                "Packages count by version; for other code name a file: `extra_code=[...]`",
            )
        if qualname == MODULE:
            whole[name] = None
            continue
        top = qualname.partition(".")[0]
        targets = modules.resolve(module, Reference((top,), 0))
        symbols.update(dict.fromkeys(targets.symbols))
        whole.update(dict.fromkeys(targets.modules))
        if not (targets.symbols or targets.modules):
            near = nearest(top, module.symbols)
            hint = f'Did you mean "{name}:{near}"?' if near else f"See what {module.file} defines"
            raise _unusable(root, entry, f"{module.file} does not define {top!r}", hint)
    return list(symbols), list(whole)


def _unusable(root: str, entry: str, why: str, hint: str) -> DefinitionError:
    return DefinitionError(f"extra_code {entry!r} of {root} can't be used", why=why, hint=hint)
