"""What the Web API gives to who may see it: channels, history, metadata, streams, response URLs."""

import json
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import (
    AddChannel,
    AddUser,
    AddWorkspace,
    Advance,
    RunCommand,
)
from tests.slack_sim.calling import Json, call
from tests.slack_sim.first import First


def section(text: str) -> list[dict[str, Any]]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]


async def test_another_teams_channels_and_people_are_not_there(sim: SlackSim, first: First) -> None:
    other = (await sim.ask(AddWorkspace(name="Other"))).id
    stranger = (await sim.ask(AddUser(team_id=other, name="stranger"))).id
    theirs = (await sim.ask(AddChannel(team_id=other, name="general", members=[stranger]))).id
    for method, arguments, error in (
        ("chat.postMessage", {"channel": theirs, "text": "hi"}, "channel_not_found"),
        ("conversations.history", {"channel": theirs}, "channel_not_found"),
        ("conversations.info", {"channel": theirs}, "channel_not_found"),
        ("users.info", {"user": stranger}, "user_not_found"),
        ("conversations.open", {"users": stranger}, "user_not_found"),
    ):
        assert (await call(sim, method, first.bot_token, **arguments))["error"] == error


async def test_a_private_channel_is_not_there_for_who_is_not_in_it(sim: SlackSim, first: First) -> None:
    asked = AddChannel(team_id=first.team, name="secret", kind="group", members=[first.you])
    secret = (await sim.ask(asked)).id
    refused = await call(sim, "chat.postMessage", first.bot_token, channel=secret, text="hi")
    assert refused["error"] == "channel_not_found"
    listed = await call(sim, "conversations.list", first.bot_token, types="public_channel,private_channel")
    assert secret not in [channel["id"] for channel in listed["channels"]]


async def test_all_three_styles_of_arguments_say_the_same(sim: SlackSim, first: First) -> None:
    blocks = json.dumps(section("hi"))
    form = aiohttp.FormData({"channel": first.general, "blocks": blocks, "token": first.bot_token, "unfurl_links": "0"})
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{sim.api_url}chat.postMessage", data=form) as answer:
            by_form: Json = await answer.json()
        headers = {"Authorization": f"Bearer {first.bot_token}"}
        query = {"channel": first.general, "blocks": blocks}
        async with session.post(f"{sim.api_url}chat.postMessage", params=query, headers=headers) as answer:
            by_query: Json = await answer.json()
    by_json = await call(sim, "chat.postMessage", first.bot_token, channel=first.general, blocks=section("hi"))
    assert by_form["message"]["blocks"] == by_query["message"]["blocks"] == by_json["message"]["blocks"]


async def test_too_long_a_text_is_cut_with_a_warning(sim: SlackSim, first: First) -> None:
    posted = await call(sim, "chat.postMessage", first.bot_token, channel=first.general, text="x" * 50_000)
    assert (len(posted["message"]["text"]), posted["warning"]) == (40_000, "message_truncated")


async def test_history_is_read_page_by_page(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    said = [await sim.say(first.you, first.general, f"message {number}") for number in range(25)]
    replies = [await sim.say(first.you, first.general, f"reply {number}", said[0]) for number in range(25)]
    pages = [page["messages"] async for page in await bot.conversations_history(channel=first.general, limit=10)]
    assert [message["ts"] for page in pages for message in page] == said[::-1]
    threads = [
        page["messages"] async for page in await bot.conversations_replies(channel=first.general, ts=said[0], limit=11)
    ]
    assert [message["ts"] for page in threads for message in page] == [said[0], *replies]
    between = await bot.conversations_history(channel=first.general, oldest=said[3], latest=said[6])
    assert [message["ts"] for message in between["messages"]] == [said[5], said[4]]
    one = await bot.conversations_history(channel=first.general, latest=said[3], inclusive=True, limit=1)
    assert [message["ts"] for message in one["messages"]] == [said[3]]


async def test_metadata_is_there_for_who_asks_and_outlives_an_edit(first: First, bot: AsyncWebClient) -> None:
    metadata = {"event_type": "run", "event_payload": {"id": "r1", "tags": ["a"], "more": {"n": 1}}}
    ts = (await bot.chat_postMessage(channel=first.general, text="a", metadata=metadata))["ts"]
    await bot.chat_update(channel=first.general, ts=ts, text="b")
    plain = await bot.conversations_history(channel=first.general)
    assert "metadata" not in plain["messages"][0]
    whole = await bot.conversations_history(channel=first.general, include_all_metadata=True)
    assert whole["messages"][0]["metadata"] == metadata
    assert whole["messages"][0]["edited"]["user"] == first.bot_user


async def test_a_stream_lives_as_long_as_slacks(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    dm = (await bot.conversations_open(users=first.you))["channel"]["id"]
    ts = (await bot.chat_startStream(channel=dm, thread_ts="", markdown_text="Once"))["ts"]
    assert (await call(sim, "chat.update", first.bot_token, channel=dm, ts=ts, text="x"))[
        "error"
    ] == "streaming_state_conflict"
    chunks = [{"type": "markdown_text", "text": "x"}]
    mixed = await call(sim, "chat.appendStream", first.bot_token, channel=dm, ts=ts, chunks=chunks)
    assert mixed["error"] == "streaming_mode_mismatch"
    await sim.ask(Advance(seconds=299))
    await bot.chat_appendStream(channel=dm, ts=ts, markdown_text=" upon a time")
    await sim.ask(Advance(seconds=2))
    late = await call(sim, "chat.appendStream", first.bot_token, channel=dm, ts=ts, markdown_text="x")
    assert late["error"] == "message_not_in_streaming_state"
    (message,) = (await sim.transcript(dm)).messages
    assert (message["text"], message["streaming_state"]) == ("Once upon a time", "completed")


async def test_a_response_is_limited_in_uses_and_time(sim: SlackSim, first: First) -> None:
    """The addresses come from a real command, whose app is away: what it is told by is not what is tried here."""

    async def url() -> str:
        await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop"))
        payload = (await sim.envelopes("/stop"))[-1].payload
        return str(payload["response_url"])

    async def post(address: str, body: bytes) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.post(address, data=body) as answer:
            return answer.status, await answer.text()

    address = await url()
    assert await post(address, b"{") == (400, "invalid_payload")
    assert await post(address, b"{}") == (400, "no_text")
    for _ in range(5):
        assert await post(address, b'{"text": "hi"}') == (200, "ok")
    assert await post(address, b'{"text": "hi"}') == (404, '{"ok": false, "error": "used_url"}')
    old = await url()
    await sim.ask(Advance(seconds=1801))
    assert await post(old, b'{"text": "hi"}') == (404, '{"ok": false, "error": "expired_url"}')
    assert (await post(f"{sim.address}/actions/T/1/2", b'{"text": "hi"}'))[0] == 404
