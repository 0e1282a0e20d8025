"""Socket Mode, as the Python SDK's own client and Bolt for Python speak it."""

import asyncio

import pytest
from aiohttp import ClientSession
from slack_bolt.async_app import AsyncSay
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import (
    Advance,
    DisconnectSockets,
    DropSockets,
    React,
    ReadSockets,
    RevokeToken,
    RunCommand,
    SetPolicy,
)
from services.slack_sim.control.conditions import AMessage, SomeSockets
from tests.slack_sim.first import First
from tests.slack_sim.peers import (
    PATIENCE_S,
    Agent,
    Json,
    ack,
    assert_prompt,
    bolt,
    connected,
    into,
    settled,
    socket_client,
    soon,
    with_bolt,
    with_sdk,
)

UNHURRIED = SetPolicy(deadline_s=PATIENCE_S)
"""Nothing is late, however slow the machine is."""


@pytest.fixture(params=[with_sdk, with_bolt], ids=["slack_sdk", "bolt"])
def agent(request: pytest.FixtureRequest) -> Agent:
    """An agent on each of the clients."""
    made: Agent = request.param
    return made


async def mention(sim: SlackSim, first: First, words: str) -> str:
    return await sim.say(first.you, first.general, f"<@{first.bot_user}> {words}")


async def answered(sim: SlackSim, first: First, thread_ts: str, words: str) -> None:
    until = AMessage(channel_id=first.general, thread_ts=thread_ts, user_id=first.bot_user, contains=f"said: {words}")
    await sim.wait(until, PATIENCE_S)


async def test_a_mention_is_heard_as_both_of_its_events_and_answered_in_its_thread(
    sim: SlackSim, first: First, agent: Agent
) -> None:
    await sim.ask(UNHURRIED)
    heard: list[Json] = []
    async with agent(sim, first, heard):
        ts = await mention(sim, first, "hello")
        await answered(sim, first, ts, "hello")
        envelopes = await settled(sim)
    asked = [each for each in heard if each["event"]["ts"] == ts]
    assert {each["event"]["type"] for each in asked} == {"app_mention", "message"}
    assert len({each["event_id"] for each in asked}) == 2
    assert_prompt(envelopes)
    assert (await sim.transcript(first.general, ts)).messages[0]["reply_count"] == 1


async def test_what_was_said_before_anybody_was_connected_arrives(sim: SlackSim, first: First, agent: Agent) -> None:
    ts = await mention(sim, first, "early")
    async with agent(sim, first, []):
        await answered(sim, first, ts, "early")


@pytest.mark.parametrize("lead_s", [0.0, 2.0], ids=["at once", "after a warning"])
async def test_a_refresh_loses_nothing(sim: SlackSim, first: First, agent: Agent, lead_s: float) -> None:
    heard: list[Json] = []
    async with agent(sim, first, heard):
        said = {"before": await mention(sim, first, "before")}
        await sim.ask(DisconnectSockets(lead_s=lead_s))
        said["meanwhile"] = await mention(sim, first, "meanwhile")
        await sim.wait(SomeSockets(app_id=first.app.id, opened=2), PATIENCE_S)
        said["after"] = await mention(sim, first, "after")
        for words, ts in said.items():
            await answered(sim, first, ts, words)
        envelopes = await settled(sim)
    assert {each.state for each in envelopes} == {"acknowledged"}
    from_you = {each.event_id for each in envelopes if each.payload["event"]["user"] == first.you}
    assert from_you <= {each["event_id"] for each in heard}


async def test_a_socket_that_broke_is_replaced(sim: SlackSim, first: First, agent: Agent) -> None:
    async with agent(sim, first, []):
        await sim.ask(DropSockets())
        ts = await mention(sim, first, "still there?")
        await answered(sim, first, ts, "still there?")
    assert (await sim.ask(ReadSockets())).opened >= 2


async def test_two_connections_share_the_events(sim: SlackSim, first: First, agent: Agent) -> None:
    await sim.ask(UNHURRIED)
    one: list[Json] = []
    other: list[Json] = []
    async with agent(sim, first, one), agent(sim, first, other):
        await sim.wait(SomeSockets(app_id=first.app.id, count=2), PATIENCE_S)
        for number in range(20):
            await sim.say(first.you, first.general, f"number {number}")
        envelopes = await settled(sim)
    assert one
    assert other
    assert sorted(each["event_id"] for each in one + other) == sorted(each.event_id or "" for each in envelopes)
    assert_prompt(envelopes)


async def test_an_event_that_is_not_acknowledged_comes_again(sim: SlackSim, first: First) -> None:
    await sim.ask(SetPolicy(deadline_s=1000.0, redelivery_s=(0.0, 60.0)))
    queue: asyncio.Queue[SocketModeRequest] = asyncio.Queue()
    async with socket_client(sim, first, into(queue)) as client:
        await sim.say(first.you, first.general, "hello")
        tries = [await soon(queue)]
        for seconds in (1000.0, 1060.0):
            await sim.ask(Advance(seconds=seconds))
            tries.append(await soon(queue))
        await ack(client, tries[-1])
        (envelope,) = await settled(sim)
    assert [(each.retry_attempt, each.retry_reason) for each in tries] == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert len({each.payload["event_id"] for each in tries}) == 1
    assert len({each.envelope_id for each in tries}) == 3
    assert (envelope.state, envelope.late) == ("acknowledged", True)


async def test_an_event_that_is_never_acknowledged_is_given_up(sim: SlackSim, first: First) -> None:
    await sim.ask(SetPolicy(deadline_s=1000.0, redelivery_s=(0.0,)))
    queue: asyncio.Queue[SocketModeRequest] = asyncio.Queue()
    async with socket_client(sim, first, into(queue)):
        await sim.say(first.you, first.general, "hello")
        for _ in range(2):
            await soon(queue)
            await sim.ask(Advance(seconds=1000.0))
        (envelope,) = await settled(sim)
    assert (envelope.state, [each.failure for each in envelope.attempts]) == ("given up", ["timeout", "timeout"])


async def test_an_acknowledgement_over_another_socket_counts(sim: SlackSim, first: First) -> None:
    await sim.ask(UNHURRIED)
    queue: asyncio.Queue[SocketModeRequest] = asyncio.Queue()
    async with socket_client(sim, first, into(queue)) as client:
        await sim.say(first.you, first.general, "hello")
        request = await soon(queue)
        before = client.current_session
        await sim.ask(DisconnectSockets())
        await sim.wait(SomeSockets(app_id=first.app.id, opened=2), PATIENCE_S)
        while client.current_session is before:  # noqa: ASYNC110 - the SDK tells nobody
            await asyncio.sleep(0.01)
        await ack(client, request)
        envelopes = await settled(sim)
    assert_prompt(envelopes)
    assert [each.over for each in envelopes[0].attempts] == ["socket 1"]


async def test_what_no_listener_of_bolt_handles_stays_unacknowledged(sim: SlackSim, first: First) -> None:
    await sim.ask(SetPolicy(deadline_s=1000.0, redelivery_s=()))
    app = bolt(sim, first)

    @app.event("reaction_added")
    async def answer(event: Json, say: AsyncSay) -> None:
        await say(channel=event["item"]["channel"], text="You said: nothing")

    async with connected(app, sim, first):
        ts = await sim.say(first.you, first.general, "hello")
        await sim.ask(React(user_id=first.you, channel_id=first.general, ts=ts, name="eyes"))
        await sim.wait(AMessage(channel_id=first.general, contains="nothing"), PATIENCE_S)
        await sim.ask(Advance(seconds=1000.0))
        heard, handled = (await settled(sim))[:2]
    assert (heard.name, heard.state, heard.acknowledged_at) == ("message", "given up", None)
    assert_prompt([handled])


async def test_a_revoked_token_is_told_so_and_the_app_hears_of_it(
    sim: SlackSim, first: First, bot: AsyncWebClient
) -> None:
    queue: asyncio.Queue[SocketModeRequest] = asyncio.Queue()
    async with socket_client(sim, first, into(queue)):
        await sim.ask(RevokeToken(app_id=first.app.id, team_id=first.team))
        heard = [(await soon(queue)).payload["event"]["type"] for _ in range(2)]
    with pytest.raises(SlackApiError) as refused:
        await bot.chat_postMessage(channel=first.general, text="anybody?")
    assert refused.value.response["error"] == "token_revoked"
    assert heard == ["tokens_revoked", "app_uninstalled"]


async def test_nothing_is_sent_to_a_socket_that_was_told_to_go(sim: SlackSim, first: First) -> None:
    async def take(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await ack(client, request)

    app_client = AsyncWebClient(first.app.app_token, base_url=sim.api_url)
    url = str((await app_client.apps_connections_open(app_token=first.app.app_token))["url"])
    async with ClientSession() as session, session.ws_connect(url, autoclose=False), socket_client(sim, first, take):
        await sim.wait(SomeSockets(app_id=first.app.id, count=2), PATIENCE_S)
        await sim.ask(DisconnectSockets(count=1))
        for _ in range(8):
            await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop"))
        commands = await settled(sim, "/stop")
    assert {each.state for each in commands} == {"acknowledged"}
