from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cause import gateway_cause
from schemas.decision import Decision, DecisionMade, Dispatched, Duplicate, Throttled
from schemas.ids import run_id
from schemas.run import PhaseTimes, RunState, Usage
from services.ingress.decisions.run_view import (
    RunView,
    asked_for,
    cancel_id_of,
    event_id_of,
    with_decision,
    with_state,
)
from tests.samples import AT, run_state

CONNECTION, KEY = "A1:T1", "nightly:2026-03-02"
RUN = run_id(CONNECTION, gateway_cause(KEY).name)
CONNECTIONS = st.from_regex(r"A[A-Z0-9]{1,6}:[TE][A-Z0-9]{1,6}", fullmatch=True)
KEYS = st.text(min_size=1) | st.sampled_from([":", "a:b", f"{CONNECTION}:a", "gateway:", event_id_of(CONNECTION, "a")])


def decided(decision: Decision, **changes: Any) -> DecisionMade:
    facts: dict[str, Any] = {
        "at": AT,
        "decision": decision,
        "source_partition": 0,
        "source_offset": 1,
        "connection": CONNECTION,
        "tenant_id": "acme",
        "event_id": event_id_of(CONNECTION, KEY),
    }
    return DecisionMade(**{**facts, **changes})


def state(name: str, after_s: int, **changes: Any) -> RunState:
    return run_state(state=name, run_id=RUN, origin="gateway", at=AT + timedelta(seconds=after_s), **changes)


def fold(events: Iterable[DecisionMade | RunState], view: RunView | None = None) -> RunView | None:
    for event in events:
        view = with_decision(view, event) if isinstance(event, DecisionMade) else with_state(view, event)
    return view


GO = decided(Dispatched(run_id=RUN, cause=gateway_cause(KEY).name, trigger="gateway", agent_id="mara"))
THROTTLED = decided(Throttled(bucket="connection", retry_after_s=2.5, told_by="nothing"))
DUPLICATE = decided(Duplicate(of="event", key="k"))
START, STOPPING = state("start", 1), state("cancel_requested", 2)
COMPLETE = state("complete", 3, phases=PhaseTimes(finished=2.5), usage=Usage(model="m", output_tokens=7))
CANCELLED, FAILED = state("cancelled", 4), state("error", 5, reason="model_away")
ENDS = [COMPLETE, CANCELLED, FAILED]
STRANGERS = [
    decided(GO.decision, connection="A2:T1"),
    decided(GO.decision, connection=None),
    decided(GO.decision, event_id=None),
    decided(GO.decision, event_id="A1:Ev1"),
    decided(GO.decision, event_id=cancel_id_of(CONNECTION, RUN, KEY)),
    state("start", 1).model_copy(update={"origin": "channel"}),
    state("cancel_requested", 1).model_copy(update={"run_id": None}),
    DUPLICATE,
]


def shown(*events: DecisionMade | RunState) -> dict[str, Any]:
    view = fold(events)
    assert view is not None
    return view.shown()


def test_a_run_is_accepted_then_started_then_over_with_what_it_took() -> None:
    decision = GO.decision.model_dump(mode="json")
    accepted = {"run_id": RUN, "state": "accepted", "at": "2026-03-02T09:15:00.250000+00:00", "decision": decision}
    assert shown(GO) == accepted
    assert shown(GO, START) == {**accepted, "state": "start", "at": "2026-03-02T09:15:01.250000+00:00"}
    assert shown(GO, START, COMPLETE) == {
        **accepted,
        "state": "complete",
        "at": "2026-03-02T09:15:03.250000+00:00",
        "phases": {"finished": 2.5},
        "usage": {"model": "m", "input_tokens": 0, "output_tokens": 7},
    }


def test_a_run_that_failed_says_why() -> None:
    assert shown(GO, FAILED)["reason"] == "model_away"


def test_what_the_router_did_not_run_is_refused_with_its_reason() -> None:
    refused = shown(THROTTLED)
    assert refused["state"] == "refused"
    assert refused["decision"]["kind"] == "throttled"


def test_a_program_that_asks_again_after_it_was_refused_may_be_accepted() -> None:
    assert shown(THROTTLED, GO)["state"] == "accepted"


def test_a_program_is_not_told_whose_run_it_is() -> None:
    assert "tenant_id" not in shown(GO, COMPLETE)


def test_a_decision_that_comes_late_is_added_and_takes_nothing_back() -> None:
    assert shown(START, GO) == shown(GO, START)


@pytest.mark.parametrize("end", ENDS)
@given(events=st.lists(st.sampled_from([GO, START, STOPPING, *ENDS, *STRANGERS]), max_size=6))
def test_an_end_is_an_end_whatever_else_is_heard_of(end: RunState, events: list[Any]) -> None:
    over = shown(GO, end)
    assert shown(GO, end, *events) == over


@given(
    st.lists(st.sampled_from([GO, START, STOPPING, COMPLETE]), max_size=5).flatmap(
        lambda more: st.permutations([GO, START, STOPPING, COMPLETE, *more])
    )
)
def test_a_run_that_is_over_looks_the_same_in_any_order_and_with_repeats(events: list[Any]) -> None:
    assert shown(*events) == shown(GO, START, COMPLETE)


@given(
    st.sampled_from([[], [GO], [THROTTLED], [GO, START], [GO, STOPPING], [GO, COMPLETE]]), st.sampled_from(STRANGERS)
)
def test_what_is_about_something_else_changes_nothing(before: list[Any], stranger: Any) -> None:
    view = fold(before)
    assert fold([stranger], view) == view


@given(CONNECTIONS, KEYS)
def test_a_request_asks_for_the_run_of_its_key(connection: str, key: str) -> None:
    assert asked_for(event_id_of(connection, key), connection) == run_id(connection, gateway_cause(key).name)


@given(CONNECTIONS, CONNECTIONS, KEYS)
def test_a_request_of_another_connection_asks_for_nothing_here(connection: str, other: str, key: str) -> None:
    if connection != other:
        assert asked_for(event_id_of(connection, key), other) is None


@given(CONNECTIONS, CONNECTIONS, KEYS)
def test_a_request_to_end_a_run_is_never_taken_for_one_to_run(connection: str, other: str, key: str) -> None:
    for each in (connection, other):
        assert asked_for(cancel_id_of(connection, RUN, key), each) is None


@given(KEYS, KEYS)
def test_two_keys_are_two_runs_and_one_key_is_one(one: str, other: str) -> None:
    runs = {asked_for(event_id_of(CONNECTION, key), CONNECTION) for key in (one, other)}
    assert len(runs) == len({one, other})


@pytest.mark.parametrize("event_id", [None, "", "A1:Ev1", "gateway", "gateway:A1:T1", "gateway:A1:T11:k"])
def test_slacks_own_deliveries_ask_for_no_run(event_id: str | None) -> None:
    assert asked_for(event_id, CONNECTION) is None
    assert asked_for(event_id_of(CONNECTION, KEY), None) is None
