from itertools import product
from typing import get_args

import pytest

from services.ingress.decisions.link_state import FOLLOWS, STATES, LinkState, WrongTurn, after

SEVEN = ("connecting", "authenticated", "connected", "reconnecting", "disconnecting", "disconnected", "error")


def reachable(state: LinkState) -> set[LinkState]:
    """Every state that may come after this one, sooner or later."""
    found: set[LinkState] = set()
    ahead = set(FOLLOWS[state])
    while ahead:
        found |= ahead
        ahead = {each for state in ahead for each in FOLLOWS[state]} - found
    return found


def test_the_table_has_exactly_the_seven_states() -> None:
    assert set(SEVEN) == set(STATES) == set(get_args(LinkState)) == set(FOLLOWS)
    assert len(STATES) == len(SEVEN)
    assert set().union(*FOLLOWS.values()) <= set(STATES)


def test_every_state_is_reachable_from_disconnected() -> None:
    assert reachable("disconnected") == set(STATES)


def test_there_is_no_dead_end() -> None:
    for state in STATES:
        assert reachable(state) == set(STATES)


def test_no_state_stands_in_the_table_as_its_own_follower() -> None:
    assert not [state for state in STATES if state in FOLLOWS[state]]


@pytest.mark.parametrize("state", STATES)
def test_every_state_may_stay(state: LinkState) -> None:
    assert after(state, state) == state


@pytest.mark.parametrize(("state", "following"), list(product(STATES, STATES)))
def test_only_what_the_table_says_follows(state: LinkState, following: LinkState) -> None:
    if following in FOLLOWS[state] | {state}:
        assert after(state, following) == following
    else:
        with pytest.raises(WrongTurn, match=f"{following} never follows {state}"):
            after(state, following)


def test_a_slot_may_leave_at_any_time_and_only_then_is_it_disconnected() -> None:
    assert all("disconnecting" in FOLLOWS[state] for state in STATES if state != "disconnecting")
    assert [state for state in STATES if "disconnected" in FOLLOWS[state]] == ["disconnecting"]


def test_nothing_is_connected_that_slack_did_not_accept() -> None:
    assert [state for state in STATES if "connected" in FOLLOWS[state]] == ["authenticated"]


def test_a_slot_in_error_stays_so_until_slack_accepts_it_or_it_leaves() -> None:
    assert FOLLOWS["error"] == {"authenticated", "disconnecting"}
