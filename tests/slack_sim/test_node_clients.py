"""Slack's own clients for Node, unmodified: @slack/bolt, and @slack/socket-mode with @slack/web-api."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import (
    Advance,
    DisconnectSockets,
    FailCalls,
    Press,
    ReadViews,
    RunCommand,
    SetLimits,
    SetPolicy,
    SubmitView,
)
from services.slack_sim.control.conditions import AMessage, AnEphemeral, AView, SomeSockets
from tests.slack_sim.first import First
from tests.slack_sim.interactive_peers import BUTTONS
from tests.slack_sim.node_clients import HERE, Program, connected, installed
from tests.slack_sim.peers import PATIENCE_S, assert_prompt, settled

POST = "chat.postMessage"
ALONE = "socket_mode.mjs"
UNHURRIED = SetPolicy(deadline_s=PATIENCE_S)


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the clients."""
    return installed()


@pytest.fixture(params=["bolt.mjs", ALONE])
async def agent(request: pytest.FixtureRequest, node: str, sim: SlackSim, first: First) -> AsyncIterator[Program]:
    """An agent on each of the clients, connected."""
    async with connected(node, request.param, sim, first) as running:
        yield running


async def mention(sim: SlackSim, first: First, words: str) -> str:
    return await sim.say(first.you, first.general, f"<@{first.bot_user}> {words}")


async def answered(sim: SlackSim, first: First, thread_ts: str, words: str) -> None:
    until = AMessage(channel_id=first.general, thread_ts=thread_ts, user_id=first.bot_user, contains=words)
    await sim.wait(until, PATIENCE_S)


async def errors_of(sim: SlackSim, method: str) -> list[str | None]:
    return [each.error for each in await sim.calls(method)]


def test_the_lock_names_no_registry() -> None:
    lock = (HERE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock


async def test_a_mention_is_acknowledged_and_answered_and_the_answer_changed(
    sim: SlackSim, first: First, agent: Program
) -> None:
    await sim.ask(UNHURRIED)
    ts = await mention(sim, first, "hello")
    await answered(sim, first, ts, "You said: hello")
    assert_prompt(await settled(sim))
    heard = [each for each in agent.lines("event") if each.get("text", "").endswith("> hello")]
    assert sorted(each["type"] for each in heard) == ["app_mention", "message"]
    assert len({each["id"] for each in heard}) == 2
    assert (await errors_of(sim, POST), await errors_of(sim, "chat.update")) == ([None], [None])


async def test_a_stream_is_written_piece_by_piece(sim: SlackSim, first: First, agent: Program) -> None:
    ts = await mention(sim, first, "stream")
    await answered(sim, first, ts, "**water the plants**")
    for method in ("chat.startStream", "chat.appendStream", "chat.stopStream"):
        assert await errors_of(sim, method) == [None]
    assert "stream" in {each.get("text", "").partition("> ")[2] for each in agent.lines("event")}


async def test_a_modal_is_opened_refused_changed_and_closed(
    sim: SlackSim, first: First, bot: AsyncWebClient, agent: Program
) -> None:
    posted = await bot.chat_postMessage(channel=first.general, text="What shall I do?", blocks=BUTTONS)
    await sim.ask(Press(user_id=first.you, channel_id=first.general, ts=str(posted["ts"]), action_id="open"))
    view = await sim.wait(AView(user_id=first.you, callback_id="task"), PATIENCE_S)
    await sim.ask(SubmitView(user_id=first.you, view_id=view["id"], values={"what": "no"}))
    refused = await sim.wait(AView(user_id=first.you, callback_id="task", errors=True), PATIENCE_S)
    assert refused["errors"] == {"what": "Say more."}
    await sim.ask(SubmitView(user_id=first.you, view_id=view["id"], values={"what": "water the plants"}))
    await sim.wait(AView(user_id=first.you, callback_id="confirm"), PATIENCE_S)
    await sim.ask(SubmitView(user_id=first.you, view_id=view["id"]))
    assert_prompt([each for each in await settled(sim) if each.kind == "interactive"])
    assert (await sim.ask(ReadViews(user_id=first.you))).views == []
    assert [each["type"] for each in agent.lines("interaction")] == ["block_actions", *["view_submission"] * 3]


async def test_a_command_is_answered_with_its_acknowledgement_and_later(
    sim: SlackSim, first: First, agent: Program
) -> None:
    await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/agent-task water the plants"))
    await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="On it"), PATIENCE_S)
    await sim.wait(AMessage(channel_id=first.general, contains="Done: water the plants"), PATIENCE_S)
    assert_prompt(await settled(sim, "/agent-task"))
    assert [each["text"] for each in agent.lines("command")] == ["water the plants"]


async def test_a_refresh_loses_nothing(sim: SlackSim, first: First, agent: Program) -> None:
    said = {"before": await mention(sim, first, "before")}
    await sim.ask(DisconnectSockets(lead_s=1.0))
    said["meanwhile"] = await mention(sim, first, "meanwhile")
    await sim.wait(SomeSockets(app_id=first.app.id, opened=2), PATIENCE_S)
    said["after"] = await mention(sim, first, "after")
    for words, ts in said.items():
        await answered(sim, first, ts, f"You said: {words}")
    await agent.line("reconnecting")
    await agent.line("connected", 2)
    assert {each.state for each in await settled(sim)} == {"acknowledged"}


async def test_a_429_is_waited_out(sim: SlackSim, first: First, agent: Program) -> None:
    await sim.ask(FailCalls(method=POST, kind="ratelimited", retry_after_s=1, times=1))
    ts = await mention(sim, first, "hello")
    await answered(sim, first, ts, "You said: hello")
    assert (await agent.line("rate limited"))["seconds"] == 1
    assert await errors_of(sim, POST) == ["ratelimited", None]


async def test_the_simulators_own_limit_is_waited_out(sim: SlackSim, first: First, agent: Program) -> None:
    await sim.ask(SetLimits(posts_burst=1))
    said = {words: await mention(sim, first, words) for words in ("one", "two")}
    for words, ts in said.items():
        await answered(sim, first, ts, f"You said: {words}")
    await agent.line("rate limited")
    assert "ratelimited" in await errors_of(sim, POST)


async def test_an_event_that_is_not_acknowledged_comes_again(sim: SlackSim, first: First, node: str) -> None:
    await sim.ask(SetPolicy(deadline_s=1000.0))
    async with connected(node, ALONE, sim, first) as agent:
        await sim.say(first.you, first.general, "ignore me once")
        await agent.line("event")
        await sim.ask(Advance(seconds=1000.0))
        await agent.line("event", 2)
        (envelope,) = await settled(sim)
    assert [(each["retryNum"], each["retryReason"]) for each in agent.lines("event")] == [(0, ""), (1, "timeout")]
    assert len({each["id"] for each in agent.lines("event")}) == 1
    assert envelope.state == "acknowledged"
