"""Programs' messages: their names, their order, the calls they become, and what is told of them."""

import asyncio
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import ids
from schemas.command import OutboundMessage
from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, EffectUnknown, LedgerEntry
from services.responder.adapters.turns import Turns
from services.responder.decisions.effects import Call, Subject, call, entry_of
from services.responder.decisions.message_view import MessageView, effect_of, with_entry, with_request
from services.responder.decisions.outbound import (
    ANEW,
    Request,
    Words,
    blocks_json,
    changing,
    message_of,
    partition_key,
    posting,
)
from services.responder.decisions.posts import Posts, head_of, post_of
from tests.samples import AT

ASKS = Request(AT, "acme", "tok-1", "A1:T1", "key")
WORDS = Words("C1", "Hello", None, None, None)
MESSAGE = message_of(ASKS, WORDS)
COMMAND = ids.message_id("A1:T1", "key")
SUBJECT = Subject(COMMAND, "acme", "A1:T1", "T1", "C1", None, "T1:C1:deploy", 0, post_id="deploy")
POST = post_of(SUBJECT)


def intended(made: Call) -> EffectIntended:
    return EffectIntended(at=AT, effect=entry_of(SUBJECT, made), settlement=made.settlement, arguments_json="{}")


def confirmed(made: Call, ts: str | None = "1.1") -> EffectConfirmed:
    return EffectConfirmed(at=AT, effect=entry_of(SUBJECT, made), message_ts=ts)


def failed(made: Call, error: str) -> EffectFailed:
    return EffectFailed(at=AT, effect=entry_of(SUBJECT, made), error=error)


def test_a_key_is_one_message_whatever_it_says() -> None:
    other = message_of(ASKS, replace(WORDS, text="Bye"))
    assert (other.effect_id, other.body_hash == MESSAGE.body_hash) == (MESSAGE.effect_id, False)
    assert message_of(replace(ASKS, key="another"), WORDS).effect_id != MESSAGE.effect_id
    assert message_of(replace(ASKS, connection="A2:T1"), WORDS).effect_id != MESSAGE.effect_id


@given(st.builds(Words, *(st.text(max_size=3),) * 2, *(st.none() | st.text(max_size=3),) * 5))
def test_another_body_has_another_hash(words: Words) -> None:
    assert (words.hash == WORDS.hash) == (words == WORDS)


def test_what_an_older_version_took_has_the_same_hash() -> None:
    older = {"channel_id": "C1", "text": "Hello", "blocks_json": None, "thread_ts": None, "post_id": None}
    assert WORDS.hash == ids.payload_hash(older)


def test_the_same_blocks_are_the_same_text_and_no_blocks_are_none() -> None:
    assert blocks_json([{"a": 1, "b": "é"}]) == blocks_json([{"b": "é", "a": 1}]) == '[{"a":1,"b":"é"}]'
    assert blocks_json([]) is blocks_json(None) is None
    with pytest.raises(ValueError, match="not JSON compliant"):
        blocks_json([{"a": float("inf")}])


def test_a_thread_keeps_its_order_then_a_name_and_others_wait_for_nobody() -> None:
    assert partition_key(message_of(ASKS, replace(WORDS, thread_ts="1.1", post_id="p"))) == "T1:C1:1.1"
    assert partition_key(message_of(ASKS, replace(WORDS, post_id="p"))) == "T1:C1:p"
    assert partition_key(message_of(ASKS, replace(WORDS, thread_of="p", post_id="q"))) == "T1:C1:p"
    assert partition_key(MESSAGE) == f"T1:C1:{MESSAGE.effect_id}"


def test_the_first_call_has_the_name_that_the_program_was_told() -> None:
    assert posting(SUBJECT, MESSAGE).effect_id == changing(SUBJECT, MESSAGE, "1.1").effect_id == MESSAGE.effect_id
    assert posting(SUBJECT, MESSAGE, ANEW).effect_id != MESSAGE.effect_id


def test_a_change_leaves_no_blocks_of_before() -> None:
    with_blocks = message_of(ASKS, replace(WORDS, blocks_json='[{"type":"divider"}]', thread_ts="1.0"))
    assert changing(SUBJECT, with_blocks, "1.1").arguments["blocks"] == [{"type": "divider"}]
    assert changing(SUBJECT, MESSAGE, "1.1").arguments["blocks"] == []
    assert "blocks" not in posting(SUBJECT, MESSAGE).arguments
    assert posting(SUBJECT, with_blocks).arguments["thread_ts"] == "1.0"


def test_a_colour_stands_beside_the_blocks_and_a_change_leaves_nothing_of_before() -> None:
    blocks = [{"type": "divider"}]
    green = message_of(ASKS, replace(WORDS, blocks_json='[{"type":"divider"}]', color="#2eb67d"))
    beside = [{"color": "#2eb67d", "fallback": "Hello", "blocks": blocks}]
    posted = posting(SUBJECT, green).arguments
    assert (posted["text"], posted["attachments"], "blocks" in posted) == ("Hello", beside, False)
    changed = changing(SUBJECT, green, "1.1").arguments
    assert (changed["blocks"], changed["attachments"]) == ([], beside)
    plain = changing(SUBJECT, green.model_copy(update={"color": None}), "1.1").arguments
    assert (plain["blocks"], plain["attachments"]) == (blocks, [])
    bare = changing(SUBJECT, green.model_copy(update={"blocks_json": None}), "1.1").arguments
    assert (bare["blocks"], bare["attachments"]) == ([], []), "a bar is beside something"


def test_a_message_is_said_in_the_thread_that_is_named_else_under_the_head_that_stands() -> None:
    assert posting(SUBJECT, MESSAGE, head="1.0").arguments["thread_ts"] == "1.0"
    assert "thread_ts" not in posting(SUBJECT, MESSAGE).arguments
    below = replace(SUBJECT, thread_of="deploy", post_id="step")
    posts = Posts()
    posts.take(confirmed(posting(SUBJECT, MESSAGE)))
    assert posts.ts(head_of(below)) == "1.1"
    assert head_of(SUBJECT) is None
    entry = entry_of(below, posting(below, MESSAGE, head="1.1"))
    assert (entry.thread_ts, entry.thread_of) == (None, "deploy")
    posts.take(EffectConfirmed(at=AT, effect=entry, message_ts="1.2"))
    assert posts.ts(post_of(below)) == "1.2"
    assert posts.ts(post_of(replace(below, thread_of=None))) is None, "at the top the name is another's"


def test_a_channel_that_was_only_named_is_known_by_what_slack_answered() -> None:
    named, posts = replace(SUBJECT, channel_id="#ops"), Posts()
    made = posting(named, MESSAGE)
    posts.take(intended(made).model_copy(update={"effect": entry_of(named, made)}))
    assert posts.channel("A1:T1", "#ops") is None
    posts.take(confirmed(made))
    assert (posts.channel("A1:T1", "#ops"), posts.channel("A2:T1", "#ops"), posts.ts(POST)) == ("C1", None, "1.1")
    view = fold(message_of(ASKS, replace(WORDS, channel_id="#ops")), confirmed(made))
    assert view.channel == "C1"


def test_a_form_shows_in_no_channel() -> None:
    made = call(SUBJECT, "views.open", "form", {"trigger_id": "t", "view": {}})
    assert (made.arguments, made.settlement) == ({"trigger_id": "t", "view": {}}, "at_most_once")


def test_a_name_stands_for_the_message_that_was_confirmed_last_until_that_is_gone() -> None:
    posts, post, change = Posts(), posting(SUBJECT, MESSAGE), changing(SUBJECT, MESSAGE, "1.1")
    posts.take(intended(post))
    assert posts.ts(POST) is None
    posts.take(confirmed(post))
    assert posts.ts(POST) == "1.1"
    posts.take(failed(change, "msg_too_long"))
    posts.take(confirmed(call(SUBJECT, "chat.delete", "cleanup", {}), "1.0"))
    assert posts.ts(POST) == "1.1", "neither a refusal nor a double that is deleted changes that"
    posts.take(failed(change, "message_not_found"))
    assert posts.ts(POST) is None
    posts.take(confirmed(posting(SUBJECT, MESSAGE, ANEW), "2.2"))
    assert posts.ts(POST) == "2.2"
    assert posts.ts(post_of(replace(SUBJECT, thread_ts="2.2"))) is None, "in a thread the name is another's"
    assert posts.ts(post_of(replace(SUBJECT, post_id=None))) is None


def fold(*facts: OutboundMessage | LedgerEntry) -> MessageView:
    view: MessageView | None = None
    for fact in facts:
        view = with_request(view, fact) if isinstance(fact, OutboundMessage) else with_entry(view, fact)
    assert view is not None
    return view


@pytest.mark.parametrize(
    ("entries", "state", "more"),
    [
        ([], "accepted", (None, None)),
        ([intended(posting(SUBJECT, MESSAGE))], "intended", (None, None)),
        ([confirmed(posting(SUBJECT, MESSAGE))], "confirmed", ("1.1", None)),
        ([failed(posting(SUBJECT, MESSAGE), "not_in_channel")], "failed", (None, "not_in_channel")),
        ([failed(changing(SUBJECT, MESSAGE, "1.1"), "message_not_found")], "intended", (None, None)),
        (
            [
                failed(changing(SUBJECT, MESSAGE, "1.1"), "message_not_found"),
                confirmed(posting(SUBJECT, MESSAGE, ANEW)),
            ],
            "confirmed",
            ("1.1", None),
        ),
        ([failed(changing(SUBJECT, MESSAGE, "1.1"), "msg_too_long")], "failed", (None, "msg_too_long")),
        (
            [EffectUnknown(at=AT, effect=entry_of(SUBJECT, posting(SUBJECT, MESSAGE)), error="no answer")],
            "unknown",
            (None, "no answer"),
        ),
    ],
)
def test_what_is_told_of_a_message(entries: list[LedgerEntry], state: str, more: tuple[str | None, str | None]) -> None:
    view = fold(MESSAGE, *entries)
    assert (view.state, (view.ts, view.error)) == (state, more)
    read_ahead = fold(*entries, MESSAGE)
    assert (read_ahead.state, read_ahead.ts) == (state, view.ts), "the topics are read beside each other"
    assert fold(MESSAGE, *entries, MESSAGE, *entries).state == state, "and again"
    assert not {"tenant_id", "body_hash", "is_durable"} & view.shown().keys()


def test_nothing_follows_an_end_and_other_effects_are_none_of_it() -> None:
    view = fold(MESSAGE, confirmed(posting(SUBJECT, MESSAGE)))
    assert with_entry(view, intended(posting(SUBJECT, MESSAGE))) is view
    assert effect_of(confirmed(call(SUBJECT, "chat.delete", "cleanup", {}))) is None
    other = entry_of(replace(SUBJECT, tenant_id="globex"), posting(SUBJECT, MESSAGE))
    before = fold(MESSAGE)
    assert with_entry(before, EffectConfirmed(at=AT, effect=other)) is before


def test_a_request_that_nobody_knows_to_be_kept_may_be_asked_for_again_and_its_key_is_taken() -> None:
    claimed = with_request(None, MESSAGE, durable=False)
    other = message_of(ASKS, replace(WORDS, text="Bye"))
    assert not claimed.is_durable
    assert (claimed.is_another(MESSAGE), claimed.is_another(other)) == (False, True)
    assert with_request(claimed, MESSAGE, durable=False) == claimed
    assert with_request(claimed, MESSAGE).is_durable
    assert with_request(with_request(claimed, MESSAGE), other).body_hash == MESSAGE.body_hash, "the first is the one"


async def test_turns_of_a_key_come_in_their_order_and_leave_nothing() -> None:
    turns, seen = Turns(), defaultdict[str, list[int]](list)
    under_way: set[str] = set()

    async def one(key: str, number: int) -> None:
        async with turns.turn(key):
            assert key not in under_way
            under_way.add(key)
            await asyncio.sleep(0.001 * (7 - number % 7))
            under_way.remove(key)
            seen[key].append(number)

    doing = [asyncio.create_task(one("ab"[number % 2], number)) for number in range(40)]
    await asyncio.sleep(0)
    doing[10].cancel()
    await asyncio.gather(*doing, return_exceptions=True)
    assert seen["a"] == [number for number in range(0, 40, 2) if number != 10]
    assert seen["b"] == list(range(1, 40, 2))
    assert not turns._turns
