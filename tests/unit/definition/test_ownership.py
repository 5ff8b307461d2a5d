import json
import sysconfig

import pydantic
import pytest

import pivot.definition.ownership as room
from pivot.definition.ownership import ownership


@pytest.mark.parametrize(
    "file",
    [
        json.__file__,
        pydantic.__file__,
        room.__file__,
        sysconfig.get_path("stdlib") + "/lib-dynload/x.so",
        "<frozen importlib._bootstrap>",
        "<string>",
        "/project/.venv/lib/python3.13/site-packages/requests/api.py",
        "/usr/lib/python3/dist-packages/apt.py",
        "/proc/self/status",
    ],
)
def test_code_of_others_is_not_own(file):
    assert not ownership().is_own(file)


@pytest.mark.parametrize(
    "file", ["/usr/src/app/pipeline.py", "/home/me/project/src/a.py", "/opt/shared/lib.py"]
)
def test_code_of_the_project_is_own_wherever_it_lies(file):
    assert ownership().is_own(file)


def test_prefix_of_a_name_is_no_folder(tmp_path):
    stdlib = sysconfig.get_path("stdlib")
    assert ownership().is_own(stdlib + "-mine/a.py")
