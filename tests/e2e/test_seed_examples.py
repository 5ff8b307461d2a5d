"""The pages that users start from, as they are written there."""

import subprocess
import sys

import pytest

# What the pages' own examples leave out: a data file, and reading it.
TRAIN = """
from pivot import stage, Out, Metric, Plot

@stage(
    deps=['data.csv'],
    outs=[
        Out('model.pkl'),           # Cached output
        Metric('metrics.json'),     # Git-tracked metrics
        Plot('loss.png'),           # Cached plot
    ]
)
def train():
    for name, text in (('model.pkl', 'm'), ('metrics.json', '{"loss": 0.5}'), ('loss.png', 'p')):
        with open(name, 'w') as f:
            f.write(text)
"""

PARAMETERS = """
from pivot import stage
from pydantic import BaseModel

class TrainParams(BaseModel):
    learning_rate: float = 0.01
    batch_size: int = 32

@stage(deps=['data.csv'], params=TrainParams)
def train(params: TrainParams):
    print(f"Learning rate: {params.learning_rate}")
"""

MUTEX = """
from pivot import stage

@stage(deps=['data.csv'], outs=['gpu_model.pkl'], mutex=['gpu'])
def train_gpu():
    open('gpu_model.pkl', 'w').close()

@stage(deps=['data.csv'], outs=['gpu_model_2.pkl'], mutex=['gpu'])
def train_gpu_2():
    open('gpu_model_2.pkl', 'w').close()

@stage(deps=['data.csv'], name='my_custom_name')
def some_function():
    pass

@stage(deps=['data.csv'], outs=['output.csv'], cwd='subproject/')
def process():
    with open('data.csv') as f, open('output.csv', 'w') as out:
        out.write(f.read())
"""

HELPER = """
from pivot import stage

def load_data():
    with open('data.csv') as f:
        return int(f.read())

def helper(x):
    return x * 2  # Change detected!

@stage(deps=['data.csv'])
def process():
    return helper(load_data())  # Pivot knows helper is used
"""

LAMBDA = """
from pivot import stage
process = stage(deps=['x'], outs=['y'])(lambda: ...)
"""

CLOSURE = """
from pivot import stage

def make_stage(threshold):
    @stage(deps=['x'], outs=['y'])
    def process():
        if value > threshold:  # Captures threshold!
            pass
    return process

make_stage(3)
"""

MAIN = """
from pivot import stage

@stage(deps=['x'], outs=['z'])
def importable():
    pass

if __name__ == '__main__':
    @stage(deps=['x'], outs=['y'])
    def my_stage():  # Can't be pickled!
        pass
"""


@pytest.fixture
def page(empty):
    def make(text):
        empty.write("data.csv", "21")
        empty.write("x", "1")
        empty.write("pipeline.py", text)
        return empty

    return make


def test_outputs_of_every_kind_are_kept_and_only_metrics_are_in_git(page):
    project = page(TRAIN)
    assert project.pivot("repro").statuses == {"train": "ran"}
    assert project.pivot("repro").statuses == {"train": "unchanged"}
    shown = project.git("status", "--short", "--untracked-files=all")
    assert "metrics.json" in shown
    assert "model.pkl" not in shown
    assert "loss.png" not in shown


def test_parameters_are_overridden_by_the_file(page):
    project = page(PARAMETERS)
    project.pivot("repro")
    project.write("params.yaml", "train:\n  learning_rate: 0.001\n")
    out = project.pivot("status", "--explain").out
    assert "param:learning_rate\n      Old: 0.01\n      New: 0.001\n" in out
    project.pivot("repro")
    logs = [log.read_text() for log in sorted(project.path.glob(".pivot/runs/*/logs/train.log"))]
    assert sorted(logs) == ["Learning rate: 0.001\n", "Learning rate: 0.01\n"]


def test_mutex_name_and_cwd(page):
    project = page(MUTEX)
    project.write("subproject/data.csv", "1")
    assert set(project.pivot("repro").statuses) == {
        "train_gpu", "train_gpu_2", "my_custom_name", "process"
    }  # fmt: skip
    assert project.read("subproject/output.csv") == "1"
    assert set(project.pivot("repro").statuses.values()) == {"unchanged"}


def test_changed_helper_is_detected_for_a_stage_without_outs(page):
    project = page(HELPER)
    project.pivot("repro")
    assert project.pivot("repro").statuses == {"process": "unchanged"}
    project.replace("pipeline.py", "x * 2", "x * 3")
    assert project.pivot("repro").statuses == {"process": "ran"}


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [(LAMBDA, "<lambda>", "lambda"), (CLOSURE, "process", "nested")],
    ids=["lambda", "closure"],
)
def test_function_that_no_other_process_can_find_is_refused(page, text, name, reason):
    project = page(text)
    for command in ("repro", "status", "list"):
        done = project.pivot(command, code=2)
        error, why, hint = done.err.splitlines()
        assert error.startswith(f"error: stage '{name}'"), done.err
        assert why.startswith("  why: ")
        assert hint.startswith("hint: ")
        assert done.out == ""


def test_stage_below_the_main_guard_is_refused_when_the_file_is_run(page):
    project = page(MAIN)
    assert project.pivot("list").out == "importable  pipeline.py:3\n"
    done = subprocess.run(
        [sys.executable, "pipeline.py"], cwd=project.path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "__main__" in done.stderr
