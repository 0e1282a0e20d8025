"""Buttons, modals, commands, shortcuts and searches, as the Python SDK's own client and Bolt answer them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import ChooseShortcut, Press, ReadViews, RunCommand, SubmitView, Suggest
from services.slack_sim.control.conditions import AMessage, AnEphemeral, AView
from tests.slack_sim import interactive_peers
from tests.slack_sim.first import First
from tests.slack_sim.interactive_peers import BUTTONS
from tests.slack_sim.peers import PATIENCE_S, assert_prompt, settled

Connects = Callable[[SlackSim, First], AbstractAsyncContextManager[None]]


@pytest.fixture(
    params=[interactive_peers.with_sdk, interactive_peers.with_bolt], ids=["slack_sdk", "bolt"], autouse=True
)
async def agent(request: pytest.FixtureRequest, sim: SlackSim, first: First) -> AsyncIterator[None]:
    """An agent on each of the clients, connected."""
    connects: Connects = request.param
    async with connects(sim, first):
        yield


async def buttons(bot: AsyncWebClient, channel_id: str) -> str:
    posted = await bot.chat_postMessage(channel=channel_id, text="What shall I do?", blocks=BUTTONS)
    return str(posted["ts"])


async def test_a_modal_is_opened_refused_changed_and_closed(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    ts = await buttons(bot, first.general)
    await sim.ask(Press(user_id=first.you, channel_id=first.general, ts=ts, action_id="open"))
    view = await sim.wait(AView(user_id=first.you, callback_id="task"), PATIENCE_S)
    submit = SubmitView(user_id=first.you, view_id=view["id"], values={"what": "no"})
    await sim.ask(submit)
    shown = await sim.wait(AView(user_id=first.you, callback_id="task", errors=True), PATIENCE_S)
    assert shown["errors"] == {"what": "Say more."}
    await sim.ask(submit.model_copy(update={"values": {"what": "water the plants"}}))
    changed = await sim.wait(AView(user_id=first.you, callback_id="confirm"), PATIENCE_S)
    assert (changed["id"], changed["errors"]) == (view["id"], {})
    await sim.ask(SubmitView(user_id=first.you, view_id=view["id"]))
    envelopes = await settled(sim)
    assert (await sim.ask(ReadViews(user_id=first.you))).views == []
    interactions = [each for each in envelopes if each.kind == "interactive"]
    assert [each.name for each in interactions] == ["block_actions", *["view_submission"] * 3]
    assert_prompt(interactions)


async def test_a_command_is_answered_with_its_acknowledgement_and_later(sim: SlackSim, first: First) -> None:
    await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/agent-task water the plants"))
    await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="On it"), PATIENCE_S)
    done = await sim.wait(AMessage(channel_id=first.general, contains="Done: water the plants"), PATIENCE_S)
    assert done["user"] == first.bot_user
    assert_prompt(await settled(sim, "/agent-task"))


async def test_a_messages_shortcut_is_answered_to_who_chose_it(sim: SlackSim, first: First) -> None:
    ts = await sim.say(first.colleague, first.general, "the plants are dry")
    shortcut = ChooseShortcut(
        user_id=first.you, app_id=first.app.id, callback_id="threadline:ask", channel_id=first.general, ts=ts
    )
    await sim.ask(shortcut)
    said = AnEphemeral(channel_id=first.general, user_id=first.you, contains="About: the plants are dry")
    await sim.wait(said, PATIENCE_S)
    assert_prompt(await settled(sim, "message_action"))


async def test_a_search_is_answered_with_options_and_one_of_them_is_chosen(
    sim: SlackSim, first: First, bot: AsyncWebClient
) -> None:
    ts = await buttons(bot, first.general)
    select = {"user_id": first.you, "channel_id": first.general, "ts": ts, "action_id": "priority"}
    suggested = await sim.ask(Suggest(**select, value="hi"))
    assert suggested.answer is not None
    assert [each["value"] for each in suggested.answer["options"]] == ["high", "highest"]
    await sim.ask(Press(**select, value="highest"))
    (chosen,) = await settled(sim, "block_actions")
    assert chosen.payload["actions"][0]["selected_option"]["value"] == "highest"
    assert_prompt([chosen])
