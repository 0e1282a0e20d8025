"""What another service has the responder say: in a channel that it only names, to one person, in a form."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracer

from bench.beds.inbox import Inbox
from schemas import ids
from schemas.base import Event
from schemas.command import Notice, OutboundMessage, Place, ViewRequested
from schemas.effect import EffectConfirmed
from schemas.topics import RUNS_COMMANDS, SLACK_EFFECTS
from services.kit.clock import SystemClock
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from services.responder.decisions.outbound import effect_id_of, partition_key
from services.slack_sim.control import asks
from services.slack_sim.control.conditions import AnEphemeral
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.responder.desk import Desk, opened

CLOCK = SystemClock()
BUTTON = (
    '[{"type":"actions","elements":[{"type":"button","action_id":"a","text":{"type":"plain_text","text":"Why?"}}]}]'
)
FORM = '{"type":"modal","callback_id":"c","title":{"type":"plain_text","text":"Reason"},"blocks":[{"type":"divider"}]}'


@pytest.fixture(scope="module")
async def desk(brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """One for all tests of the module."""
    async with topics_of(fresh(brokers)) as kafka, opened(kafka, databases, tmp_path_factory.mktemp("desk")) as found:
        yield found


async def put(desk: Desk, key: str, command: Event, name: str) -> None:
    """Another service tells the responder to do something."""
    async with Producer(desk.kafka, "router", Instruments(CLOCK, NoEmitter(), NoOpTracer())) as producer:
        await (await producer.send(RUNS_COMMANDS, key, command, name))


async def say(desk: Desk, name: str, text: str, channel: str = "#support", **more: Any) -> Any:
    """What became of a message."""
    connection = f"{desk.first.app.id}:{desk.first.team}"
    record = ids.message_id(connection, name)
    where: dict[str, Any] = {"tenant_id": "acme", "connection": connection, "team_id": desk.first.team}
    message = OutboundMessage(
        at=CLOCK.now(), effect_id=effect_id_of(record), request_key=name, channel_id=channel, token_id="-", text=text,
        **where, **more,
    )  # fmt: skip
    await put(desk, partition_key(message), message, record)
    return await desk.ended(message.effect_id)


def place(desk: Desk, **more: Any) -> Place:
    """The channel for support."""
    connection, team = f"{desk.first.app.id}:{desk.first.team}", desk.first.team
    return Place(tenant_id="acme", connection=connection, team_id=team, channel_id=desk.first.support, **more)


async def clicked(desk: Desk, name: str) -> str:
    """Somebody clicks. Gives the trigger id that their click is good for."""
    view = await say(desk, name, "Ask", desk.first.support, blocks_json=BUTTON)
    pressed = asks.Press(user_id=desk.first.you, action_id="a", channel_id=desk.first.support, ts=view["ts"])
    await desk.sim.ask(pressed)
    envelope = (await desk.sim.envelopes("block_actions"))[-1]
    return str(envelope.payload["trigger_id"])


async def wants_form(desk: Desk, name: str, trigger: str, seconds_ago: float = 0.0, view: str = FORM) -> None:
    """The supervisor wants one opened."""
    common: dict[str, Any] = {"cause": name, "place": place(desk), "user_id": desk.first.you}
    at = CLOCK.now() - timedelta(seconds=seconds_ago)
    asked = ViewRequested(at=at, trigger_id=trigger, view_json=view, **common)
    await put(desk, ids.thread_key(desk.first.team, desk.first.support, None), asked, name)


async def heard(desk: Desk, contains: str) -> dict[str, Any]:
    """What one person alone is told."""
    seen = AnEphemeral(channel_id=desk.first.support, user_id=desk.first.you, contains=contains)
    return await desk.sim.wait(seen, 20)


async def ledger(desk: Desk, command: str) -> list[Any]:
    """What stands there of a command, once it has an end."""
    async with asyncio.timeout(20):
        while True:
            found = [each.event for each in await Inbox(desk.kafka).found(SLACK_EFFECTS)]
            mine = [each for each in found if each.effect.command_id == command]
            if mine and mine[-1].type != "effect.intended":
                return mine
            await asyncio.sleep(0.1)


async def test_a_channel_is_found_by_its_name_and_the_ledger_has_its_id(desk: Desk) -> None:
    first = await say(desk, "n1", "Working", post_id="named", blocks_json=BUTTON, color="#2eb67d")
    second = await say(desk, "n2", "Done", post_id="named")
    below = await say(desk, "n3", "Below", thread_of="named")
    assert (first["state"], first["channel"], second["ts"]) == ("confirmed", desk.first.support, first["ts"])
    assert [each["text"] for each in await desk.said(first["ts"])] == ["Below"]
    entries = [each.event for each in await Inbox(desk.kafka).found(SLACK_EFFECTS)]
    mine = {first["effect_id"], second["effect_id"], below["effect_id"]}
    assert {each.effect.channel_id for each in entries if each.effect.effect_id in mine} == {desk.first.support}
    assert len([each for each in await desk.sim.calls("conversations.list") if each.error is None]) == 1


async def test_a_channel_is_found_among_more_than_a_page_of_them(desk: Desk) -> None:
    wanted = [asks.AddChannel(team_id=desk.first.team, name=f"c-{number}") for number in range(1000)]
    made = {(await desk.sim.ask(each)).id: each.name for each in wanted}
    last = max(made)
    assert (await say(desk, "p1", "Far", f"#{made[last]}"))["channel"] == last


async def test_a_channel_that_is_not_there_is_told_with_what_mends_it(desk: Desk) -> None:
    for name in ("u1", "u2"):
        view = await say(desk, name, "x", "#nowhere")
        assert (view["state"], view["error"]) == ("failed", "channel_not_found")
    said = desk.responder.child.said()
    assert said.count("sees no channel #nowhere: make it and invite the app, or name the channel by its id") == 1


async def test_where_slack_does_not_tell_a_channel_is_posted_to_by_its_name(desk: Desk) -> None:
    await desk.sim.ask(asks.FailCalls(method="conversations.list", kind="error", error="missing_scope", times=2))
    first = await say(desk, "m1", "One", "#general", post_id="by-name")
    second = await say(desk, "m2", "Two", "#general", post_id="by-name")
    assert (second["channel"], second["ts"]) == (desk.first.general, first["ts"])
    assert "channels:read and groups:read mend it" in desk.responder.child.said()
    view = await say(desk, "m3", "x", "#elsewhere")
    assert view["error"] == "channel_not_found"
    said = desk.responder.child.said()
    assert "nothing can be said in #elsewhere" in said
    assert "since Slack says channel_not_found: make it and invite the app" in said


async def test_a_form_is_opened_for_who_clicked(desk: Desk) -> None:
    await wants_form(desk, "f1", await clicked(desk, "c1"))
    (_, end) = await ledger(desk, "f1")
    assert (end.type, end.effect.purpose, end.effect.method) == ("effect.confirmed", "form", "views.open")
    assert len((await desk.sim.ask(asks.ReadViews(user_id=desk.first.you))).views) == 1


async def test_who_waits_for_a_form_in_vain_is_told(desk: Desk) -> None:
    before = len(await desk.sim.calls("views.open"))
    await wants_form(desk, "f2", "1.2.x", seconds_ago=5)
    await heard(desk, "could not be opened in time, and nothing was done. Click again")
    assert [(each.type, getattr(each, "error", None)) for each in await ledger(desk, "f2")][:2] == [
        ("effect.intended", None),
        ("effect.failed", "expired_trigger"),
    ]
    assert len(await desk.sim.calls("views.open")) == before, "what is too late is not tried"
    await wants_form(desk, "f3", await clicked(desk, "c3"), view='{"type":"modal"}')
    await heard(desk, "Slack did not open the form (`invalid_arguments`), and nothing was done")


async def test_a_form_is_tried_once(desk: Desk) -> None:
    before = len(await desk.sim.calls("views.open"))
    trigger = await clicked(desk, "c4")
    await desk.sim.ask(asks.FailCalls(method="views.open", kind="lost_after", times=1))
    await wants_form(desk, "f4", trigger)
    assert (await ledger(desk, "f4"))[-1].type == "effect.unknown"
    assert len(await desk.sim.calls("views.open")) == before + 1


@pytest.mark.parametrize("thread", [None, "thread"])
async def test_a_notice_is_shown_in_a_channel_or_in_a_thread_of_it(desk: Desk, thread: str | None) -> None:
    root = (await say(desk, f"root {thread}", "Root", desk.first.support))["ts"] if thread else None
    notice = Notice(
        at=CLOCK.now(), notice_id="n", cause="c", place=place(desk, thread_ts=root), user_id=desk.first.you,
        notice="task_told", text=f"for you alone {thread}",
    )  # fmt: skip
    await put(desk, ids.thread_key(desk.first.team, desk.first.support, root), notice, f"notice {thread}")
    shown = await heard(desk, f"for you alone {thread}")
    assert shown.get("thread_ts") == root
    assert isinstance((await ledger(desk, f"notice {thread}"))[-1], EffectConfirmed)
