"""Words and numbers for people."""

import pytest

from pivot.cli.main import main
from pivot.cli.terminal import note, plural, seconds, size, table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00 s"),
        (0.084, "0.08 s"),
        (0.9, "0.9 s"),
        (5.04, "5.0 s"),
        (12.34, "12.3 s"),
        (250.0, "4 min 10 s"),
    ],
)
def test_durations(value, text):
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_960, "1 MB"),
        (3_400_000_000, "3.4 GB"),
        (12_000_000, "12 MB"),
        (5e15, "5 PB"),
    ],
)
def test_sizes(value, text):
    assert size(value) == text


def test_plurals():
    assert [plural(n, "stage") for n in (0, 1, 2, 1000)] == [
        "0 stages", "1 stage", "2 stages", "1,000 stages"
    ]  # fmt: skip


def test_table_is_aligned_without_trailing_space(capsys):
    table([("a", "x", ""), ("long", "y", "last column")])
    assert capsys.readouterr().out == "a     x\nlong  y  last column\n"
    table([])
    assert capsys.readouterr().out == ""


HOSTILE = "evil\x1b[2J\x9b1A\rgood \u202egpj.exe"
HARMLESS = "evil\\x1b[2J\\x9b1A\\rgood \\u202egpj.exe"


def test_what_others_say_moves_no_cursor(capsys):
    note(f"warning: {HOSTILE}\n\tand a line")
    assert capsys.readouterr().err == f"warning: {HARMLESS}\n\tand a line\n"


def test_an_error_that_others_worded_moves_no_cursor(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".pivot").mkdir()
    (tmp_path / ".pivot/config.toml").write_text('[remotes.a]\nurl = "/x"\n')
    monkeypatch.setenv("PIVOT_REMOTE_A_ATTEMPTS", HOSTILE)
    assert main(["push", "-r", HOSTILE]) != 0
    error = capsys.readouterr().err
    assert "\x1b" not in error
    assert "evil" in error
