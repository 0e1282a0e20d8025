"""Mistakes that could be made, each planted here, and each caught by a test that has a name."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from schemas import ids
from services.router.decisions import bots, control, decide, dispatch, idempotency, keys, rate_limit, saying
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts, Tenant
from services.router.decisions.outcome import Change, Outcome
from services.router.stream.flow import Flow
from services.router.stream.memory import Entry, Memory
from services.router.stream.reading import Reading
from tests.deciding import Deciding
from tests.unit import test_router_decide, test_router_flow, test_router_memory, test_router_model, test_router_reading

Plant = Callable[[pytest.MonkeyPatch], None]


def the_claim_comes_before_the_gate(patch: pytest.MonkeyPatch) -> None:
    right = decide._of_new

    def wrong(event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome:
        outcome = right(event, tenant, facts, now)
        return replace(outcome, changes=(*outcome.changes, *idempotency.claims(event, now)))

    patch.setattr(decide, "_of_new", wrong)


def a_refused_message_claims(patch: pytest.MonkeyPatch) -> None:
    right = decide._of_wanted

    def wrong(*given: Any) -> Outcome:
        outcome = right(*given)
        return replace(outcome, changes=(*outcome.changes, *idempotency.claims(given[1], given[4])))

    patch.setattr(decide, "_of_wanted", wrong)


def nothing_expires(patch: pytest.MonkeyPatch) -> None:
    def wrong(memory: Memory, key: str, _: float) -> Entry | None:
        return memory._entries.get(key)

    patch.setattr(Memory, "get", wrong)


def the_bucket_is_everybodys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(keys, "bucket", lambda _, scope, whose="": f"bucket {scope} {whose}")


def the_cause_is_the_delivery(patch: pytest.MonkeyPatch) -> None:
    right = decide.decide

    def wrong(event: Event, *given: Any) -> Outcome:
        return right(replace(event, cause=replace(event.cause, name=event.event_id, aliases=())), *given)

    patch.setattr("tests.deciding.decide", wrong)


def the_bucket_has_one_too_many(patch: pytest.MonkeyPatch) -> None:
    right = rate_limit._filled

    def wrong(key: str, limit: Any, *given: Any) -> Any:
        return right(key, replace(limit, capacity=limit.capacity + 1), *given)

    patch.setattr(rate_limit, "_filled", wrong)


def the_bucket_never_fills(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rate_limit, "_microseconds", lambda _: 0)


def a_thread_is_not_refreshed(patch: pytest.MonkeyPatch) -> None:
    right = dispatch.dispatched

    def wrong(wanted: Any, *given: Any) -> Outcome:
        outcome = right(wanted, *given)
        if wanted.trigger != "thread":
            return outcome
        return replace(outcome, changes=tuple(each for each in outcome.changes if not each.key.startswith("thread")))

    patch.setattr(dispatch, "dispatched", wrong)


def our_own_words_are_a_persons(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bots, "_is_own", lambda *_: False)


def the_stop_is_not_claimed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(control, "claims", lambda *_: ())


def records_share_a_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(saying, "_record_id", lambda source, _: ids.record_id("slack.inbound", 0, source.offset, 0))


def it_is_done_before_it_is_sent(patch: pytest.MonkeyPatch) -> None:
    right = Flow._write

    def wrong(flow: Any, work: Any, partition: Any, out: Any) -> None:
        right(flow, work, partition, out)
        work.is_done = True
        flow._move(partition)

    patch.setattr(Flow, "_write", wrong)


def it_is_said_before_it_is_kept(patch: pytest.MonkeyPatch) -> None:
    right = Flow._decide

    def wrong(flow: Any, work: Any, partition: Any) -> None:
        right(flow, work, partition)
        flow._lanes.main.letters.pop().settled()

    patch.setattr(Flow, "_decide", wrong)


def what_was_decided_is_decided_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Memory, "row", lambda *_: None)


def later_ones_move_the_watermark(patch: pytest.MonkeyPatch) -> None:
    def wrong(flow: Any, partition: Any) -> None:
        for work in [each for each in partition.in_flight if each.is_done]:
            partition.in_flight.remove(work)
            flow._reading.done(work.source.partition, work.source.offset, work.generation)

    patch.setattr(Flow, "_move", wrong)


def whoever_waits_is_overtaken_by_its_own(patch: pytest.MonkeyPatch) -> None:
    right = Flow._begin

    def wrong(flow: Any, source: Any, partition: Any) -> None:
        behind, partition.parked = partition.parked, {}
        right(flow, source, partition)
        partition.parked = {**behind, **partition.parked}

    patch.setattr(Flow, "_begin", wrong)


def an_old_assignment_commits(patch: pytest.MonkeyPatch) -> None:
    def wrong(reading: Reading, partition: int, offset: int, _: int) -> None:
        place = reading.places[partition]
        place.watermark = max(place.watermark, offset + 1)

    patch.setattr(Reading, "done", wrong)


def holes_are_passed_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reading, "hand_over", lambda _, __, offset: offset)


def what_may_be_asked_again_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = Memory.forget

    def wrong(memory: Memory, most: int) -> list[int]:
        memory._settled_clock = memory.clock
        return right(memory, most)

    patch.setattr(Memory, "forget", wrong)


def older_rows_give_no_way(patch: pytest.MonkeyPatch) -> None:
    right = Memory.keep

    def wrong(memory: Memory, offset: int, row: Any) -> None:
        right(memory, offset, row)
        for key, value, until in row.changes:
            memory._entries[key] = Entry(value, offset, until)

    patch.setattr(Memory, "keep", wrong)


def claims_have_no_aliases(patch: pytest.MonkeyPatch) -> None:
    def wrong(event: Event, now: float) -> tuple[Change, ...]:
        return (Change(keys.cause(event.connection, event.cause.name), None, now + keys.CAUSE_IS_KNOWN_S),)

    patch.setattr(dispatch, "claims", wrong)


CAUGHT_BY: dict[Plant, Callable[..., Any]] = {
    the_claim_comes_before_the_gate: test_router_decide.test_a_message_that_addresses_nobody_leaves_its_mention_alone,
    a_refused_message_claims: test_router_decide.test_a_refused_message_claims_no_cause,
    nothing_expires: test_router_decide.test_the_same_delivery_is_known_for_an_hour_and_the_same_cause_for_a_day,
    the_bucket_is_everybodys: test_router_decide.test_connections_and_tenants_do_not_share,
    the_cause_is_the_delivery: test_router_model.test_every_sequence_becomes_what_the_model_says,
    the_bucket_has_one_too_many: test_router_decide.test_the_thirtieth_passes_and_the_thirty_first_is_refused_and_told,
    the_bucket_never_fills: test_router_model.test_every_sequence_becomes_what_the_model_says,
    a_thread_is_not_refreshed: test_router_decide.test_a_thread_is_followed_for_thirty_idle_minutes,
    our_own_words_are_a_persons: test_router_model.test_every_sequence_becomes_what_the_model_says,
    the_stop_is_not_claimed: test_router_decide.test_the_two_halves_of_a_stop_are_one,
    records_share_a_name: test_router_model.test_one_cause_has_one_run_and_each_record_a_name_of_its_own,
    claims_have_no_aliases: test_router_decide.test_a_double_send_is_one_run,
    it_is_done_before_it_is_sent: (
        test_router_flow.test_the_watermark_waits_for_everything_that_follows_and_keeps_the_order
    ),
    it_is_said_before_it_is_kept: test_router_flow.test_nothing_is_said_before_the_row_is_durable,
    what_was_decided_is_decided_again: (
        test_router_flow.test_a_record_that_was_decided_is_said_again_and_never_decided_again
    ),
    later_ones_move_the_watermark: (
        test_router_flow.test_the_watermark_waits_for_everything_that_follows_and_keeps_the_order
    ),
    whoever_waits_is_overtaken_by_its_own: (
        test_router_flow.test_who_waits_is_overtaken_by_others_and_by_none_of_its_own
    ),
    an_old_assignment_commits: test_router_reading.test_another_generation_is_another_assignment,
    holes_are_passed_over: test_router_reading.test_offsets_are_handed_over_without_a_hole,
    what_may_be_asked_again_is_forgotten: (
        test_router_memory.test_what_is_over_is_forgotten_once_time_is_certain_to_have_passed
    ),
    older_rows_give_no_way: (
        test_router_memory.test_rows_count_in_the_order_of_the_source_whatever_the_order_of_the_journal
    ),
}


@pytest.mark.parametrize("plant", CAUGHT_BY, ids=lambda plant: plant.__name__)
def test_a_planted_mistake_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    test = CAUGHT_BY[plant]
    given = [Deciding()] if "router" in inspect.signature(test).parameters else []
    _run(test, *given)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        _run(test, *([Deciding()] if given else []))


def _run(test: Callable[..., Any], *given: Any) -> None:
    if inspect.iscoroutinefunction(test):
        asyncio.run(test(*given))
    else:
        test(*given)
