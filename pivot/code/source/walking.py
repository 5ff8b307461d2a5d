"""One pass over code, with the scopes around each node."""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pivot.code.source.reflection import annotation_parts
from pivot.code.source.scopes import Origin, Place, Scope, Scopes, bound
from pivot.code.source.syntax import BELOW, children

type Inner = Sequence[ast.AST] | None
"""The nodes to go on with; None for all that are right below."""


class ScopedWalk:
    """A walk on an explicit stack of nodes, each with the scopes around it.

    Attributes:
        imports: globals that functions bind by importing them, and from where.
    """

    # By class, since this is asked of every node; all others are gone through as they are.
    ENTER: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any, Scopes], Inner]]] = {}

    def __init__(self, place: Place) -> None:
        self.place = place
        self.imports: dict[tuple[str, Origin], None] = {}
        self._inner: list[tuple[Sequence[ast.AST], Scopes]] = []

    def go(self, nodes: Sequence[ast.AST], special: Iterable[str]) -> None:
        """Walk `nodes`; those of inner scopes come before what else their node gives."""
        enter_of, inner = self.ENTER, self._inner
        scopes = Scopes(special=frozenset(special))
        # Behind the nodes of an inner scope stands a mark to go on with the scopes around it.
        stack: list[ast.AST | None] = [*reversed(nodes)]
        left: list[Scopes] = []
        while stack:
            node = stack.pop()
            if node is None:
                scopes = left.pop()
                continue
            if type(node) is ast.Name and node.id in scopes.hidden:
                continue
            enter = enter_of.get(type(node))
            if enter is None:
                below = BELOW.get(type(node))
                if below is not None:
                    stack += reversed(below(node))
                continue
            found = enter(self, node, scopes)
            if found is None:
                found = children(node)
            if found:
                stack += reversed(found)
            if inner:
                left += (scopes, *(around for _, around in reversed(inner)))
                for within, _ in reversed(inner):
                    stack += (None, *reversed(within))
                stack.append(None)
                inner.clear()

    def visit(self, nodes: Sequence[ast.AST], scopes: Scopes) -> None:
        """Walk `nodes` next, inside of these scopes."""
        self._inner.append((nodes, scopes))

    def function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scopes: Scopes
    ) -> list[ast.AST]:
        """Walk the body in a scope of its own; gives what is evaluated outside of it."""
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [a for a in (arguments.vararg, arguments.kwarg) if a]
        outside: list[ast.AST] = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
        if isinstance(node, ast.Lambda):
            body: list[ast.AST] = [node.body]
            annotations: list[ast.AST] = []
        else:
            body = list(node.body)
            outside += node.decorator_list
            annotations = [part for a in every for part in annotation_parts(a.annotation)]
            annotations += annotation_parts(node.returns)
            if node.type_params:
                scopes = self.with_type_params(node.type_params, scopes)
        scope = bound(body, self.place)
        scope.names.update(a.arg for a in every)
        for name in sorted(scope.from_module & scope.imports.keys()):
            self.imports.update(dict.fromkeys((name, origin) for origin in scope.imports[name]))
        self.visit(annotations, scopes)
        self.visit(body, scopes.within(scope))
        return outside

    def with_type_params(self, params: Sequence[ast.type_param], scopes: Scopes) -> Scopes:
        scope = Scope({name for p in params if (name := getattr(p, "name", None))})
        inner = scopes.within(scope)
        self.visit([child for p in params for child in children(p)], inner)
        return inner

    def class_(self, node: ast.ClassDef, scopes: Scopes) -> list[ast.AST]:
        if node.type_params:
            scopes = self.with_type_params(node.type_params, scopes)
        imports = bound(node.body, self.place).imports
        if imports:
            scopes = scopes.within(Scope(imports=imports, is_open=True))
        self.visit([*node.bases, *node.keywords, *node.body], scopes)
        return list(node.decorator_list)

    def comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        scopes: Scopes,
    ) -> list[ast.AST]:
        first, *others = node.generators
        targets = [generator.target for generator in node.generators]
        scope = bound(targets, self.place)
        inner: list[ast.AST] = [*targets, *first.ifs, *others]
        if isinstance(node, ast.DictComp):
            inner += [node.key, node.value]
        else:
            inner.append(node.elt)
        self.visit(inner, scopes.within(scope))
        return [first.iter]
