"""Socket Mode against the local Slack: what comes by sockets, how they are kept open, and what is measured of them."""

import asyncio
import json
import random
from itertools import pairwise

import psutil
import pytest
from aiohttp import web

from bench.beds.inbound import stored
from bench.beds.ingress import OwnIngress
from schemas.envelope import SlackEnvelope
from schemas.letter import DeadLetter
from schemas.slack import sealed_for
from schemas.topics import DEAD_LETTERS
from services.kit.groups import KafkaSettings
from services.kit.secrets.sealing import Sealer
from services.slack_sim.client import SlackSim
from services.slack_sim.control.answers import AppShown
from services.slack_sim.control.asks import (
    AddApp,
    Advance,
    Blackhole,
    ChangeApp,
    ChooseShortcut,
    DisconnectSockets,
    DropSockets,
    FailCalls,
    InstallApp,
    Load,
    ReadSockets,
    RefuseSockets,
    RunCommand,
    SetPolicy,
    TroubleLinks,
)
from services.slack_sim.control.conditions import AnEphemeral, SomeDeliveries, SomeSockets
from tests.ingress.conftest import SEALING_KEY, Runs
from tests.ingress.rude_slack import TOKEN, RudeSlack, rude_slack
from tests.slack_sim.first import First
from tests.slack_sim.peers import assert_prompt, settled


async def mention(sim: SlackSim, first: First, text: str = "hello") -> None:
    await sim.say(first.you, first.general, f"<@{first.bot_user}> {text}")


async def states(running: OwnIngress, slot: int) -> dict[str, float]:
    return await running.metric_by("state", "threadline_slack_socket_state", slot=str(slot))


async def test_every_kind_of_envelope_is_published_as_it_was_received(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    async with ingress(THREADLINE_INGRESS_NAME="one") as running:
        await mention(sim, first)
        await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop now"))
        ts = (await sim.transcript(first.general)).messages[-1]["ts"]
        await sim.ask(
            ChooseShortcut(
                user_id=first.you,
                app_id=first.app.id,
                callback_id="threadline:ask",
                channel_id=first.general,
                ts=ts,
            )
        )
        assert_prompt(await settled(sim))
        assert await running.metric("threadline_slack_event_dispatch_seconds_count", event_type="app_mention") == 1
    found = [each.event for each in await stored(topics)]
    envelopes = [each for each in found if isinstance(each, SlackEnvelope)]
    assert [each.kind for each in envelopes] == ["events_api", "events_api", "slash_commands", "interactive"]
    sent = [{**each.payload} for each in await sim.envelopes()]
    for payload in sent:
        del payload["token"]
        payload.pop("response_url", None)
    for envelope in envelopes:
        assert "token" not in envelope.payload
        assert envelope.connection == f"{first.app.id}:{first.team}"
        assert envelope.received.transport == "socket"
        assert envelope.received.ingress == "one"
        assert envelope.received.slot in {0, 1}
        assert envelope.received.envelope_id
        assert {name: value for name, value in envelope.payload.items() if name != "response_url"} in sent


async def test_what_may_be_posted_with_is_sealed(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    async with ingress():
        await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop now"))
        await settled(sim)
    (found,) = await stored(topics)
    assert isinstance(found.event, SlackEnvelope)
    sealed = str(found.event.payload["response_url"])
    assert "http" not in sealed
    opened = Sealer([SEALING_KEY]).open(sealed.encode(), sealed_for(found.event.connection))
    assert opened.get_secret_value().startswith("http")
    assert b"http" not in (found.record.value or b"")


async def test_without_a_key_it_is_left_out(sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings) -> None:
    async with ingress(THREADLINE_SEALING_KEYS="") as running:
        await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop now"))
        await settled(sim)
        assert "THREADLINE_SEALING_KEYS is not set" in running.child.said()
    (found,) = await stored(topics)
    assert isinstance(found.event, SlackEnvelope)
    assert "response_url" not in found.event.payload


async def test_a_slash_command_is_answered_at_once(sim: SlackSim, first: First, ingress: Runs) -> None:
    async with ingress():
        await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop now"))
        found = await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="Got it"))
        assert found


async def test_a_burst_stands_in_the_order_in_which_it_was_said(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    """By one socket, since Slack promises no order between two."""
    async with ingress(THREADLINE_INGRESS_SLOTS="1"):
        await sim.ask(Load(user_id=first.you, channel_id=first.general, count=400, per_second=5000, text="n {number}"))
        assert_prompt(await settled(sim))
    texts = [each.text for each in await stored(topics)]
    assert texts == [f"n {number}" for number in range(400)] or texts == [f"n {number}" for number in range(1, 401)]


async def test_a_refresh_of_one_slot_loses_and_delays_nothing(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    for slots in ("1", "2"):
        async with ingress(THREADLINE_INGRESS_SLOTS=slots) as running:
            await running.until("threadline_slack_socket_state", int(slots), state="connected")
            opened = (await sim.ask(ReadSockets())).opened
            loading = asyncio.create_task(
                sim.ask(Load(user_id=first.you, channel_id=first.general, count=150, per_second=50))
            )
            await asyncio.sleep(0.5)
            await sim.ask(DisconnectSockets(reason="refresh_requested", lead_s=1.0, count=1))
            await sim.wait(SomeSockets(app_id=first.app.id, count=int(slots), opened=opened + 1))
            await loading
            assert_prompt(await settled(sim))
            await running.until("threadline_slack_socket_reconnects_total", 1)
            for slot in range(int(slots)):
                assert (await states(running, slot))["connected"] == 1
    assert len({each.id for each in await stored(topics)}) == 300


async def test_slots_are_never_refreshed_together(sim: SlackSim, first: First, ingress: Runs) -> None:
    async with ingress(THREADLINE_INGRESS_SLOTS="3") as running:
        await running.until("threadline_slack_socket_state", 3, state="connected")
        await sim.ask(TroubleLinks(connect_delay_s=0.5))
        before = (await sim.ask(ReadSockets())).sockets
        await sim.ask(DisconnectSockets(reason="warning"))
        await sim.wait(SomeSockets(app_id=first.app.id, opened=6), 10)
        opened = sorted(each.opened_at for each in (await sim.ask(ReadSockets())).sockets)[-3:]
        assert len(before) == 3
        assert all(later - sooner >= 0.4 for sooner, later in pairwise(opened))


async def test_a_link_that_is_cut_for_a_while(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    async with ingress() as running:
        await running.until("threadline_slack_socket_state", 2, state="connected")
        await mention(sim, first)
        await settled(sim)
        assert sum((await states(running, 0)).values()) == 1
        await sim.ask(RefuseSockets(seconds=3))
        await sim.ask(DropSockets())
        await running.until("threadline_slack_socket_state", 0, state="connected")
        for slot in (0, 1):
            found = await states(running, slot)
            assert sum(found.values()) == 1
            assert found["reconnecting"] + found["authenticated"] == 1
        assert not (await running.health())["ready"]
        await mention(sim, first, "while it was away")
        await running.until("threadline_slack_socket_state", 2, state="connected")
        await settled(sim)
        assert await running.metric("threadline_slack_socket_reconnects_total") == 2
        assert await running.metric("threadline_slack_socket_connection_seconds_count") == 2
        assert (await running.health())["ready"]
    assert any("while it was away" in each.text for each in await stored(topics))


async def test_a_deaf_link_is_replaced(sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings) -> None:
    async with ingress(THREADLINE_INGRESS_SLOTS="1") as running:
        await sim.ask(SetPolicy(server_ping_s=0))
        await sim.ask(Blackhole(seconds=12))
        await running.until("threadline_slack_socket_reconnects_total", 1, within_s=40)
        await mention(sim, first)
        await settled(sim)
    assert len(await stored(topics)) == 2


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked"])
async def test_an_app_that_slack_refuses_is_in_error_and_others_go_on(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings, error: str
) -> None:
    other: AppShown = await sim.ask(AddApp(name="Other"))
    await sim.ask(InstallApp(app_id=other.id, team_id=first.team, channels=[first.general]))
    await sim.ask(FailCalls(method="apps.connections.open", app_id=first.app.id, kind="error", error=error))
    async with ingress(
        THREADLINE_INGRESS_APPS="env,env:other", OTHER_SLACK_APP_TOKEN=other.app_token, ready=False
    ) as running:
        await running.until("threadline_slack_socket_state", 2, state="error", app=first.app.id)
        await running.until("threadline_slack_socket_state", 2, state="connected", app=other.id)
        said = running.child.said()
        assert error in said
        assert "Basic Information, App-Level Tokens" in said
        assert said.count("cannot connect, and tries again every minute") == 2
        assert error in json.dumps(await running.health())
        assert first.app.app_token not in said
        await sim.say(first.you, first.general, "hello both")
        await sim.wait(SomeDeliveries(state="acknowledged", count=1))
        calls = await sim.calls("apps.connections.open")
        assert len([each for each in calls if each.error == error]) == 2, "it is tried again slowly"
    assert {each.event.connection for each in await stored(topics) if isinstance(each.event, SlackEnvelope)} == {
        f"{other.id}:{first.team}"
    }


async def test_socket_mode_that_is_switched_off_is_told(sim: SlackSim, first: First, ingress: Runs) -> None:
    await sim.ask(ChangeApp(app_id=first.app.id, socket_mode=False))
    async with ingress(ready=False) as running:
        await running.until("threadline_slack_socket_state", 2, state="error")
        assert "switch it on in the app's settings" in running.child.said()


async def test_one_to_ten_slots(sim: SlackSim, ingress: Runs) -> None:
    async with ingress(THREADLINE_INGRESS_SLOTS="10") as running:
        await running.until("threadline_slack_socket_state", 10, state="connected")
        assert len((await sim.ask(ReadSockets())).sockets) == 10


async def test_it_leaves_in_order(sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings) -> None:
    async with ingress() as running:
        await mention(sim, first)
        await settled(sim)
        assert await running.child.stop() == 0
        said = running.child.said()
        assert "Traceback" not in said
        assert "spool" not in said
    assert len(await stored(topics)) == 2


async def test_without_a_token_it_says_what_to_do(ingress: Runs) -> None:
    async with ingress(SLACK_APP_TOKEN="", ready=False) as running:
        assert await running.child.process.wait() == 1
        assert "set SLACK_APP_TOKEN" in running.child.said()
        assert "Traceback" not in running.child.said()


async def test_no_port_is_open_but_its_own_pages_and_nothing_polls(sim: SlackSim, ingress: Runs) -> None:
    async with ingress() as running:
        listening = [
            each.laddr
            for each in psutil.Process(running.child.process.pid).net_connections()
            if each.status == "LISTEN"
        ]
        port = int(running.address.rpartition(":")[2])
        assert [(each.ip, each.port) for each in listening] == [("127.0.0.1", port)]
        await sim.ask(Advance(seconds=3600))
        await asyncio.sleep(1)
        assert {each.method for each in await sim.calls()} == {"apps.connections.open"}


def on_rude(slack: RudeSlack) -> dict[str, str]:
    return {"SLACK_API_URL": f"{slack.address}/api/", "SLACK_APP_TOKEN": TOKEN, "THREADLINE_INGRESS_SLOTS": "1"}


def envelope(name: str, **payload: object) -> str:
    about = {"api_app_id": "A1", "team_id": "T1", "token": "planted-verification", **payload}
    return json.dumps({"envelope_id": name, "type": "events_api", "payload": about})


RUBBISH = [
    "no json",
    "",
    "[]",
    "null",
    '{"type":"hello"',
    '{"type":"unheard of"}',
    '{"envelope_id":"e1"}',
    '{"envelope_id":"e2","type":"events_api","payload":"text"}',
    '{"envelope_id":"e3","type":"something new","payload":{}}',
    '{"envelope_id":"e4","type":"events_api","payload":{"token":"planted-verification"}}',
    '{"envelope_id":"e5","type":["events_api"],"payload":{"api_app_id":"A1","team_id":"T1"}}',
    '{"envelope_id":{"x":1},"type":"events_api","payload":{"api_app_id":"A1","team_id":"T1"}}',
    '{"envelope_id":"e6","type":"events_api","payload":{"api_app_id":"A1","team_id":"T1","x":NaN}}',
    envelope("e7", text="\ud800"),
    envelope("e8", text="x" * 1_100_000),
    '{"envelope_id":"e9","type":"events_api","payload":{"api_app_id":"A1","team_id":"T1","x":'
    + "[" * 500
    + "]" * 500
    + "}}",
    "[" * 100_000,
    '{"token":"planted-verification", "broken',
]


async def test_what_nobody_can_read_becomes_dead_letters_and_is_acknowledged_where_it_has_a_name(
    ingress: Runs, topics: KafkaSettings
) -> None:
    async with rude_slack() as slack, ingress(**on_rude(slack)) as running:
        for text in RUBBISH:
            await slack.say(text)
        await slack.say(envelope("good", event={"type": "message", "text": "still here"}))
        await running.until("threadline_slack_event_dispatch_seconds_count", len(RUBBISH) + 1)
        await slack.until_heard(1)
        await asyncio.sleep(0.2)
        acknowledged = {each["envelope_id"] for each in slack.heard}
        assert acknowledged == {"good", "e1", "e2", "e3", "e4", "e5", "e7", "e8", "e9"} - ({"e9"} - acknowledged)
        assert slack.opened == 1, "no frame ends the socket"
        said = running.child.said()
    letters = [each.event for each in await stored(topics, DEAD_LETTERS)]
    values = [each.value for each in letters if isinstance(each, DeadLetter)]
    assert b"no json" in values
    assert not any(b"planted" in (value or b"") for value in values)
    assert "planted" not in said
    assert [each.text for each in await stored(topics)][-1] == "still here"


@pytest.mark.parametrize("seed", range(2))
async def test_random_frames(ingress: Runs, seed: int) -> None:
    chance = random.Random(seed)
    pieces = [
        '"',
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "envelope_id",
        "type",
        "payload",
        "events_api",
        "A1",
        "\\u12",
        "1e999",
        "é",
    ]
    async with rude_slack() as slack, ingress(**on_rude(slack)) as running:
        held = []
        for number in range(1, 6):
            for _ in range(1_000):
                await slack.say("".join(chance.choices(pieces, k=chance.randrange(20))))
            await slack.say(envelope(f"good-{number}"))
            await slack.until_heard(number, 60)
            await asyncio.sleep(1)
            held.append(running.child.rss_mb())
        assert slack.opened == 1
        assert held[4] - held[2] < 10, "what is held for a flood is used for the next one"
        assert (await running.health())["ready"]


async def test_a_socket_that_is_never_greeted_counts_as_none(ingress: Runs) -> None:
    async with rude_slack() as slack:
        slack.greets = False
        async with ingress(**on_rude(slack), ready=False) as running:
            await slack.until_opened(1)
            await slack.sockets[0].close()
            slack.greets = True
            await running.until("threadline_slack_socket_state", 1, state="connected")
            assert await running.metric("threadline_slack_socket_connection_seconds_count") == 0


async def test_a_server_that_knows_no_hello_is_taken_as_it_is(ingress: Runs, topics: KafkaSettings) -> None:
    async with rude_slack() as slack:
        slack.greets = False
        async with ingress(**on_rude(slack)) as running:
            assert await running.metric("threadline_slack_socket_state", state="connected") == 1
            assert slack.opened == 1
            await slack.say(envelope("one"))
            await slack.until_heard(1)
    assert len(await stored(topics)) == 1


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled", "never heard of"])
async def test_farewells(ingress: Runs, reason: str) -> None:
    async with rude_slack() as slack, ingress(**on_rude(slack)) as running:
        await slack.say(json.dumps({"type": "disconnect", "reason": reason}))
        if reason == "too_many_websockets":
            await running.until("threadline_slack_socket_state", 1, state="reconnecting")
            assert "lower THREADLINE_INGRESS_SLOTS" in running.child.said()
            await asyncio.sleep(2)
            assert slack.asked == 1, "at once would only make it worse"
        else:
            await slack.until_opened(2)
            await running.until("threadline_slack_socket_state", 1, state="connected")


async def test_sockets_that_go_at_once_are_not_opened_as_fast_as_it_goes(ingress: Runs) -> None:
    """Slack lets an app ask for addresses a few times a minute."""
    async with rude_slack() as slack:
        slack.ends_at_once = True
        async with ingress(**on_rude(slack), ready=False):
            await asyncio.sleep(8)
            assert 2 <= slack.asked <= 8


async def test_an_app_without_a_token_is_told_and_others_go_on(sim: SlackSim, first: First, ingress: Runs) -> None:
    async with ingress(THREADLINE_INGRESS_APPS="env,files:nobody,gateway", ready=False) as running:
        await running.until("threadline_slack_socket_state", 2, state="connected", app=first.app.id)
        await running.until("threadline_slack_socket_state", 2, state="error", app="files:nobody")
        await running.until("threadline_slack_socket_state", 2, state="error", app="gateway")
        assert "there is no app token (xapp-…) where it is said to be (files:nobody)" in running.child.said()
        await mention(sim, first)
        assert_prompt(await settled(sim))


async def test_one_app_in_two_places_is_refused(first: First, ingress: Runs) -> None:
    twice = {"THREADLINE_INGRESS_APPS": "env,env:again", "AGAIN_SLACK_APP_TOKEN": first.app.app_token}
    async with ingress(**twice, ready=False) as running:
        assert await running.child.process.wait() == 1
        assert "names an app twice" in running.child.said()


async def test_an_answer_that_is_not_slacks_is_tried_again(ingress: Runs) -> None:
    async with rude_slack() as slack:
        slack.answer = lambda: web.Response(text="<html>a proxy's page</html>", status=502)
        async with ingress(**on_rude(slack), ready=False) as running:
            async with asyncio.timeout(20):
                while slack.asked < 2:  # noqa: ASYNC110 - the server has no event for it
                    await asyncio.sleep(0.1)
            slack.answer = lambda: web.json_response({"ok": True})
            await asyncio.sleep(2)
            slack.answer = None
            await running.until("threadline_slack_socket_state", 1, state="connected")
            assert "Traceback" not in running.child.said()


async def test_secrets_never_reach_the_log_even_where_everything_is_logged(ingress: Runs) -> None:
    async with rude_slack() as slack, ingress(**on_rude(slack), THREADLINE_LOG_LEVEL="DEBUG") as running:
        await slack.say(envelope("one", response_url="https://hooks.slack.com/commands/T1/planted"))
        await slack.until_heard(1)
        await slack.sockets[-1].close()
        await slack.until_opened(2)
        assert "planted" not in running.child.said()
