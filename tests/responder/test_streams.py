"""Answers grow by Slack's own streams where Slack takes them, by edits where it does not, and stand once either way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bench.beds.inbox import Inbox
from bench.beds.responder import own_responder
from schemas.buttons import STOP
from schemas.effect import EffectIntended
from schemas.topics import SLACK_EFFECTS
from services.slack_sim.control import asks
from tests.responder.conftest import Talk, Talks, buttons_of, words_of


@pytest.fixture(autouse=True)
async def sound(talk: Talk) -> None:
    """Nothing is left of the test before."""
    await talk.sim.ask(asks.ClearFaults())


async def methods(talk: Talk, answer: dict[str, Any]) -> list[str]:
    """What was meant for the run of an answer, in its order."""
    run_id = answer["metadata"]["event_payload"]["run_id"]
    ledger = [each.event for each in await Inbox(talk.kafka).found(SLACK_EFFECTS) if each.event.effect.run_id == run_id]
    return [each.effect.method for each in ledger if isinstance(each, EffectIntended)]


async def test_an_answer_is_streamed_with_its_button_and_ends_as_one_message(talk: Talk) -> None:
    ts = await talk.mention("count to 300")
    shown = await talk.growing(ts)
    assert shown["streaming_state"] == "in_progress"
    assert buttons_of(shown) == [STOP]
    answer = await talk.answer(ts, "300.")
    assert answer["ts"] == shown["ts"]
    await talk.ended(answer)
    done = ["chat.postMessage", "chat.startStream", "chat.delete", "chat.stopStream", "chat.update"]
    assert await methods(talk, answer) == done
    [said] = await talk.thread(ts)
    assert words_of(said).splitlines()[-1] == "300."
    assert said["streaming_state"] == "completed"


async def test_a_short_answer_is_shown_once(talk: Talk) -> None:
    ts = await talk.mention("count to 2")
    answer = await talk.answer(ts, "2.")
    assert await methods(talk, answer) == ["chat.postMessage", "chat.update"]


async def test_the_button_in_a_stream_stops_it(talk: Talk) -> None:
    ts = await talk.mention("count to 5000")
    shown = await talk.growing(ts)
    place = {"user_id": talk.first.you, "channel_id": talk.first.support, "ts": shown["ts"]}
    await talk.sim.ask(asks.Press(action_id=STOP, **place))
    answer = await talk.answer(ts, "Stopped by")
    assert answer["ts"] == shown["ts"]
    assert words_of(answer).startswith("1.\n2.\n3.")
    await talk.ended(answer)
    assert await talk.thread(ts) == [answer]


@pytest.mark.parametrize(
    "fault",
    [
        asks.FailCalls(method="chat.startStream", kind="lost_after", times=1),
        asks.FailCalls(method="chat.startStream", kind="lost_before", times=1),
        asks.FailCalls(method="chat.startStream", kind="status", status=503, times=1),
        asks.FailCalls(method="chat.startStream", kind="ratelimited", retry_after_s=1, times=1),
        asks.FailCalls(method="chat.startStream", delay_s=1.5, times=1),
        asks.FailCalls(method="chat.appendStream", kind="lost_after", times=1),
        asks.FailCalls(method="chat.appendStream", kind="status", status=500, times=2),
        asks.FailCalls(method="chat.appendStream", kind="error", error="message_not_in_streaming_state", times=1),
        asks.FailCalls(method="chat.appendStream", kind="error", error="stopped_by_user", times=1),
        asks.FailCalls(method="chat.stopStream", kind="lost_after", times=1),
        asks.FailCalls(method="chat.stopStream", kind="status", status=502, times=2),
        asks.FailCalls(method="chat.stopStream", kind="ratelimited", retry_after_s=1, times=1),
        asks.FailCalls(method="chat.delete", kind="lost_after", times=1),
    ],
)
async def test_whatever_goes_wrong_with_it_the_answer_stands_once(talk: Talk, fault: asks.FailCalls) -> None:
    await talk.sim.ask(fault)
    ts = await talk.mention("count to 80", talk.first.general)
    answer = await talk.answer(ts, "80.", channel=talk.first.general)
    await talk.ended(answer)
    assert await talk.thread(ts, talk.first.general) == [answer]
    assert words_of(answer).splitlines()[-1] == "80."
    assert "chat.startStream" in await methods(talk, answer)


async def test_where_thinking_cannot_be_deleted_it_points_to_the_answer(talk: Talk) -> None:
    await talk.sim.ask(asks.FailCalls(method="chat.delete", kind="error", error="cant_delete_message"))
    ts = await talk.mention("count to 60")
    await talk.answer(ts, "60.")
    first, _ = await talk.thread(ts)
    assert first["text"] == "The answer is below."


async def test_where_slack_takes_no_streams_answers_grow_by_edits_and_it_is_not_asked_again(talks: Talks) -> None:
    async with talks() as talk:
        await talk.sim.ask(asks.FailCalls(method="chat.startStream", kind="error", error="unknown_method"))
        for times in ("once", "twice"):
            ts = await talk.mention(f"count to 60, {times}")
            shown = await talk.growing(ts)
            assert "streaming_state" not in shown
            answer = await talk.answer(ts, "60.")
            await talk.ended(answer)
            tried = await methods(talk, answer)
            assert tried.count("chat.startStream") == (1 if times == "once" else 0)
            assert len(await talk.thread(ts)) == 1


async def test_a_stream_whose_responder_was_killed_goes_on_in_its_message(talks: Talks, tmp_path: Path) -> None:
    async with talks(THREADLINE_RESPONDER_NAME="r1", THREADLINE_RESPONDER_SESSION_S="6") as talk:
        ts = await talk.mention("count to 150")
        shown = await talk.growing(ts)
        await talk.pipeline.responder.child.kill()
        async with own_responder(tmp_path / "responder", talk.environment):
            answer = await talk.answer(ts, "150.")
            assert answer["ts"] == shown["ts"]
            await talk.ended(answer)
            await asyncio.sleep(0.5)
            assert len(await talk.thread(ts)) == 1
