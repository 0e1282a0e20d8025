"""What apps may get wrong harms neither the simulator nor the socket that it came over."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.slack_sim.app import slack_sim
from services.slack_sim.client import Refused, SlackSim, slack_sim_at
from services.slack_sim.control.asks import AddChannel, Edit, Press, ReadCalls, RunCommand, SetLimits
from services.slack_sim.control.conditions import Settled
from services.slack_sim.settings import SlackSimSettings
from tests.slack_sim.calling import Json, call, raw
from tests.slack_sim.first import First
from tests.slack_sim.listening import listening

PLAIN: Json = {"type": "plain_text", "text": "a"}
CONFIRM: Json = {"title": PLAIN, "text": PLAIN, "confirm": PLAIN, "deny": PLAIN}
OPTION: Json = {"text": PLAIN, "value": "v"}
ELEMENTS: list[Json] = [
    {"type": "button", "text": PLAIN, "action_id": "b", "value": "v", "confirm": CONFIRM},
    {"type": "static_select", "action_id": "s", "options": [OPTION], "initial_option": OPTION},
    {"type": "overflow", "action_id": "o", "options": [OPTION]},
    {"type": "datetimepicker", "action_id": "d", "initial_date_time": 1_700_000_000},
]
BLOCKS: list[Json] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "a"}, "accessory": ELEMENTS[0], "block_id": "one"},
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "a"}]},
    {"type": "actions", "elements": ELEMENTS},
    {"type": "context", "elements": [PLAIN]},
    {"type": "input", "label": PLAIN, "element": {"type": "plain_text_input", "action_id": "i"}},
    {"type": "header", "text": PLAIN},
    {"type": "divider"},
    {"type": "markdown", "text": "a"},
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
]
WRONG = [5, [], {}, "x", None, True, ["x"], {"a": 1}, [[]], [None]]


def places(value: Any) -> Iterator[tuple[str | int, ...]]:
    """Every place within blocks."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (name,)
        yield from ((name, *rest) for rest in places(each))


def wrong_at(place: tuple[str | int, ...], value: Any, more: str | None) -> list[Json]:
    """Blocks with one thing put wrong: a value in a place, or a field beside it that does not belong there."""
    blocks: Any = deepcopy(BLOCKS)
    inside = blocks
    for name in place[:-1]:
        inside = inside[name]
    if more is not None and isinstance(inside, dict):
        inside[more] = value
    else:
        inside[place[-1]] = value
    return list(blocks)


FIELDS = st.sampled_from([None, "elements", "accessory", "element", "block_id", "actions", "options", "text", "type"])


@settings(max_examples=400, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def drawn(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(list(places(BLOCKS))))
    MUTANTS.append(wrong_at(place, data.draw(st.sampled_from(WRONG)), data.draw(FIELDS)))


MUTANTS: list[list[Json]] = []


async def test_no_wrong_block_is_more_than_a_wrong_block(sim: SlackSim, first: First) -> None:
    await sim.ask(SetLimits(on=False))
    MUTANTS.clear()
    drawn()
    assert len(MUTANTS) > 300
    good = await call(sim, "chat.postMessage", first.bot_token, channel=first.general, blocks=BLOCKS[2:3])
    assert good["ok"]
    async with listening(sim, first) as socket:
        for blocks in MUTANTS:
            told = await call(sim, "chat.postMessage", first.bot_token, channel=first.general, blocks=blocks)
            assert told["ok"] or told["error"] in {"invalid_blocks", "invalid_blocks_format", "no_text"}, blocks
            modal = {"type": "modal", "title": PLAIN, "submit": PLAIN, "blocks": blocks}
            told = await call(sim, "views.publish", first.bot_token, user_id=first.you, view=modal | {"type": "home"})
            assert told["ok"] or told["error"] == "invalid_arguments", blocks
        assert not socket.socket.closed


async def command(sim: SlackSim, first: First) -> None:
    await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop"))


async def test_whatever_is_answered_to_a_command_its_socket_stays(sim: SlackSim, first: First) -> None:
    answers: list[Json] = [
        {"blocks": [{"type": "divider", "block_id": []}]},
        {"blocks": 5},
        {"text": {"a": 1}},
        {"response_action": "update", "view": 5},
        {"attachments": "x"},
    ]
    async with listening(sim, first, acknowledges=False) as socket:
        for number, answer in enumerate(answers, 1):
            await command(sim, first)
            envelope = (await socket.until(number))[-1]
            await socket.acknowledge(envelope, answer)
        await sim.wait(Settled())
        assert not socket.socket.closed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"blocks": [{"type": "divider", "elements": 5}]}', "ok"),
        (b'{"blocks": [{"type": "divider", "block_id": []}]}', "invalid_blocks"),
        (b'{"text": {"a": 1}}', "invalid_arguments"),
        (b'{"text": "x", "replace_original": "perhaps"}', "invalid_arguments"),
        (b'{"blocks": ' + b"[" * 200 + b"]" * 200 + b"}", "invalid_payload"),
        (b"\xff", "invalid_payload"),
    ],
)
async def test_a_response_url_says_what_was_wrong(sim: SlackSim, first: First, body: bytes, said: str) -> None:
    await command(sim, first)
    url = (await sim.envelopes("/stop"))[-1].payload["response_url"]
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as answer:
        assert (answer.status, await answer.text()) == (200 if said == "ok" else 400, said)


async def test_what_is_nested_too_deep_is_refused_and_harms_no_file(tmp_path: Path) -> None:
    async with (
        slack_sim(SlackSimSettings(slack_sim_port=0, slack_sim_state=tmp_path / "state")) as slack,
        slack_sim_at(slack.address) as sim,
    ):
        first = First.of(await sim.world())
        for depth in (300, 60, 30):
            nested = b'{"a":' * depth + b"1" + b"}" * depth
            body = b'{"channel": "%s", "attachments": [%s]}' % (first.general.encode(), nested)
            _, told, _ = await raw(sim, "chat.postMessage", first.bot_token, body, "application/json")
            assert json.loads(told)["ok"] or json.loads(told)["error"] == "invalid_json"
        assert json.loads(told)["ok"]
        assert (await sim.ask(ReadCalls(method="chat.postMessage"))).calls[0].error == "invalid_json"
        assert len((await sim.transcript(first.general)).messages) == 2
    settings_again = SlackSimSettings(slack_sim_port=0, slack_sim_state=tmp_path / "state")
    async with slack_sim(settings_again) as slack, slack_sim_at(slack.address) as sim:
        assert len((await sim.transcript(first.general)).messages) == 2


async def test_what_is_chosen_is_told_as_long_as_it_is_there(sim: SlackSim, first: First) -> None:
    def form(block_id: str) -> list[Json]:
        return [{"type": "actions", "block_id": block_id, "elements": ELEMENTS}]

    posted = await call(sim, "chat.postMessage", first.bot_token, channel=first.general, blocks=form("one"))
    at = {"user_id": first.you, "channel_id": first.general, "ts": posted["ts"]}
    await sim.ask(Press(**at, action_id="s", value="v"))
    await sim.ask(Press(**at, action_id="b"))
    pressed = (await sim.envelopes("block_actions"))[-1].payload
    assert pressed["actions"][0]["action_id"] == "b"
    assert pressed["state"]["values"]["one"]["s"]["selected_option"]["value"] == "v"
    await call(sim, "chat.update", first.bot_token, channel=first.general, ts=posted["ts"], blocks=form("two"))
    await sim.ask(Press(**at, action_id="b"))
    assert list((await sim.envelopes("block_actions"))[-1].payload["state"]["values"]) == ["two"]
    ts = await sim.say(first.you, first.general, "hi")
    with pytest.raises(Refused, match="no_text"):
        await sim.ask(Edit(user_id=first.you, channel_id=first.general, ts=ts, text=" "))


async def test_the_control_api_refuses_by_name(sim: SlackSim, first: First) -> None:
    with pytest.raises(Refused, match="not_enough_users"):
        await sim.ask(AddChannel(team_id=first.team, kind="direct"))
    with pytest.raises(Refused, match="name_taken"):
        await sim.ask(AddChannel(team_id=first.team, name="general"))


@pytest.mark.parametrize("headers", [{"Host": "["}, {"Origin": "http://["}, {"Host": ""}])
async def test_headers_that_are_no_addresses_are_turned_away(sim: SlackSim, headers: dict[str, str]) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sim.address}/_sim/read_world", data=b"{}", headers=headers) as answer,
    ):
        assert answer.status in {400, 403}
