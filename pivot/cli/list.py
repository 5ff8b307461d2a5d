"""`pivot list`: the stages as they are defined."""

from collections.abc import Iterator

import click

from pivot.cli.terminal import emit, json_option, open_project, say, table
from pivot.definition.stage import Stage
from pivot.graph import Graph
from pivot.project.planner import Planner


@click.command("list")
@click.option("--deps", is_flag=True, help="Show what each stage reads and writes, too.")
@json_option
def list_(deps: bool, as_json: bool) -> None:
    """List the stages, in an order in which they could run."""
    with open_project() as project:
        graph = Planner(project).graph
        stages = list(graph.stages.values())
        if as_json:
            emit({"stages": [_stage_json(stage) for stage in stages]})
        elif deps:
            for stage in stages:
                say(stage.name)
                table(list(_rows(stage, graph)), indent="  ")
        else:
            table([(stage.name, f"{stage.file}:{stage.line}") for stage in stages])
            if not stages:
                say("No stages.")


def _rows(stage: Stage, graph: Graph) -> Iterator[tuple[str, str]]:
    """What a stage reads and writes, a kind and a path each."""
    for dep in stage.deps:
        makers = ", ".join(maker.stage for maker in graph.producers[stage.name][dep])
        yield "dep", f"{dep}  (from {makers})" if makers else dep
    for out in stage.outs:
        yield out.kind, out.path
    for entry in stage.extra:
        yield "code", entry


def _stage_json(stage: Stage) -> dict[str, object]:
    return {
        "stage": stage.name,
        "deps": list(stage.deps),
        "outs": [{"path": out.path, "kind": out.kind} for out in stage.outs],
        "params": stage.params,
        "mutex": list(stage.mutex),
        "tags": list(stage.tags),
        "extra_code": list(stage.extra),
        "version": stage.version,
        "file": stage.file,
        "line": stage.line,
    }
