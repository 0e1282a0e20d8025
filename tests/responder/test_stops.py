"""A stop ends a run in every way there is to say so, and nothing follows it."""

import asyncio
from typing import Any

from bench.beds.inbox import Inbox
from schemas.buttons import STOP
from schemas.effect import EffectIntended
from schemas.run import RunCancel, RunState
from schemas.topics import AUDIT_RUNS, SLACK_EFFECTS
from services.slack_sim.control import asks
from services.slack_sim.control.conditions import AnEphemeral
from tests.responder.conftest import Talk, words_of

LONG = "count to 5000"


async def is_stopped(talk: Talk, ts: str, by: str | None = None, channel: str | None = None) -> dict[str, Any]:
    """What stands in the thread, and the audit, once it is."""
    answer = await talk.answer(ts, f"Stopped by <@{by or talk.first.you}>", channel=channel)
    run_id = answer["metadata"]["event_payload"]["run_id"]
    async with asyncio.timeout(10):
        while True:
            audit = [each.event for each in await Inbox(talk.kafka).found(AUDIT_RUNS) if each.event.run_id == run_id]
            ended = [each for each in audit if isinstance(each, RunState) and each.state == "cancelled"]
            if ended:
                break
            await asyncio.sleep(0.1)
    [cancel] = [each for each in audit if isinstance(each, RunCancel)]
    assert cancel.acknowledged
    assert cancel.latency_ms is not None
    ledger = [each.event for each in await Inbox(talk.kafka).found(SLACK_EFFECTS) if each.event.effect.run_id == run_id]
    meant = [each.effect.purpose for each in ledger if isinstance(each, EffectIntended)]
    assert meant[-1] == "stopped"
    assert meant.count("stopped") == 1
    assert "answer" not in meant
    return answer


async def test_the_button_ends_it_and_what_was_written_is_kept(talk: Talk) -> None:
    ts = await talk.mention(LONG)
    shown = await talk.growing(ts)
    place = {"user_id": talk.first.you, "channel_id": talk.first.support, "ts": shown["ts"]}
    await talk.sim.ask(asks.Press(action_id=STOP, **place))
    answer = await is_stopped(talk, ts)
    assert words_of(answer).startswith("1.\n2.\n3.")
    await asyncio.sleep(1)
    assert await talk.thread(ts) == [answer]


async def test_the_word_in_the_thread_ends_it(talk: Talk) -> None:
    ts = await talk.mention(LONG)
    await talk.growing(ts)
    await talk.sim.say(talk.first.you, talk.first.support, "stop", ts)
    await is_stopped(talk, ts)


async def test_the_emoji_on_the_answer_ends_it(talk: Talk) -> None:
    ts = await talk.mention(LONG)
    shown = await talk.growing(ts)
    place = {"user_id": talk.first.you, "channel_id": talk.first.support, "ts": shown["ts"]}
    await talk.sim.ask(asks.React(name="octagonal_sign", **place))
    await is_stopped(talk, ts)


async def test_the_slash_command_ends_what_one_asked_for_in_the_channel(talk: Talk) -> None:
    ts = await talk.mention(LONG, talk.first.general)
    other = await talk.mention(LONG, talk.first.support)
    await talk.growing(ts, channel=talk.first.general)
    await talk.sim.ask(asks.RunCommand(user_id=talk.first.you, channel_id=talk.first.general, line="/stop"))
    await is_stopped(talk, ts, channel=talk.first.general)
    shown = await talk.growing(other)
    place = {"user_id": talk.first.you, "channel_id": talk.first.support, "ts": shown["ts"]}
    await talk.sim.ask(asks.Press(action_id=STOP, **place))
    await is_stopped(talk, other)


async def test_who_did_not_ask_may_not_stop_it_and_is_told(talk: Talk) -> None:
    ts = await talk.mention(LONG)
    shown = await talk.growing(ts)
    theirs = {"user_id": talk.first.colleague, "channel_id": talk.first.support, "ts": shown["ts"]}
    await talk.sim.ask(asks.Press(action_id=STOP, **theirs))
    told = AnEphemeral(channel_id=talk.first.support, user_id=talk.first.colleague, contains="It goes on")
    await talk.sim.wait(told)
    await talk.sim.ask(asks.Press(action_id=STOP, **{**theirs, "user_id": talk.first.you}))
    await is_stopped(talk, ts)


async def test_a_run_that_waits_for_its_thread_can_be_stopped_before_it_begins(talk: Talk) -> None:
    ts = await talk.mention(LONG)
    await talk.growing(ts)
    await talk.mention("and what else?", thread=ts)
    await asyncio.sleep(0.5)
    await talk.sim.say(talk.first.you, talk.first.support, "stop", ts)
    await is_stopped(talk, ts)
    await talk.answer(ts, "before there was an answer")
    assert len([each for each in await talk.thread(ts) if each.get("app_id")]) == 2


async def test_who_stops_what_is_over_is_told_so(talk: Talk) -> None:
    ts = await talk.mention("count to 3")
    await talk.ended(await talk.answer(ts, "3."))
    await talk.sim.say(talk.first.you, talk.first.support, "stop", ts)
    await talk.sim.wait(
        AnEphemeral(channel_id=talk.first.support, user_id=talk.first.you, contains="nothing to stop"), 20
    )


async def test_a_second_stop_changes_nothing(talk: Talk) -> None:
    ts = await talk.mention(LONG)
    await talk.growing(ts)
    for _ in range(2):
        await talk.sim.say(talk.first.you, talk.first.support, "stop", ts)
    answer = await is_stopped(talk, ts)
    await asyncio.sleep(3)
    assert [each for each in await talk.thread(ts) if each.get("app_id")] == [answer]


async def test_slacks_own_stop_ends_it(talk: Talk) -> None:
    ts = await talk.mention(LONG)
    shown = await talk.growing(ts)
    assert shown["streaming_state"] == "in_progress"
    place = {"channel_id": talk.first.support, "thread_ts": ts}
    await talk.sim.ask(asks.StopAgent(user_id=talk.first.you, app_id=talk.first.app.id, **place))
    answer = await is_stopped(talk, ts)
    assert answer["ts"] == shown["ts"]
    assert [each for each in await talk.thread(ts) if each.get("app_id")] == [answer]
