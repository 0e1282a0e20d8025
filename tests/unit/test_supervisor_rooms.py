"""How much is said of tasks at once."""

from hypothesis import given
from hypothesis import strategies as st

from services.supervisor.decisions.rooms import BURST, CHANGES_PER_S, KEPT, UNASKED_BURST, UNASKED_PER_S, Place, Rooms
from services.supervisor.decisions.telling import Urgency

ASKED = (Urgency.WAITS_FOR_SOMEBODY, Urgency.IS_OVER)
HERE: Place = ("T1", None)


def taken(rooms: Rooms, place: Place, urgency: Urgency, now: float, tries: int = 100) -> int:
    return sum(rooms.take(place, urgency, now) for _ in range(tries))


def test_a_workspace_takes_a_burst_and_then_so_many_a_minute() -> None:
    rooms = Rooms(0.0)
    assert taken(rooms, HERE, Urgency.IS_OVER, 0.0) == BURST
    assert taken(rooms, HERE, Urgency.IS_OVER, 15.0) == 15 * CHANGES_PER_S
    assert taken(rooms, ("T2", None), Urgency.IS_OVER, 15.0) == BURST


def test_what_only_went_on_leaves_room_for_what_changed() -> None:
    rooms = Rooms(0.0)
    assert taken(rooms, HERE, Urgency.WENT_ON, 0.0) == BURST - KEPT
    assert taken(rooms, HERE, Urgency.CHANGED, 0.0) == KEPT


def test_a_crowd_in_many_workspaces_is_spoken_of_bit_by_bit() -> None:
    rooms, crowd = Rooms(0.0), [(f"T{each}", None) for each in range(40)]
    assert sum(taken(rooms, place, Urgency.CHANGED, 0.0) for place in crowd) == UNASKED_BURST
    assert sum(taken(rooms, place, Urgency.CHANGED, 0.2) for place in crowd) == 0.2 * UNASKED_PER_S


def test_nobody_who_waits_for_words_waits_behind_a_crowd() -> None:
    rooms, crowd = Rooms(0.0), [(f"T{each}", None) for each in range(40)]
    assert sum(taken(rooms, place, Urgency.CHANGED, 0.0) for place in crowd) == UNASKED_BURST
    for urgency in ASKED:
        assert all(rooms.take(place, urgency, 0.0) for place in crowd[20:])


def test_who_finds_no_room_takes_none_from_others() -> None:
    rooms = Rooms(0.0)
    taken(rooms, HERE, Urgency.IS_OVER, 0.0)
    assert taken(rooms, HERE, Urgency.CHANGED, 0.0, tries=1000) == 0
    assert sum(taken(rooms, (f"T{each}", None), Urgency.CHANGED, 0.0) for each in range(40)) == UNASKED_BURST


@given(st.lists(st.tuples(st.floats(0, 5), st.sampled_from(Urgency), st.sampled_from(["T1", "T2"])), max_size=300))
def test_no_workspace_hears_more_than_its_share(asked: list[tuple[float, Urgency, str]]) -> None:
    rooms, now, said = Rooms(0.0), 0.0, {"T1": 0, "T2": 0}
    for pause, urgency, workspace in asked:
        now += pause
        said[workspace] += rooms.take((workspace, None), urgency, now)
    assert all(each <= BURST + now * CHANGES_PER_S + 1e-6 for each in said.values())
