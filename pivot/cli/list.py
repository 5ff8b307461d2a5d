"""`pivot list`: the stages as they are defined."""

import click

from pivot.cli.terminal import emit, json_option, open_project, say, table
from pivot.definition.stage import Stage
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
                for dep in stage.deps:
                    makers = graph.producers[stage.name][dep]
                    origin = f"  (from {', '.join(m.stage for m in makers)})" if makers else ""
                    say(f"  dep  {dep}{origin}")
                for out in stage.outs:
                    say(f"  {out.kind:4} {out.path}")
        else:
            table([(stage.name, f"{stage.file}:{stage.line}") for stage in stages])


def _stage_json(stage: Stage) -> dict[str, object]:
    return {
        "stage": stage.name,
        "deps": list(stage.deps),
        "outs": [{"path": out.path, "kind": out.kind} for out in stage.outs],
        "params": stage.params,
        "mutex": list(stage.mutex),
        "tags": list(stage.tags),
        "file": stage.file,
        "line": stage.line,
    }
