"""What findings amount to: the worst one counts."""

import pytest

from pivot.verify.finding import Finding, FindingKind, State, Verdict


def verdict(*kinds):
    return Verdict("stage", tuple(Finding(kind, "what") for kind in kinds))


@pytest.mark.parametrize(
    ("kinds", "state", "code"),
    [
        ([], State.GOOD, 0),
        ([FindingKind.CODE], State.STALE, 4),
        ([FindingKind.OUT, FindingKind.MISSING, FindingKind.DEP], State.MISSING, 14),
        ([FindingKind.DAMAGED, FindingKind.MISSING], State.DAMAGED, 13),
        ([FindingKind.LOCK], State.DAMAGED, 13),
    ],
)
def test_the_worst_finding_counts(kinds, state, code):
    assert verdict(*kinds).state is state
    assert state.exit_code == code


def test_every_kind_has_a_state_that_is_no_praise():
    assert all(kind.state is not State.GOOD for kind in FindingKind)
