"""A question on its way: its shape, its one run, and what is seen of it before the answer."""

import asyncio
from datetime import UTC, datetime

from bench.beds.models import ModelServer, Says
from services.slack_sim.control import asks
from services.slack_sim.control.conditions import AMessage
from services.slack_sim.delivery.policy import Policy
from tests.pipeline.town import Town
from tests.pipeline.traces import decided, requested
from tests.responder.conftest import buttons_of, words_of

THINKING = "Thinking…"


async def test_a_message_reaches_the_responder_in_one_shape(town: Town) -> None:
    acme, first = town.acme, town.acme.first
    root = await acme.sim.say(first.colleague, first.support, "the printer is on fire")
    text = f"<@{first.bot_user}> ask <@{first.colleague}> which one"
    said = await acme.sim.ask(
        asks.Say(user_id=first.you, channel_id=first.support, text=text, thread_ts=root, files=["printer.png"])
    )
    await acme.answer(root)
    [run] = await requested(acme, said.ts)
    message = run.message
    assert (message.id, message.tenant_id, message.thread) == (said.ts, "acme", root)
    assert (message.channel.id, message.channel.kind, message.channel.shared) == (first.support, "channel", False)
    assert (message.sender.id, message.sender.team_id, message.sender.bot) == (first.you, first.team, False)
    assert message.content == f"ask <@{first.colleague}> which one"
    assert message.timestamp == datetime.fromtimestamp(float(said.ts), UTC)
    assert first.colleague in message.mentions
    assert [each.name for each in message.attachments] == ["printer.png"]
    assert (run.trigger, run.agent_id, run.place.thread_ts) == ("mention", "mara", root)


async def test_a_direct_message_has_the_same_shape(town: Town) -> None:
    acme, first = town.acme, town.acme.first
    direct = (await acme.sim.ask(asks.OpenApp(user_id=first.colleague, app_id=first.app.id))).id
    ts = await acme.sim.say(first.colleague, direct, "just between us")
    await acme.answer(ts, "> just between us", channel=direct)
    [run] = await requested(acme, ts)
    assert (run.message.channel.id, run.message.channel.kind) == (direct, "im")
    assert (run.message.sender.id, run.message.content) == (first.colleague, "just between us")
    assert (run.trigger, run.place.thread_ts) == ("dm", ts)


async def test_a_mention_comes_as_two_events_and_is_one_run(town: Town) -> None:
    ts = await town.acme.mention("twice?")
    await town.acme.answer(ts, "> twice?")
    kinds = [each.kind for each in await decided(town.acme, ts, 2)]
    assert kinds == ["dispatched", "duplicate"]
    assert len(await requested(town.acme, ts)) == 1
    assert len(await town.acme.thread(ts)) == 1


async def test_what_slack_delivers_again_is_answered_once(town: Town) -> None:
    acme = town.acme
    await acme.sim.ask(asks.SetPolicy(deadline_s=0.5))
    await acme.sim.ask(asks.TroubleLinks(ack_loss=1.0))
    ts = await acme.mention("did you hear me?")
    made = await decided(acme, ts, 4)
    await acme.sim.ask(asks.TroubleLinks())
    await acme.sim.ask(asks.SetPolicy(**Policy().model_dump()))
    assert [each.kind for each in made].count("dispatched") == 1
    assert {each.kind for each in made} == {"dispatched", "duplicate"}
    assert {each.of for each in made if each.kind == "duplicate"} == {"cause", "event"}
    await acme.answer(ts, "> did you hear me?")
    assert len(await requested(acme, ts)) == 1
    assert len(await acme.thread(ts)) == 1


async def test_it_is_acknowledged_and_thought_about_while_the_model_has_said_nothing(
    town: Town, model: ModelServer
) -> None:
    acme, first, begins = town.acme, town.acme.first, asyncio.Event()
    model.does(Says("It is 42.", waits_for=begins))
    asked = len(model.asked)
    ts = await acme.mention("Vera, what is the answer?")
    thinking = AMessage(channel_id=first.support, thread_ts=ts, user_id=first.bot_user, contains=THINKING)
    shown = await acme.sim.wait(thinking, 30)
    assert len(buttons_of(shown)) == 1, "it can be stopped already"

    async def is_asked() -> bool:
        return len(model.asked) > asked

    await acme.until(is_asked)

    async def is_acknowledged() -> bool:
        sent = [each for each in await acme.sim.envelopes() if each.app_id == first.app.id]
        mine = [each for each in sent if (each.payload.get("event") or {}).get("ts") == ts]
        return [each.state for each in mine] == ["acknowledged"] * 2

    await acme.until(is_acknowledged)
    other = await acme.mention("and you?")
    await acme.answer(other, "> and you?")
    assert [each["text"] for each in await acme.thread(ts)] == [THINKING]
    begins.set()
    answer = await acme.answer(ts)
    assert words_of(answer) == "It is 42."
    assert [each["ts"] for each in await acme.thread(ts)] == [answer["ts"]], "nothing says any more that it thinks"


async def test_an_unknown_workspace_is_logged_and_left_in_silence(town: Town) -> None:
    stray, first = town.stray, town.stray.first
    ts = await stray.mention("anybody here?")
    assert {each.kind for each in await decided(stray, ts, 2)} == {"unknown_workspace"}
    assert "no tenant owns the workspace of" in town.pipeline.router.child.said()
    assert first.team in town.pipeline.router.child.said()
    assert await requested(stray, ts) == []
    assert [each for each in await stray.sim.calls() if each.team_id == first.team] == []
    assert await stray.thread(ts) == []
