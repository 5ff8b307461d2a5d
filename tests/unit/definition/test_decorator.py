import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from pivot import IncrementalOut, Metric, Out, Plot, stage
from pivot.definition.declaration import collecting
from pivot.errors import DefinitionError


class Params(BaseModel):
    rate: float = 0.1


def plain():
    return "ran"


def takes_params(params):
    return params


async def coroutine(): ...


def generator():
    yield 1


def needs_argument(path): ...


def posonly(params, /): ...


def through_wrapper(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@through_wrapper
def wrapped(): ...


class Holder:
    @staticmethod
    def method(): ...


def closure(threshold):
    def process():
        return threshold

    return process


def refusal(*args, on=plain, **kwargs):
    with pytest.raises(DefinitionError) as caught:
        stage(*args, **kwargs)(on)
    assert caught.value.hint
    return f"{caught.value.message}: {caught.value.why}"


def declared(*args, on=plain, **kwargs):
    with collecting() as found:
        assert stage(*args, **kwargs)(on) is on
    (declaration,) = found
    return declaration


def test_function_is_returned_unchanged_and_nothing_is_kept_outside_of_loading():
    assert stage(deps=["a"], outs=["b"])(plain) is plain
    with collecting() as found:
        pass
    assert found == []


def test_name_is_the_functions_unless_given():
    assert declared(deps=["a"]).name == "plain"
    assert declared(deps=["a"], name="other").name == "other"


def test_outputs_of_all_kinds_are_kept_and_bare_paths_are_plain_outputs():
    outs = ["a", Path("b"), Out("c"), Metric("d"), Plot("e"), IncrementalOut("f")]
    assert declared(outs=outs).outs == (
        Out("a"),
        Out("b"),
        Out("c"),
        Metric("d"),
        Plot("e"),
        IncrementalOut("f"),
    )


def test_paths_may_be_pathlib_objects():
    found = declared(deps=[Path("a") / "b"], cwd=Path("sub"))
    assert (found.deps, found.cwd) == (("a/b",), "sub")


def test_mutex_groups_are_sorted_without_duplicates():
    assert declared(mutex=["gpu", "*", "gpu"]).mutex == ("*", "gpu")


@pytest.mark.parametrize("params", [Params, Params(rate=0.5)])
def test_params_may_be_a_class_or_an_instance(params):
    assert declared(params=params, on=takes_params).params is params


def test_several_stages_may_share_a_function():
    with collecting() as found:
        for name in ("a", "b"):
            stage(name=name)(plain)
    assert [d.name for d in found] == ["a", "b"]


def test_wrapped_function_is_located_where_it_was_written():
    line = wrapped.__wrapped__.__code__.co_firstlineno
    assert declared(on=wrapped).location == f"{__file__}:{line}"


def test_lambda_is_refused():
    assert "Can't pickle <lambda>" in refusal(deps=["x"], name="process", on=lambda: None)
    assert "'process'" in refusal(name="process", on=lambda: None)


def test_closure_is_refused_with_what_it_captures():
    text = refusal(on=closure(3))
    assert "stage 'process'" in text
    assert "Could not pickle the task to send it to the workers" in text
    assert "captures threshold" in text


def of_main():
    pass


def test_function_of_main_is_refused(monkeypatch):
    monkeypatch.setattr(of_main, "__module__", "__main__")
    assert "Can't get attribute 'of_main' on <module '__main__'>" in refusal(on=of_main)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (coroutine, "async def"),
        (generator, "generator"),
        (needs_argument, "'path'"),
        (takes_params, "declares none"),
        (Holder.method, "inside a class"),
        (functools.partial(plain), "partial"),
        (print, "builtin"),
        (Params, "is a class"),
        (object(), "object"),
    ],
)
def test_what_a_worker_could_not_call_is_refused(function, reason):
    assert reason in refusal(on=function)


@pytest.mark.parametrize("function", [plain, posonly])
def test_function_that_can_not_take_its_params_is_refused(function):
    assert "params" in refusal(params=Params, on=function)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"deps": "data.csv"}, "one item"),
        ({"outs": Out("a")}, "one item"),
        ({"outs": Path("a")}, "one item"),
        ({"mutex": "gpu"}, "one item"),
        ({"deps": {"a", "b"}}, "order"),
        ({"deps": [3]}, "not a path"),
        ({"deps": [b"a"]}, "not a path"),
        ({"deps": [Out("a")]}, "is an output"),
        ({"outs": [None]}, "not a path"),
        ({"outs": [Out(3)]}, "not a path"),
        ({"mutex": [3]}, "no group name"),
        ({"mutex": [" "]}, "no group name"),
        ({"name": ""}, "no name"),
        ({"name": 3}, "no name"),
        ({"cwd": 3}, "not a path"),
        ({"params": {"rate": 1}}, "no Pydantic model"),
        ({"params": int}, "no Pydantic model"),
    ],
)
def test_arguments_of_the_wrong_type_are_refused(arguments, reason):
    on = takes_params if "params" in arguments else plain
    text = refusal(on=on, **arguments)
    assert reason in text
    assert "stage " in text


def test_decorator_without_parentheses_is_refused():
    with pytest.raises(DefinitionError, match="parentheses"):
        stage(plain)


def test_declaring_imports_neither_pydantic_nor_yaml():
    code = (
        "import sys; from pivot import stage, Out\n"
        "import pivot.definition.definitions\n"
        "heavy = {'pydantic', 'yaml', 'pygit2', 'subprocess', 'asyncio', 'importlib.metadata'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_extra_code_is_named_by_text_path_or_itself():
    found = declared(
        extra_code=["pkg.mod:name", "pkg:<module>", "sql/q.sql", Path("d"), plain, Holder, json]
    ).extra_code
    here = __name__
    assert found == (
        "pkg.mod:name", "pkg:<module>", "./sql/q.sql", "./d", f"{here}:plain", f"{here}:Holder",
        "json:<module>",
    )  # fmt: skip


def test_a_method_stands_for_its_class_and_a_wrapped_function_for_itself():
    assert declared(extra_code=[Holder.method, wrapped]).extra_code == (
        f"{__name__}:Holder",
        f"{__name__}:wrapped",
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("q.sql", "it is one item"),
        (plain, "it is one item"),
        (json, "it is one item"),
        ({"a"}, "whose order may differ"),
        ([closure(1)], "isn't found by its name"),
        ([lambda: 1], "isn't found by its name"),
        ([functools.partial(plain)], "neither a path nor code that has a name"),
        ([3], "neither a path nor code that has a name"),
        ([""], "neither a path nor code that has a name"),
        ([b"q.sql"], "neither a path nor code that has a name"),
    ],
)
def test_extra_code_that_names_nothing_is_refused(value, why):
    assert why in refusal(extra_code=value)


@pytest.mark.parametrize("value", [1, 0, "a", ""])
def test_a_version_is_a_number_or_text(value):
    assert declared(version=value).version == value


@pytest.mark.parametrize("value", [True, 1.5, [1], b"1"])
def test_another_version_is_refused(value):
    assert "neither a whole number nor text" in refusal(version=value)
