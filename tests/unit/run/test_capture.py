"""Reading the end of a log, and bounding messages."""

from hypothesis import given
from hypothesis import strategies as st

from pivot.run.capture import TAIL_BYTES, bounded, tail


def test_tail_gives_the_last_lines_with_colours(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\n\x1b[31mthree\x1b[0m\nfour \xff")
    assert tail(str(log), 2) == "\x1b[31mthree\x1b[0m\nfour \ufffd"
    assert tail(str(log), 100).startswith("one\n")
    assert tail(str(log), 0) == ""


def test_tail_of_no_log_is_empty(tmp_path):
    assert tail(str(tmp_path / "none"), 10) == ""


def test_tail_of_one_endless_line_is_bounded(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"x" * (TAIL_BYTES * 3))
    assert len(tail(str(log), 10)) == TAIL_BYTES


@given(st.text(), st.integers(2, 50))
def test_bounded_keeps_both_ends(text, limit):
    short = bounded(text, limit)
    if len(text) <= limit:
        assert short == text
    else:
        assert short.startswith(text[: limit // 2])
        assert short.endswith(text[-(limit // 2) :])
        assert len(short) < limit + 60
