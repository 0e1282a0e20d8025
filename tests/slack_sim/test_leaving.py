"""Sockets that go, and what is on its way meanwhile: nothing is lost, nothing doubled, nothing stuck."""

import asyncio

import pytest

from services.slack_sim.client import Refused, SlackSim
from services.slack_sim.control.asks import (
    Advance,
    ChangeApp,
    DisconnectSockets,
    DropSockets,
    Load,
    ReadCounts,
    Reset,
    RunCommand,
    SetPolicy,
    TroubleLinks,
)
from services.slack_sim.control.conditions import Settled, SomeDeliveries, SomeSockets
from services.slack_sim.simulation import Simulation
from tests.slack_sim.first import First
from tests.slack_sim.listening import listening


async def test_a_refresh_loses_no_acknowledgement(sim: SlackSim, first: First) -> None:
    """Commands never come again, so one that is acknowledged must count, however close the end of its socket is."""
    async with listening(sim, first), listening(sim, first):
        for _ in range(30):
            await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop"))
        await sim.ask(DisconnectSockets(count=1))
        for _ in range(30):
            await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop"))
        await sim.wait(Settled())
    assert (await sim.ask(ReadCounts())).deliveries["acknowledged"] == 60


async def test_a_refresh_under_load_sends_nothing_twice(sim: SlackSim, first: First) -> None:
    async with listening(sim, first), listening(sim, first):
        saying = Load(user_id=first.you, channel_id=first.general, count=2000, per_second=2000)
        loading = asyncio.create_task(sim.ask(saying))
        await sim.wait(SomeDeliveries(count=500))
        await sim.ask(DisconnectSockets(count=1))
        await loading
        await sim.wait(Settled(), timeout_s=30)
    deliveries = (await sim.ask(ReadCounts())).deliveries
    assert (deliveries["acknowledged"], deliveries.get("redeliveries", 0)) == (2000, 0)


async def test_a_client_that_does_not_close_is_closed(sim: SlackSim, first: First) -> None:
    await sim.ask(SetPolicy(closes_after_s=0.2, server_ping_s=0))
    async with listening(sim, first) as socket:
        await sim.ask(DisconnectSockets())
        await sim.wait(SomeSockets(app_id=first.app.id, count=0, opened=1))
        while not socket.socket.closed:
            socket.came.clear()
            await socket.came.wait()
        assert socket.socket.close_code == 1000


async def test_what_waits_for_a_socket_is_lost_by_itself(sim: SlackSim, first: First) -> None:
    await sim.say(first.you, first.general, "anybody?")
    await sim.ask(Advance(seconds=7201))
    await sim.wait(Settled())
    assert [each.state for each in await sim.envelopes()] == ["lost"]


async def test_what_waits_goes_over_http_when_the_app_does(sim: SlackSim, first: First) -> None:
    await sim.ask(SetPolicy(redelivery_s=()))
    await sim.say(first.you, first.general, "anybody?")
    await sim.ask(ChangeApp(app_id=first.app.id, socket_mode=False, request_url="http://127.0.0.1:9/"))
    await sim.wait(Settled())
    (envelope,) = await sim.envelopes()
    assert [each.over for each in envelope.attempts] == ["http"]


async def test_what_is_acknowledged_while_it_waits_goes_no_more(sim: SlackSim, first: First) -> None:
    await sim.ask(TroubleLinks(ack_delay_s=6))
    async with listening(sim, first) as socket:
        await sim.say(first.you, first.general, "hi")
        await socket.saying("hi")
        await asyncio.sleep(0.2)
        await sim.ask(DropSockets())
    await sim.ask(Advance(seconds=4, grace_s=0))
    await sim.ask(Advance(seconds=4, grace_s=0))
    await sim.wait(Settled())
    async with listening(sim, first) as socket:
        await sim.say(first.you, first.general, "later")
        await socket.saying("later")
        assert len(socket.envelopes) == 1


async def test_an_advance_lets_apps_answer_on_the_way(sim: SlackSim, first: First) -> None:
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.say(first.you, first.general, "hi")

        async def answer_slowly() -> None:
            await asyncio.sleep(0.05)
            await socket.acknowledge(await socket.saying("hi"))

        answering = asyncio.create_task(answer_slowly())
        await sim.ask(Advance(seconds=600, grace_s=5))
        await answering
        await sim.wait(Settled())
    (envelope,) = await sim.envelopes()
    assert (envelope.state, len(envelope.attempts)) == ("acknowledged", 1)


async def test_an_event_that_nobody_acknowledges_keeps_nothing_else_in_memory(
    slack: Simulation, sim: SlackSim, first: First
) -> None:
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.say(first.you, first.general, "never")
        await socket.saying("never")
        socket.acknowledges = True
        await sim.ask(Load(user_id=first.you, channel_id=first.general, count=6000, per_second=6000))
        await sim.wait(SomeDeliveries(count=6000), timeout_s=60)
    assert len(slack.dispatcher._by_attempt) <= 5_010
    assert len(slack.dispatcher.last) == 5_000


async def test_an_advance_ends_with_a_reset(sim: SlackSim, first: First) -> None:
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.say(first.you, first.general, "hi")
        await socket.saying("hi")
        advancing = asyncio.create_task(sim.ask(Advance(seconds=86_400, grace_s=1)))
        await asyncio.sleep(0.2)
        await sim.ask(Reset())
        with pytest.raises(Refused, match="started_over"):
            await advancing


async def test_a_reset_ends_everything_that_is_on_its_way(sim: SlackSim, first: First) -> None:
    async with listening(sim, first, acknowledges=False) as socket:
        await sim.say(first.you, first.general, "hi")
        old = await socket.saying("hi")
        await sim.ask(Reset())
        async with listening(sim, first, acknowledges=False) as anew:
            await sim.say(first.you, first.general, "hi again")
            new = await anew.saying("hi again")
            assert new["envelope_id"] != old["envelope_id"]
            await anew.acknowledge(old)
            await anew.acknowledge(new)
            await sim.wait(Settled())
    counts = await sim.ask(ReadCounts())
    assert (counts.deliveries["acknowledged"], counts.deliveries["unknown_acks"], counts.open) == (1, 1, 0)
