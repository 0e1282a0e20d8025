"""What starts when, and what stops when."""

import pytest

from services.local import order

NEEDS = {"kafka": (), "postgres": (), "sim": (), "workspace": ("postgres", "sim"), "router": ("kafka", "workspace")}


def test_what_needs_nothing_starts_at_once() -> None:
    assert order.startable(NEEDS, set(), set()) == ["kafka", "postgres", "sim"]


def test_what_was_begun_is_not_begun_again() -> None:
    assert order.startable(NEEDS, {"kafka", "postgres", "sim"}, set()) == []


def test_each_starts_when_all_that_it_needs_is_ready() -> None:
    begun = {"kafka", "postgres", "sim"}
    assert order.startable(NEEDS, begun, {"postgres"}) == []
    assert order.startable(NEEDS, begun, {"postgres", "sim"}) == ["workspace"]
    assert order.startable(NEEDS, {*begun, "workspace"}, {*begun, "workspace"}) == ["router"]


def test_each_stops_when_nobody_who_needs_it_stands() -> None:
    assert order.stoppable(NEEDS, set()) == ["router"]
    assert order.stoppable(NEEDS, {"router"}) == ["kafka", "workspace"]
    assert order.stoppable(NEEDS, {"router", "workspace"}) == ["kafka", "postgres", "sim"]
    assert order.stoppable(NEEDS, set(NEEDS)) == []


def test_a_need_that_nobody_answers_is_refused() -> None:
    with pytest.raises(order.Unsound, match="a needs b, which is not there"):
        order.check({"a": ("b",)})


def test_programs_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(order.Unsound, match="a, b wait for each other"):
        order.check({"a": ("b",), "b": ("a",), "c": ()})
