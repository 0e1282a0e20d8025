"""What the responder decides: who starts, who stops, what is settled how, and how long to wait."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, EffectUnknown
from schemas.stop import StopMessage, StopRequested, StopRun, StopTarget, StopThread, StopUser
from schemas.stopping import Stoppable, is_about, may_end
from services.responder.decisions.effects import SETTLED, Call, Subject, call, effect_of_message, entry_of
from services.responder.decisions.pace import Allowance, Urgency, allowances
from services.responder.decisions.standing import Standing, fold
from services.responder.decisions.starting import Bounds, Starting
from services.responder.decisions.trying import FAILURES_TO_OPEN, OPEN_S, TRIES, Breaker, pause_before
from services.responder.decisions.watermark import Watermark
from tests.samples import AT

SUBJECT = Subject("cmd", "acme", "A1:T1", "T1", "C1", "1.1", "T1:C1:1.1", 0, run_id="run")


def meant(made: Call) -> EffectIntended:
    return EffectIntended(
        at=AT, effect=entry_of(SUBJECT, made), settlement=made.settlement, arguments_json="{}", of_parts=made.of_parts
    )


def test_a_call_has_the_same_name_each_time_and_its_message_is_known_again() -> None:
    first, again = (call(SUBJECT, "chat.postMessage", "placeholder", {"text": "x"}) for _ in range(2))
    assert first == again
    assert effect_of_message({"metadata": first.arguments["metadata"]}) == first.effect_id
    assert effect_of_message({"metadata": {"event_type": "of another", "event_payload": {"effect_id": "x"}}}) is None
    assert effect_of_message({"metadata": None}) is None
    other = call(SUBJECT, "chat.postMessage", "answer", {"text": "x"}, part=1)
    assert other.effect_id != first.effect_id


def test_every_method_has_a_rule() -> None:
    assert SETTLED["chat.postEphemeral"] == "at_most_once"
    assert {SETTLED[each] for each in ("chat.update", "chat.delete", "reactions.add")} == {"repeat"}
    assert SETTLED["chat.postMessage"] == "look_up"


def test_last_words_count_only_when_all_of_them_were_meant() -> None:
    standing = Standing()
    parts = [call(SUBJECT, "chat.postMessage", "answer", {}, part=number, of_parts=3) for number in range(3)]
    for part in parts[:2]:
        standing.take(meant(part))
    assert standing.last_words() == []
    standing.take(meant(parts[2]))
    assert [each.effect_id for each in standing.last_words()] == [each.effect_id for each in parts]
    standing.take(meant(call(SUBJECT, "chat.update", "stopped", {})))
    assert [each.purpose for each in standing.last_words()] == ["stopped"]


def test_parts_of_an_answer_that_was_never_begun_do_not_count_for_the_next() -> None:
    standing = Standing()
    for number in range(3):
        standing.take(meant(call(SUBJECT, "chat.postMessage", "answer", {}, part=number, of_parts=4)))
    for number in range(2):
        standing.take(meant(call(SUBJECT, "chat.postMessage", "answer", {}, part=number, of_parts=2)))
    assert [each.of_parts for each in standing.last_words()] == [2, 2]


def test_the_ledger_is_folded_by_run() -> None:
    made = call(SUBJECT, "chat.postMessage", "placeholder", {})
    effect = entry_of(SUBJECT, made)
    folded = fold(
        [
            meant(made),
            EffectFailed(at=AT, effect=effect, error="x", final=False),
            EffectConfirmed(at=AT, effect=effect, message_ts="2.2"),
            EffectConfirmed(at=AT, effect=effect, message_ts="3.3"),
        ]
    )
    assert folded["run"].confirmed == {made.effect_id: "2.2"}
    assert not folded["run"].refused
    unknown = fold([EffectUnknown(at=AT, effect=effect, error="x")])
    assert unknown["run"].is_settled(made.effect_id)


def stop(target: StopTarget, **changes: Any) -> StopRequested:
    facts: dict[str, Any] = {
        "at": AT,
        "stop_id": "s",
        "cause": "c",
        "tenant_id": "acme",
        "connection": "A1:T1",
        "source": "button",
        "asked_by": "UYOU",
        "may_stop_anyone": False,
        "directory_revision": 1,
    }
    return StopRequested(target=target, **{**facts, **changes})


RUN = Stoppable("run", "A1:T1", "C1", "1.1", "UYOU", AT - timedelta(seconds=1), ("1.1", "1.2"))
LATER = Stoppable("run", "A1:T1", "C1", "1.1", "UYOU", AT + timedelta(seconds=1), ("1.1", "1.2"))


@pytest.mark.parametrize(
    ("target", "now", "later"),
    [
        (StopRun(run_id="run"), True, True),
        (StopRun(run_id="other"), False, False),
        (StopMessage(channel_id="C1", message_ts="1.2"), True, True),
        (StopMessage(channel_id="C2", message_ts="1.2"), False, False),
        (StopThread(channel_id="C1", thread_ts="1.1"), True, False),
        (StopThread(channel_id="C1", thread_ts="1.9"), False, False),
        (StopUser(channel_id="C1", user_id="UYOU"), True, False),
        (StopUser(channel_id="C1", user_id="UOTHER"), False, False),
    ],
)
def test_a_stop_means_what_was_asked_before_it_and_what_it_names(target: StopTarget, now: bool, later: bool) -> None:
    assert is_about(stop(target), RUN) is now
    assert is_about(stop(target), LATER) is later
    assert not is_about(stop(target, connection="A1:T2"), RUN)


def test_only_the_author_and_who_may_stop_anyone_end_a_run() -> None:
    target = StopRun(run_id="run")
    assert may_end(stop(target), RUN)
    assert not may_end(stop(target, asked_by="UOTHER"), RUN)
    assert may_end(stop(target, asked_by="UOTHER", may_stop_anyone=True), RUN)


@given(st.lists(st.integers(0, 9), unique=True))
def test_nothing_unfinished_is_below_the_watermark(done: list[int]) -> None:
    watermark = Watermark(0)
    for offset in range(10):
        watermark.read(offset)
    for offset in done:
        watermark.done(offset)
        assert watermark.at == min(watermark.open, default=10)
    assert set(range(watermark.at)) <= set(done)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=60), st.randoms())
def test_threads_keep_their_order_bounds_hold_and_everything_starts(wanted: list[tuple[str, int]], chance: Any) -> None:
    starting: Starting[int] = Starting(Bounds(4, 2))
    where = {number: (tenant, f"{tenant}{thread}") for number, (tenant, thread) in enumerate(wanted)}
    for number, (tenant, thread) in where.items():
        starting.add(tenant, thread, number)
    running: list[int] = []
    started: dict[str, list[int]] = defaultdict(list)
    while True:
        for number in starting.next():
            running.append(number)
            started[where[number][1]].append(number)
        tenants = [where[each][0] for each in running]
        assert len(running) <= 4
        assert all(tenants.count(each) <= 2 for each in tenants)
        assert len({where[each][1] for each in running}) == len(running)
        if not running:
            break
        starting.done(running.pop(chance.randrange(len(running))))
    assert starting.waiting == 0
    assert sum(len(each) for each in started.values()) == len(wanted)
    assert all(each == sorted(each) for each in started.values())


def test_a_tenant_that_floods_leaves_the_others_their_turn() -> None:
    starting: Starting[str] = Starting(Bounds(4, 4))
    for number in range(100):
        starting.add("loud", f"l{number}", f"l{number}")
    starting.add("quiet", "q", "q")
    first = list(starting.next())
    assert first == ["l0", "q", "l1", "l2"]


def test_edits_leave_room_for_last_words() -> None:
    allowance = Allowance.full(50, 1.0, 0.0)
    for _ in range(34):
        assert allowance.wait_s(0.0, Urgency.EDIT) == 0
        allowance.take(0.0)
    while allowance.wait_s(0.0, Urgency.EDIT) == 0:
        allowance.take(0.0)
    assert allowance.left >= 50 * 0.3
    assert allowance.wait_s(0.0, Urgency.LAST) == 0


@given(st.lists(st.floats(0, 3), max_size=200))
def test_an_allowance_never_grants_more_than_it_holds_and_fills_up(gaps: list[float]) -> None:
    allowance, now, granted = Allowance.full(4, 1.0, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        if allowance.wait_s(now, Urgency.LAST) <= 0:
            allowance.take(now)
            granted += 1
        assert granted <= 4 + now + 1e-6


def test_who_reserves_waits_behind_those_before_it() -> None:
    allowance = Allowance.full(2, 10.0, 0.0)
    assert [allowance.reserve(0.0) for _ in range(4)] == pytest.approx([0.0, 0.0, 0.1, 0.2])
    assert allowance.reserve(10.0) == 0.0


def test_posts_draw_on_their_channel_and_on_the_workspace() -> None:
    assert set(allowances("chat.postMessage", "C1")) == {"posts", "posts in C1"}
    assert set(allowances("chat.update", "C1")) == {"chat.update"}
    assert allowances("team.info", None) == {}


def test_what_passes_is_tried_again_and_what_does_not_is_not() -> None:
    pauses = [pause_before(tried, "unavailable", None, 0.5) for tried in range(1, TRIES + 1)]
    assert pauses == [0.5, 1.0, None]
    assert pause_before(1, "not_allowed", None, 0.5) is None
    assert pause_before(1, "rate_limited", 2.0, 0.5) == 2.5
    assert pause_before(1, "rate_limited", 600.0, 0.5) is None


def test_a_provider_that_fails_is_left_alone_and_tried_by_one() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.may_ask(0.0)
        breaker.failed("unavailable", 0.0)
    assert not breaker.may_ask(1.0)
    assert breaker.may_ask(OPEN_S)
    assert not breaker.may_ask(OPEN_S), "only one tries"
    breaker.answered()
    assert breaker.may_ask(OPEN_S)


def test_a_bad_question_is_not_held_against_a_provider() -> None:
    breaker = Breaker()
    for _ in range(2 * FAILURES_TO_OPEN):
        breaker.failed("too_long", 0.0)
    assert breaker.may_ask(0.0)
