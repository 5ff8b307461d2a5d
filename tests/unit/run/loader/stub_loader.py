"""Stands in for `pivot.definition.loading`: a stage is a function of the module `source`."""

from importlib import import_module

from pivot.errors import DefinitionError


def prepare_call(*, project, source, stage, symbol, roots, expected_params, ahead):
    if ahead:
        print("ahead:", *sorted(ahead))
    function = getattr(import_module(source), stage, None)
    if function is None:
        raise DefinitionError(f"stage {stage} is gone", why="renamed", hint="Run `pivot repro`")
    if expected_params is None:
        return function
    return lambda: function(**expected_params)
