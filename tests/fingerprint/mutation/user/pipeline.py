"""Stages of somebody whose own code is a copy of Pivot, under the name `tivop`.

Each uses a good part of the copy, touches no file and gives plain data, so that two runs of it can
be compared.
"""

from project import SOURCES, Training
from tivop.code.fingerprint import ProjectCode
from tivop.definition.stage import Stage
from tivop.errors import PivotError
from tivop.explain import explain
from tivop.graph import build
from tivop.hashing import hash_bytes
from tivop.lock.declared import Declared
from tivop.lock.lock import Lock, decode
from tivop.outputs import OutKind, OutSpec
from tivop.params import Overrides
from tivop.paths import RepoPath, StageName
from tivop.show import metrics
from tivop.store.content import Content, ContentType
from tivop.survey import World


class InMemory:
    """Sources of a small project."""

    def read(self, path):
        return SOURCES.get(path)

    def is_dir(self, path):
        return any(name.startswith(f"{path}/") for name in SOURCES)


def fingerprints():
    """Analyse a small project."""
    code = ProjectCode(InMemory(), [RepoPath("."), RepoPath("lib")])
    return [_fingerprint(code, root) for root in ("flow:train", "flow:Model.fit", "flow:no")]


def _fingerprint(code, root):
    try:
        found = code.fingerprint(root)
    except PivotError as error:
        return [error.message, error.why, error.hint]
    opaque = [[o.what, o.line] for o in found.opaque]
    return [dict(found.code), dict(found.kinds), sorted(found.modules), opaque]


def locks():
    """Write and read a lock, damage it, and compare it with worlds that differ from it."""
    deps = {RepoPath("raw.csv"): _file(b"raw"), RepoPath("images"): _folder(b"images")}
    outs = (OutSpec(RepoPath("model.pkl"), OutKind.OUT),)
    then = _declared(deps, outs, {"depth": 4, "rate": 0.5, "layers": {"sizes": [3, 4]}})
    lock = Lock(
        stage=StageName("train"),
        root="flow:train",
        declared=then,
        deps=deps,
        outs={RepoPath("model.pkl"): _file(b"model")},
        secrets=("token",),
    )
    data = lock.encode()
    now = _declared(deps, outs, {"depth": 5, "rate": 1.0}, code={"flow:train": "22"})
    moved = {**deps, RepoPath("raw.csv"): _file(b"other"), RepoPath("images"): None}
    return [
        data.decode(),
        decode(data, "train.lock") == lock,
        lock.is_action,
        str(lock.key),
        [_refusal(bad) for bad in (data[:-20], data.replace(b'"4', b'"5'), b"<<<<<<< ours")],
        [reason.to_json() for reason in explain(lock, World(then, deps))],
        [reason.to_json() for reason in explain(lock, World(now, moved))],
        [reason.to_json() for reason in explain(None, World(now, deps))],
    ]


def _file(data):
    return Content(ContentType.FILE, hash_bytes(data), len(data))


def _folder(data):
    return Content(ContentType.DIRECTORY, hash_bytes(data), 9, None, 3)


def _declared(deps, outs, params, code=None):
    return Declared(
        scheme=1,
        code=code or {"flow:train": "11", "flow:RATE": "12"},
        packages={"python": "3.13"},
        params=params,
        env={"SEED": "1"},
        cwd=RepoPath("."),
        deps=tuple(sorted(deps)),
        outs=outs,
    )


def _refusal(data):
    try:
        decode(data, "train.lock")
    except PivotError as error:
        return [type(error).__name__, error.message, error.why, error.hint]
    return None


def graphs():
    """Put stages in order, and be told of circles and overlaps."""
    stages = [
        _stage("evaluate", ["model/weights.bin", "test.csv"], ["scores.json"]),
        _stage("train", ["train.csv"], ["model"]),
        _stage("split", ["raw.csv"], ["train.csv", "test.csv"]),
    ]
    graph = build(stages, [RepoPath("raw.csv")])
    return [
        list(graph.stages),
        {name: graph.upstream(name) for name in graph.stages},
        [list(graph.select(names)) for names in ([], ["train"], ["evaluate"])],
        _complaint(lambda: graph.select(["trian"])),
        _complaint(lambda: build([*stages, _stage("loop", ["scores.json"], ["raw.csv"])])),
        _complaint(lambda: build([*stages, _stage("again", [], ["model/other"])])),
        _complaint(lambda: build(stages, [RepoPath("scores.json")])),
    ]


def _stage(name, deps, outs):
    return Stage(
        name=StageName(name),
        symbol=f"flow:{name}",
        source="flow.py",
        file=RepoPath("flow.py"),
        line=1,
        deps=tuple(map(RepoPath, sorted(deps))),
        outs=tuple(OutSpec(RepoPath(out), OutKind.OUT) for out in sorted(outs)),
        params=None,
        cwd=RepoPath("."),
    )


def _complaint(act):
    try:
        act()
    except PivotError as error:
        return [type(error).__name__, error.message, error.why, error.hint]
    return None


def numbers():
    """Read metrics of each format, compare them, and overlay parameters."""
    old = {"m.json": metrics.parse("m.json", b'{"loss": 0.5, "by": {"class": [1, 2], "n": 3}}')}
    new = {
        "m.json": metrics.parse("m.json", b'{"loss": 0.25, "by": {"n": 3}}'),
        "m.yaml": metrics.parse("m.yaml", b"accuracy: 0.75\n"),
        "m.csv": metrics.parse("m.csv", b"precision,0.5\nname,x\n"),
    }
    overrides = Overrides("params.yaml", {"train": {"rate": 0.1, "dept": 3}, "bad": [1]})
    effective = overrides.effective("train", Training)
    return [
        [change.to_json() for change in metrics.compare(old, new)],
        _complaint(lambda: metrics.parse("m.csv", b"a,b,c\n")),
        _complaint(lambda: metrics.parse("m.json", b"[1]")),
        [effective.values, list(effective.secrets), list(effective.unknown)],
        _complaint(lambda: overrides.effective("bad", Training)),
        _complaint(lambda: Overrides("p", {"t": {"rate": "fast"}}).effective("t", Training)),
    ]
