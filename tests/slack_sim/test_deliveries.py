"""How events reach an app over sockets: once where they are acknowledged, again where they are not."""

import asyncio
import json
from typing import Literal

import aiohttp
import pytest

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import (
    AddApp,
    AddWorkspace,
    Advance,
    DisconnectSockets,
    DropSockets,
    InstallApp,
    Press,
    ReadCounts,
    Reset,
    RunCommand,
    SetPolicy,
    TroubleLinks,
)
from services.slack_sim.control.conditions import AnEphemeral, Settled, SomeDeliveries, SomeSockets
from tests.slack_sim.calling import call
from tests.slack_sim.first import First
from tests.slack_sim.listening import address, listening


async def test_an_event_that_is_acknowledged_comes_once(sim: SlackSim, first: First) -> None:
    async with listening(sim, first) as socket:
        await sim.say(first.you, first.general, f"<@{first.bot_user}> hi")
        mention, message = await socket.until(2)
        await sim.wait(Settled())
        await sim.ask(Advance(seconds=1000))
    assert (mention["payload"]["event"]["type"], message["payload"]["event"]["type"]) == ("app_mention", "message")
    assert mention["payload"]["event"]["ts"] == message["payload"]["event"]["ts"]
    assert mention["payload"]["event_id"] != message["payload"]["event_id"]
    assert "channel_type" not in mention["payload"]["event"]
    assert message["payload"]["event"]["channel_type"] == "channel"
    assert [each.state for each in await sim.envelopes()] == ["acknowledged"] * 2
    assert len(socket.envelopes) == 2


async def test_an_event_that_is_not_acknowledged_comes_again_at_once_and_after_one_and_five_minutes(
    sim: SlackSim, first: First
) -> None:
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.say(first.you, first.general, "hi")
        for count, wait in ((1, 3), (2, 3 + 60), (3, 3 + 300)):
            await socket.until(count)
            await sim.ask(Advance(seconds=wait - 0.5, grace_s=0))
            assert len(socket.envelopes) == count
            await sim.ask(Advance(seconds=1, grace_s=0))
        sent = await socket.until(4)
        await sim.ask(Advance(seconds=10_000))
    assert len({each["envelope_id"] for each in sent}) == 4
    assert len({each["payload"]["event_id"] for each in sent}) == 1
    told = [(each["retry_attempt"], each["retry_reason"]) for each in sent]
    assert told == [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")]
    (delivery,) = await sim.envelopes()
    assert (delivery.state, len(delivery.attempts)) == ("given up", 4)


async def test_what_is_acknowledged_after_its_deadline_is_late_and_comes_no_more(sim: SlackSim, first: First) -> None:
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.say(first.you, first.general, "hi")
        (event,) = await socket.until(1)
        await sim.ask(Advance(seconds=3.1))
        await socket.until(2)
        await socket.acknowledge(event)
        await sim.wait(Settled())
        await socket.acknowledge(event)
        await socket.acknowledge({"envelope_id": "never-sent"})
        await socket.socket.send_str("no json")
        await socket.socket.send_str("[]")
    (delivery,) = await sim.envelopes()
    assert (delivery.state, delivery.late) == ("acknowledged", True)


async def test_any_socket_of_the_app_may_acknowledge(sim: SlackSim, first: First) -> None:
    async with (
        listening(sim, first, acknowledges=False) as one,
        listening(sim, first, acknowledges=False) as two,
    ):
        for number in range(40):
            await sim.say(first.you, first.general, f"hi {number}")
        while len(one.envelopes) + len(two.envelopes) < 40:  # noqa: ASYNC110 - two sockets are waited for
            await asyncio.sleep(0.01)
        assert min(len(one.envelopes), len(two.envelopes)) > 4
        for envelope in one.envelopes:
            await two.acknowledge(envelope)
        for envelope in two.envelopes:
            await one.acknowledge(envelope, {})
        await sim.wait(Settled())
    assert all(len(each.attempts) == 1 for each in await sim.envelopes())


async def test_another_app_cannot_acknowledge_it(sim: SlackSim, first: First) -> None:
    other = await sim.ask(AddApp(name="Other"))
    await sim.ask(InstallApp(app_id=other.id, team_id=first.team, channels=[first.general]))
    as_other = First(**(vars(first) | {"app": other}))
    async with (
        listening(sim, first, acknowledges=False) as mine,
        listening(sim, as_other) as theirs,
    ):
        await sim.say(first.you, first.random, "nobody hears this")
        await sim.say(first.you, first.general, "hi")
        ours, heard = await mine.saying("hi"), await theirs.saying("hi")
        assert ours["payload"]["event_id"] == heard["payload"]["event_id"]
        await theirs.acknowledge(ours)
        await sim.say(first.you, first.general, "again")
        await theirs.saying("again")
        states = {(each.app_id, each.event_id): each.state for each in await sim.envelopes("message")}
    assert states[first.app.id, ours["payload"]["event_id"]] == "sent"


async def test_a_click_is_told_to_the_app_whose_message_it_is_and_to_no_other(sim: SlackSim, first: First) -> None:
    other = await sim.ask(AddApp(name="Other", scopes=first.app.scopes))
    theirs = await sim.ask(InstallApp(app_id=other.id, team_id=first.team, channels=[first.general]))
    button = {"type": "button", "action_id": "threadline:stop", "text": {"type": "plain_text", "text": "Stop"}}
    blocks = [{"type": "actions", "elements": [button]}]
    for token in (theirs.bot_token, first.bot_token):
        said = await call(sim, "chat.postMessage", token, channel=first.general, text="Stop?", blocks=blocks)
        where = {"user_id": first.you, "channel_id": first.general, "ts": said["ts"]}
        await sim.ask(Press(action_id="threadline:stop", **where))
    told = [each.app_id for each in await sim.envelopes("block_actions")]
    assert told == [other.id, first.app.id]


@pytest.mark.parametrize(("policy", "came"), [("keep", 2), ("retry", 2), ("lose", 0)])
async def test_what_happens_while_no_socket_is_open(
    sim: SlackSim, first: First, policy: Literal["keep", "retry", "lose"], came: int
) -> None:
    await sim.ask(SetPolicy(without_socket=policy))
    await sim.say(first.you, first.general, "one")
    await sim.say(first.you, first.general, "two")
    async with listening(sim, first) as socket:
        await sim.ask(Advance(seconds=61))
        if came:
            events = await socket.until(came)
            assert [each["payload"]["event"]["text"] for each in events] == ["one", "two"]
        await sim.wait(Settled())
        assert len(socket.envelopes) == came


async def test_an_event_waits_two_hours_for_a_socket(sim: SlackSim, first: First) -> None:
    await sim.say(first.you, first.general, "too old")
    await sim.ask(Advance(seconds=7000))
    await sim.say(first.you, first.general, "young enough")
    await sim.ask(Advance(seconds=300))
    async with listening(sim, first) as socket:
        await socket.saying("young enough")
        await sim.wait(Settled())
    assert [each.state for each in await sim.envelopes()] == ["lost", "acknowledged"]
    assert len(socket.envelopes) == 1


async def test_an_eleventh_socket_is_turned_away(sim: SlackSim, first: First) -> None:
    url = await address(sim, first)
    async with aiohttp.ClientSession() as session:
        opened = [await session.ws_connect(url) for _ in range(10)]
        hellos = [json.loads((await each.receive()).data) for each in opened]
        assert [each["num_connections"] for each in hellos] == list(range(1, 11))
        eleventh = await session.ws_connect(url)
        assert json.loads((await eleventh.receive()).data)["reason"] == "too_many_websockets"
        assert (await eleventh.receive()).type is aiohttp.WSMsgType.CLOSE
        for each in (*opened, eleventh):
            await each.close()


async def test_a_wrong_or_old_ticket_opens_nothing(sim: SlackSim, first: First) -> None:
    url = await address(sim, first)
    async with aiohttp.ClientSession() as session:
        for wrong in (url.replace("ticket=", "ticket=x"), url.split("?", maxsplit=1)[0]):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
                await session.ws_connect(wrong)
        await sim.ask(Advance(seconds=3601))
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await session.ws_connect(url)


async def test_a_ping_comes_back_exactly(sim: SlackSim, first: First) -> None:
    url = await address(sim, first)
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        await socket.receive()
        await socket.ping(b"sdk-ping-pong:1234.5678")
        pong = await socket.receive()
        assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1234.5678")
        await sim.ask(TroubleLinks(deaf=True))
        await socket.ping(b"nobody answers")
        await sim.say(first.you, first.general, "but events come")
        assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT


async def test_a_refresh_warns_then_closes(sim: SlackSim, first: First) -> None:
    await sim.ask(SetPolicy(server_ping_s=0))
    async with listening(sim, first) as socket:
        await sim.ask(DisconnectSockets(lead_s=10))
        await sim.ask(Advance(seconds=10))
        await socket.until(0)
        await sim.wait(SomeSockets(app_id=first.app.id, count=0))
        while not socket.socket.closed:
            socket.came.clear()
            await socket.came.wait()
    assert [frame.get("reason") for frame in socket.frames] == [None, "warning", "refresh_requested"]
    assert socket.socket.close_code == 1000


async def test_a_connection_is_refreshed_by_itself_after_hours(sim: SlackSim, first: First) -> None:
    async with listening(sim, first) as socket:
        assert socket.frames[0]["debug_info"]["approximate_connection_time"] == 18_060
        await sim.ask(Advance(seconds=18_060))
        while not socket.socket.closed:
            socket.came.clear()
            await socket.came.wait()
    assert [frame.get("reason") for frame in socket.frames[1:]] == ["warning", "refresh_requested"]


async def test_a_dropped_socket_says_nothing_and_its_events_come_again(sim: SlackSim, first: First) -> None:
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.say(first.you, first.general, "hi")
        await socket.until(1)
        assert (await sim.ask(DropSockets())).count == 1
        while not socket.socket.closed:
            socket.came.clear()
            await socket.came.wait()
    await sim.ask(Advance(seconds=4))
    async with listening(sim, first) as again:
        (event,) = await again.until(1)
        assert (event["retry_attempt"], event["payload"]["event"]["text"]) == (1, "hi")
        await sim.wait(Settled())


async def test_a_command_that_nobody_takes_is_told_to_who_typed_it(sim: SlackSim, first: First) -> None:
    await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop now"))
    await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="dispatch_failed"))
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop now"))
        (command,) = await socket.until(1)
        assert command["accepts_response_payload"] is True
        assert "retry_attempt" not in command
        assert (command["payload"]["command"], command["payload"]["text"]) == ("/stop", "now")
        await sim.ask(Advance(seconds=4))
        await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="operation_timeout"))
        await sim.ask(Advance(seconds=400))
        assert len(socket.envelopes) == 1


async def test_lost_acknowledgements_lead_to_redelivery(sim: SlackSim, first: First) -> None:
    await sim.ask(TroubleLinks(ack_loss=1))
    async with listening(sim, first) as socket:
        await sim.say(first.you, first.general, "hi")
        await socket.until(1)
        await sim.ask(TroubleLinks())
        await sim.ask(Advance(seconds=3.5))
        await socket.until(2)
        await sim.wait(Settled())
    assert (await sim.ask(ReadCounts())).deliveries["redeliveries"] == 1


async def test_forgetting_records_forgets_no_delivery_that_is_open(sim: SlackSim, first: First) -> None:
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.say(first.you, first.general, "one")
        await sim.say(first.you, first.general, "two")
        await socket.acknowledge(await socket.saying("one"))
        await sim.wait(SomeDeliveries(state="acknowledged"))
        await sim.ask(Reset(what="records"))
        assert [each.name for each in await sim.envelopes()] == ["message"]
        await socket.acknowledge(await socket.saying("two"))
        await sim.wait(Settled())
    assert (await sim.ask(ReadCounts())).open == 0


async def test_every_workspace_hears_its_own(sim: SlackSim, first: First) -> None:
    other = (await sim.ask(AddWorkspace(name="Other", enterprise_id="E0BIG"))).id
    installed = await sim.ask(InstallApp(app_id=first.app.id, team_id=other))
    assert installed.bot_user_id != first.bot_user
    assert installed.bot_token != first.bot_token
