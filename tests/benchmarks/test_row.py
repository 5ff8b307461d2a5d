"""What counts as reached."""

from benchmarks.row import Row, Unit, at_most, faster, within


def row(ours, theirs, target):
    return Row("it", Unit.SECONDS, ours, "peer", theirs, target)


def test_a_speedup_is_that_of_the_medians():
    assert row((1.0, 1.0, 9.0), (3.0, 3.0, 0.1), faster(3)).reached is True
    assert row((1.0, 1.01, 9.0), (3.0, 3.0, 9.0), faster(3)).reached is False


def test_a_multiple_is_that_of_the_medians():
    assert row((2.5,), (1.0,), within(2.5)).reached is True
    assert row((2.6,), (1.0,), within(2.5)).reached is False


def test_a_value_holds_in_each_run():
    assert row((1.0, 200.0), (), at_most(200)).reached is True
    assert row((1.0, 201.0), (), at_most(200)).reached is False


def test_without_a_peer_nothing_is_claimed():
    assert row((1.0,), (), faster(3)).reached is None
    assert row((1.0,), (2.0,), None).reached is None
