"""Why a lock doesn't hold in a world: data, never text to be parsed. Pure.

The world may be the disk or a commit: the same lines skip, restore and verify.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from pivot.hashing import Json
from pivot.lock.declared import Declared
from pivot.lock.lock import Lock
from pivot.lock.observed import ANY
from pivot.outputs import OutSpec
from pivot.paths import RepoPath
from pivot.store.content import Content
from pivot.survey import World


class ReasonKind(StrEnum):
    """What kind of thing changed; the words of `status --json`."""

    NEVER_RUN = "never_run"
    CODE = "code"
    SCHEME = "scheme"
    OBSERVED = "observed"
    PARAMS = "params"
    ENV = "env"
    DEP = "dep"
    DECLARATION = "declaration"
    OUT = "out"
    UPSTREAM = "upstream"
    PACKAGE = "package"
    MERGED = "merged"
    FORCED = "forced"
    ALWAYS = "always"


class Reason(NamedTuple):
    """One difference. `what` is a symbol, path or dotted name; None stands for absent."""

    kind: ReasonKind
    what: str
    old: str | None = None
    new: str | None = None
    file: RepoPath | None = None
    line: int | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "what": self.what,
            "old": self.old,
            "new": self.new,
            "file": self.file,
            "line": self.line,
        }


def explain(lock: Lock | None, world: World) -> tuple[Reason, ...]:
    """Why `lock` doesn't hold in `world`; no reasons: it holds."""
    if lock is None:
        return (Reason(ReasonKind.NEVER_RUN, "lock"),)
    old, new = lock.declared, world.declared
    reasons = (
        *(_code(old.code, world) if old.scheme == new.scheme else _scheme(old, new)),
        *_texts(ReasonKind.PACKAGE, old.packages, new.packages),
        *_params(old.params, new.params),
        *_texts(ReasonKind.ENV, old.env, new.env),
        *_declaration(old, new),
        *_deps(lock.deps, world),
        *_observed(lock, world),
    )
    if not reasons and not old.is_as(new):
        # e.g. params {"a.b": 1} and {"a": {"b": 1}}, which people write alike
        return (Reason(ReasonKind.DECLARATION, "key", str(old.static_key), str(new.static_key)),)
    return reasons


def _scheme(old: Declared, new: Declared) -> Iterator[Reason]:
    """Hashes of different schemes can't be compared: nothing is known of the code."""
    yield Reason(ReasonKind.SCHEME, "scheme", str(old.scheme), str(new.scheme))


def _code(old: Mapping[str, str], world: World) -> Iterator[Reason]:
    new = world.declared.code
    if old == new:
        return
    for symbol in sorted(old.keys() | new.keys()):
        if old.get(symbol) != new.get(symbol):
            at = world.locations.get(symbol)
            file, line = (at.file, at.line) if at else (None, None)
            yield Reason(ReasonKind.CODE, symbol, old.get(symbol), new.get(symbol), file, line)


def _texts(kind: ReasonKind, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Reason]:
    if old == new:
        return
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Reason(kind, name, old.get(name), new.get(name))


def _params(old: Mapping[str, Json] | None, new: Mapping[str, Json] | None) -> Iterator[Reason]:
    if not (old or new) and (old is None) == (new is None):
        return
    flat_old, flat_new = (
        {name: as_text(value) for name, value in leaves(params or {})} for params in (old, new)
    )
    yield from _texts(ReasonKind.PARAMS, flat_old, flat_new)
    if not (flat_old or flat_new) and (old is None) != (new is None):
        yield Reason(ReasonKind.DECLARATION, "params")


def leaves(value: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, Json]]:
    """Dotted names of the leaves of parameters, with their values."""
    for name, item in value.items():
        if isinstance(item, dict) and item:
            yield from leaves(item, f"{prefix}{name}.")
        else:
            yield prefix + name, item


def as_text(value: Json) -> str:
    """A parameter's value as people write it: it tells 1 from 1.0 and "1"."""
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case list():
            return "[" + ", ".join(map(as_text, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{k}: {as_text(v)}" for k, v in sorted(value.items())) + "}"
        case _:
            return repr(value)


def _declaration(old: Declared, new: Declared) -> Iterator[Reason]:
    if old.version != new.version:
        yield Reason(ReasonKind.DECLARATION, "version", _salt(old.version), _salt(new.version))
    if old.cwd != new.cwd:
        yield Reason(ReasonKind.DECLARATION, "cwd", old.cwd, new.cwd)
    if (old.outs, old.deps) == (new.outs, new.deps):
        return
    outs_old, outs_new = _kinds(old.outs), _kinds(new.outs)
    yield from _texts(ReasonKind.DECLARATION, outs_old, outs_new)
    yield from _texts(
        ReasonKind.DECLARATION, dict.fromkeys(old.deps, "dep"), dict.fromkeys(new.deps, "dep")
    )


def _salt(version: int | str | None) -> str | None:
    return None if version is None else as_text(version)


def _kinds(outs: tuple[OutSpec, ...]) -> dict[str, str]:
    return {out.path: str(out.kind) for out in outs}


def _deps(old: Mapping[RepoPath, Content], world: World) -> Iterator[Reason]:
    for path in sorted(old.keys() & world.deps.keys()):
        before, now = old[path], world.deps[path]
        if now is None or not same(before, now):
            yield Reason(ReasonKind.DEP, path, content_text(before), content_text(now))


def same(one: Content, other: Content) -> bool:
    """Whether two contents are the same bytes of the same type.

    Nothing else of a content counts: its recipe is only how the bytes are kept.
    """
    return one.id == other.id and one.type == other.type


def content_text(content: Content | None) -> str | None:
    """A content in a reason: its id; an executable file's differs from a plain one's."""
    if content is None:
        return None
    return f"{content.id}+x" if content.type == "x" else str(content.id)


def _observed(lock: Lock, world: World) -> Iterator[Reason]:
    """What was observed and differs; code only where its hashes can be compared."""
    is_comparable = lock.declared.scheme == world.declared.scheme
    for what, value in lock.observed.entries():
        now = world.seen.get(what)
        if now in (value, ANY):
            continue
        kind, _, name = what.partition(":")
        if kind == "package":
            yield Reason(ReasonKind.PACKAGE, name, value, now)
        elif kind != "code":
            yield Reason(ReasonKind.OBSERVED, what, value, now)
        elif is_comparable:
            at = world.locations.get(name)
            file, line = (at.file, at.line) if at else (None, None)
            yield Reason(ReasonKind.OBSERVED, what, value, now, file, line)
