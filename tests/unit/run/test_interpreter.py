"""Another Python is started like this one."""

import json
import subprocess
import sys

import pytest

from pivot.run.interpreter import command

SHOW = """
import json
from pivot.run.interpreter import command
print(json.dumps(command("py", "m", "x")))
"""


@pytest.mark.parametrize(
    "options",
    [[], ["-O"], ["-OO", "-B"], ["-X", "utf8=1"], ["-X", "faulthandler"], ["-W", "error"]],
)
def test_options_are_passed_on(options):
    shown = subprocess.run([sys.executable, "-s", *options, "-c", SHOW], stdout=subprocess.PIPE)
    given = json.loads(shown.stdout)
    assert [given[0], *given[-3:]] == ["py", "-m", "m", "x"]
    for option in options:
        assert option in given


def test_working_directory_is_off_the_path():
    assert "-P" in command("py", "m")
