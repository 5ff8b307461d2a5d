"""A lock as a value, and as the canonical JSON of its file.

A lock is canonical JSON, the same bytes on every machine for the same run: fixed order of fields,
maps sorted by code point, one entry a line, no times, hosts or absolute paths. Its last line is a
hash of all lines above, so that two changed locks always conflict in a text merge instead of
merging into a lie. Example, with ids shortened:

    {
      "format": 1,
      "stage": "train",
      "root": "pipeline:train",
      "scheme": 1,
      "key": "0f8c…",
      "code": {
        "features.scaling:scale": "5995…",
        "pipeline:train": "a1b2…"
      },
      "packages": {
        "pandas": "2.3.3",
        "python": "3.13"
      },
      "params": {
        "depth": 4
      },
      "secrets": [],
      "env": {},
      "cwd": ".",
      "deps": [
        {"path": "train.csv", "type": "f", "id": "9f2c…", "size": 9103}
      ],
      "outs": [
        {"path": "model.pkl", "kind": "out", "type": "f", "id": "77ab…", "size": 20410}
      ],
      "sources": "77f0…",
      "observed": {"code": {}, "env": {}, "files": {}},
      "check": "c0de…"}
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pivot.hashing import Json, ObjectId
from pivot.lock.code import CodeHashes, code_text, find_code, text_digest, without_code
from pivot.lock.declared import Declared
from pivot.lock.fields import Fields, content_row, read_content
from pivot.lock.observed import Observed as Observed
from pivot.lock.sealed import NewerLockError as NewerLockError
from pivot.lock.sealed import UnreadableLockError as UnreadableLockError
from pivot.lock.sealed import seal, unseal
from pivot.outputs import OutKind, OutSpec
from pivot.paths import RepoPath, StageName
from pivot.store.content import Content

FORMAT = 1
CHECK_CONTEXT = "pivot lock check 1"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock, as a value.

    Attributes:
        extra: what `extra_code` names: symbols, and files as `./path`, which `code` has in full.
        previous: what the incremental outs of a run started from; other locks have none.
        sources: how the code was written that ran (`ProjectCode.text`), so that it can be
            known again where hashes are of another scheme; empty if nobody noted it.
        recorded: it was taken from the workspace by `pivot record`: no run was seen to make it.
    """

    stage: StageName
    root: str
    declared: Declared
    deps: Mapping[RepoPath, Content]
    outs: Mapping[RepoPath, Content]
    secrets: tuple[str, ...] = ()
    observed: Observed = field(default_factory=Observed)
    previous: Mapping[RepoPath, Content] = field(default_factory=dict)
    sources: str = ""
    extra: tuple[str, ...] = ()
    recorded: bool = False

    @property
    def key(self) -> ObjectId:
        return self.declared.key(self.deps)

    @property
    def is_action(self) -> bool:
        """Whether its outs may be restored for another run with the same key.

        An out that was added to isn't a function of the key, and nothing can be restored from a
        stage without outs.
        """
        kinds = {out.kind for out in self.declared.outs}
        return bool(kinds) and OutKind.INCREMENTAL not in kinds

    def encode(self) -> bytes:
        """The lock file's bytes."""
        declared = self.declared
        fields: list[tuple[str, str]] = [
            ("format", str(FORMAT)),
            ("stage", _inline(self.stage)),
            ("root", _inline(self.root)),
            *([("extra", _inline(list(self.extra)))] if self.extra else ()),
            ("scheme", str(declared.scheme)),
            *([("version", _inline(declared.version))] if declared.version is not None else ()),
            ("key", _inline(self.key.hex())),
            ("code", code_text(declared.code)),
            ("packages", _lines(declared.packages)),
            ("params", "null" if declared.params is None else _lines(declared.params)),
            ("secrets", _inline(list(self.secrets))),
            ("env", _lines(declared.env)),
            ("cwd", _inline(declared.cwd)),
            ("deps", _rows([_dep_row(path, self.deps[path]) for path in declared.deps])),
            ("outs", _rows([_out_row(out, self.outs[out.path]) for out in declared.outs])),
        ]
        if self.previous:
            rows = [_dep_row(*item) for item in sorted(self.previous.items())]
            fields.append(("previous", _rows(rows)))
        if self.sources:
            fields.append(("sources", _inline(self.sources)))
        if self.recorded:
            fields.append(("recorded", "true"))
        fields.append(("observed", self.observed.as_text()))
        return seal(fields, CHECK_CONTEXT)


def decode(data: bytes, place: str, code: CodeHashes | None = None) -> Lock:
    """Read a lock file's bytes; `place` names it in messages.

    Where the lock's code is `code`, byte for byte as we write it, it isn't read again: its text
    has the digest of what we would write, so it is what we would read. Any other is read in full.

    Raises `NewerLockError`, or `UnreadableLockError` for anything that isn't exactly what some
    Pivot wrote: conflict markers, a cut-off end, an edited line.
    """
    at = None if code is None else find_code(data)
    if code is not None and at is not None and text_digest(memoryview(data)[at]) == code.digest:
        # What is wrong with the rest is said below, as of any other lock.
        with contextlib.suppress(UnreadableLockError):
            return unseal(
                data,
                place,
                context=CHECK_CONTEXT,
                newest=FORMAT,
                parse=lambda fields: _from_json(fields, code),
                load=lambda data: without_code(data, at),
            )
    return unseal(
        data,
        place,
        context=CHECK_CONTEXT,
        newest=FORMAT,
        parse=lambda fields: _from_json(fields, CodeHashes.of(Fields(fields).texts("code"))),
    )


def _from_json(value: Mapping[str, Json], code: CodeHashes) -> Lock:
    raw = Fields(value)
    deps, outs = _contents(raw, "deps"), _contents(raw, "outs")
    kinds = [OutKind(str(row["kind"])) for row in raw.rows("outs")]
    declared = Declared(
        scheme=raw.number("scheme"),
        code=code,
        packages=raw.texts("packages"),
        params=None if value["params"] is None else raw.mapping("params"),
        env=raw.texts("env"),
        cwd=RepoPath(raw.text("cwd")),
        deps=tuple(deps),
        outs=tuple(map(OutSpec, outs, kinds)),
        version=_version(value),
    )
    lock = Lock(
        stage=StageName(raw.text("stage")),
        root=raw.text("root"),
        declared=declared,
        deps=deps,
        outs=outs,
        secrets=tuple(str(name) for name in raw.items("secrets")),
        observed=Observed.of(Fields(raw.mapping("observed"))),
        previous=_contents(raw, "previous") if "previous" in value else {},
        sources=ObjectId.parse(raw.text("sources")).hex() if "sources" in value else "",
        extra=tuple(str(name) for name in raw.items("extra")) if "extra" in value else (),
        recorded=_is_recorded(value),
    )
    if lock.key.hex() != value["key"]:
        raise ValueError("its key doesn't fit its fields")
    return lock


def _version(value: Mapping[str, Json]) -> int | str | None:
    if "version" not in value:
        return None
    version = value["version"]
    if isinstance(version, int | str) and not isinstance(version, bool):
        return version
    raise TypeError("version is neither a whole number nor text")


def _is_recorded(value: Mapping[str, Json]) -> bool:
    if value.get("recorded", True) is not True:
        raise ValueError("recorded is something else than true")
    return "recorded" in value


def _contents(fields: Fields, name: str) -> dict[RepoPath, Content]:
    return {RepoPath(str(row["path"])): read_content(row) for row in fields.rows(name)}


def _dep_row(path: RepoPath, content: Content) -> dict[str, Json]:
    return {"path": path, **content_row(content)}


def _out_row(out: OutSpec, content: Content) -> dict[str, Json]:
    return {"path": out.path, "kind": out.kind, **content_row(content)}


def _inline(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _sorted(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)


def _lines(mapping: Mapping[str, Json] | Mapping[str, str]) -> str:
    if not mapping:
        return "{}"
    rows = (f"    {_inline(name)}: {_sorted(mapping[name])}" for name in sorted(mapping))
    return "{\n" + ",\n".join(rows) + "\n  }"


def _rows(rows: Iterable[dict[str, Json]]) -> str:
    text = ",\n".join(f"    {_inline(row)}" for row in rows)
    return f"[\n{text}\n  ]" if text else "[]"
