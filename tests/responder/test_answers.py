"""Answers of the built-in model, as people see them."""

import asyncio

from bench.beds.inbox import Inbox
from schemas.buttons import FEEDBACK, WHY
from schemas.run import RunFeedback
from schemas.topics import AUDIT_RUNS, SLACK_EFFECTS
from services.slack_sim.control import asks
from services.slack_sim.control.conditions import AMessage, AnEphemeral
from tests.responder.conftest import Talk, buttons_of, is_under_way, words_of


async def test_a_mention_is_answered_in_its_thread_once(talk: Talk) -> None:
    ts = await talk.mention("what is up?")
    answer = await talk.answer(ts)
    assert "I am **Mara, Customer Support**" in words_of(answer)
    assert "> what is up?" in words_of(answer)
    assert buttons_of(answer) == [FEEDBACK, WHY]
    assert len(await talk.thread(ts)) == 1
    ended = await talk.ended(answer)
    assert ended.state == "complete"
    assert (ended.session or "").endswith(ts)
    assert ended.usage is not None
    assert ended.usage.model == "rehearsal"
    assert ended.phases is not None
    order = ("accepted", "thinking", "first_token", "last_token", "finished")
    times = [getattr(ended.phases, name) for name in order]
    assert times == sorted(times)
    ledger = [each.event for each in await Inbox(talk.kafka).found(SLACK_EFFECTS)]
    mine = [each for each in ledger if each.effect.run_id == ended.run_id]
    assert [each.effect.purpose for each in mine if each.type == "effect.intended"] == [
        *("placeholder", "stream", "cleanup", "stream", "answer"),
    ]
    assert {each.type for each in mine} == {"effect.intended", "effect.confirmed"}
    assert mine[-1].effect.purpose == "answer"


async def test_a_direct_message_and_what_follows_in_the_thread(talk: Talk) -> None:
    opened = await talk.sim.ask(asks.OpenApp(user_id=talk.first.you, app_id=talk.first.app.id))
    direct = opened.id
    ts = await talk.sim.say(talk.first.you, direct, "hello there")
    first = await talk.answer(ts, channel=direct)
    assert "> hello there" in words_of(first)
    await talk.sim.say(talk.first.you, direct, "and again", ts)
    second = await talk.answer(ts, "> and again", channel=direct, after=first["ts"])
    assert "you wrote to me 1 time in this thread" in words_of(second)


async def test_why_and_feedback(talk: Talk) -> None:
    ts = await talk.mention("tell me why")
    answer = await talk.answer(ts)
    await talk.ended(answer)
    place = {"user_id": talk.first.you, "channel_id": talk.first.support, "ts": answer["ts"]}
    await talk.sim.ask(asks.Press(action_id=WHY, **place))
    shown = AnEphemeral(channel_id=talk.first.support, user_id=talk.first.you, contains="Why this reply")
    told = str(await talk.sim.wait(shown))
    for words in (
        f"<@{talk.first.you}> mentioned the agent",
        "`mara`",
        "`rehearsal`",
        "answered in full",
        "first token",
    ):
        assert words in told
    run_id = answer["metadata"]["event_payload"]["run_id"]
    assert run_id in told
    await talk.sim.ask(asks.Press(action_id=FEEDBACK, value=f"good:{run_id}", **place))
    thanked = AnEphemeral(channel_id=talk.first.support, user_id=talk.first.you, contains="this helped")
    await talk.sim.wait(thanked)
    given = [each.event for each in await Inbox(talk.kafka).found(AUDIT_RUNS) if isinstance(each.event, RunFeedback)]
    assert [(each.run_id, each.verdict, each.given_by) for each in given] == [(run_id, "good", talk.first.you)]


async def test_a_slash_command_is_answered_in_the_channel(talk: Talk) -> None:
    await talk.sim.ask(asks.RunCommand(user_id=talk.first.you, channel_id=talk.first.general, line="/ask what now?"))
    said = await talk.sim.wait(
        AMessage(channel_id=talk.first.general, contains="rehearsal", user_id=talk.first.bot_user)
    )
    async with asyncio.timeout(20):
        while is_under_way(said):
            await asyncio.sleep(0.1)
            found = await talk.sim.transcript(talk.first.general)
            [said] = [each for each in found.messages if each["ts"] == said["ts"]]
    place = {"user_id": talk.first.you, "channel_id": talk.first.general, "ts": said["ts"]}
    await talk.sim.ask(asks.Press(action_id=WHY, **place))
    shown = AnEphemeral(channel_id=talk.first.general, user_id=talk.first.you, contains="used a slash command")
    await talk.sim.wait(shown)


async def test_markdown_arrives_as_it_was_written(talk: Talk) -> None:
    answer = await talk.answer(await talk.mention("show me markdown"))
    for part in ("| tables | 1 |", "```python", "~~struck~~", "> A quotation."):
        assert part in words_of(answer)
