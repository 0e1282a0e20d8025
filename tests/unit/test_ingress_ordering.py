"""What several sockets bring at the same moment stands in the order of Slack's own times."""

from hypothesis import given
from hypothesis import strategies as st

from services.ingress.decisions.ordering import in_order
from services.ingress.decisions.reading import Arrived, Delivery, Unreadable


def event(ts: object) -> Delivery:
    return Delivery("events_api", {"event": {"event_ts": ts}}, "A1:T1", "A1:Ev1")


def order(*together: Arrived) -> list[int]:
    return [number for _, number in in_order([(each, number) for number, each in enumerate(together)])]


def test_two_sockets_that_are_read_one_after_the_other() -> None:
    assert order(event("10.000100"), event("10.000300"), event("10.000200"), event("10.000400")) == [0, 2, 1, 3]


def test_what_has_no_time_stays_behind_what_came_before_it() -> None:
    click = Delivery("interactive", {"type": "block_actions"}, "A1:T1", "A1:e1")
    assert order(event("10.0"), click, event("9.0")) == [2, 0, 1]
    assert order(click, event("9.0")) == [0, 1]


def test_events_of_one_moment_keep_their_order() -> None:
    assert order(event("10.0"), event("10.0"), event("10.0")) == [0, 1, 2]


@given(st.lists(st.one_of(st.text(), st.integers(), st.none(), st.floats(), st.lists(st.text()))))
def test_odd_times_lose_and_stop_nothing(times: list[object]) -> None:
    together: list[Arrived] = [*(event(ts) for ts in times), Unreadable("not_json", "no")]
    assert sorted(order(*together)) == list(range(len(together)))
