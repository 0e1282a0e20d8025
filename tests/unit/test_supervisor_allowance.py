"""An allowance: so much at once, filled up so fast."""

from hypothesis import given
from hypothesis import strategies as st

from services.supervisor.decisions.allowance import Allowance


@given(st.lists(st.floats(0, 3), max_size=200))
def test_an_allowance_never_grants_more_than_it_holds_and_fills_up(gaps: list[float]) -> None:
    allowance, now, granted = Allowance.full(4, 1.0, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        if allowance.wait_s(now) <= 0:
            allowance.take(now)
            granted += 1
        assert granted <= 4 + now + 1e-6


def test_what_is_kept_for_others_is_not_taken() -> None:
    allowance = Allowance.full(10, 2.0, 0.0)
    assert allowance.wait_s(0.0, wanted=8, kept=2) == 0.0
    allowance.take(0.0, 8)
    assert allowance.wait_s(0.0, wanted=2) == 0.0
    assert allowance.wait_s(0.0, wanted=2, kept=4) == 2.0
    assert not allowance.is_full(3.9)
    assert allowance.is_full(4.0)
