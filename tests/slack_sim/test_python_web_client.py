"""The Web API, as the Python SDK's own web client calls it, and Bolt with it."""

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncSay
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import AddChannel, AddUser, Advance, FailCalls, React, SetLimits
from services.slack_sim.control.conditions import AMessage, AnEphemeral, SomeCalls
from tests.slack_sim.first import First
from tests.slack_sim.peers import PATIENCE_S, Json, bolt, connected

POST = "chat.postMessage"


def patient(sim: SlackSim, first: First) -> AsyncWebClient:
    """A client that waits as long as it is told to."""
    client = AsyncWebClient(first.bot_token, base_url=sim.api_url)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    return client


async def errors_of(sim: SlackSim, method: str) -> list[str | None]:
    return [each.error for each in await sim.calls(method)]


async def test_a_message_is_posted_changed_and_deleted(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    metadata: Json = {"event_type": "run", "event_payload": {"id": "r1"}}
    posted = await bot.chat_postMessage(channel=first.general, text="thinking", metadata=metadata)
    ts = str(posted["ts"])
    changed = await bot.chat_update(channel=first.general, ts=ts, text="done")
    assert (changed["text"], changed["message"]["metadata"]) == ("done", metadata)
    history = await bot.conversations_history(channel=first.general, include_all_metadata=True)
    assert [(each["text"], each["metadata"]) for each in history["messages"]] == [("done", metadata)]
    await bot.chat_delete(channel=first.general, ts=ts)
    assert (await sim.transcript(first.general)).messages == []


async def test_an_ephemeral_is_shown_to_one_person(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    await bot.chat_postEphemeral(channel=first.general, user=first.you, text="between us")
    await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="between us"), PATIENCE_S)
    assert (await sim.transcript(first.general, viewer=first.colleague)).ephemerals == []


async def test_reactions_are_put_on_and_taken_off(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    ts = await sim.say(first.you, first.general, "hello")
    await bot.reactions_add(channel=first.general, timestamp=ts, name="eyes")
    await sim.ask(React(user_id=first.you, channel_id=first.general, ts=ts, name="tada"))
    got = await bot.reactions_get(channel=first.general, timestamp=ts)
    assert {each["name"]: each["users"] for each in got["message"]["reactions"]} == {
        "eyes": [first.bot_user],
        "tada": [first.you],
    }
    await bot.reactions_remove(channel=first.general, timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError) as refused:
        await bot.reactions_remove(channel=first.general, timestamp=ts, name="eyes")
    assert refused.value.response["error"] == "no_reaction"


async def test_history_and_replies_are_read_page_by_page(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    said = [await sim.say(first.you, first.general, f"number {number}") for number in range(7)]
    replies = [await sim.say(first.colleague, first.general, f"reply {number}", said[0]) for number in range(7)]
    read: list[str] = []
    pages = 0
    async for page in await bot.conversations_history(channel=first.general, limit=3):
        read += [each["ts"] for each in page["messages"]]
        pages += 1
    assert (read, pages) == (said[::-1], 3)
    read = []
    async for page in await bot.conversations_replies(channel=first.general, ts=said[0], limit=3):
        read += [each["ts"] for each in page["messages"]]
    assert read == [said[0], *replies]


async def test_people_and_channels_are_listed_page_by_page(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    for number in range(4):
        await sim.ask(AddUser(team_id=first.team, name=f"person{number}"))
        await sim.ask(AddChannel(team_id=first.team, name=f"channel{number}", members=[first.you]))
    world = await sim.world()
    people: list[str] = []
    async for page in await bot.users_list(limit=3):
        people += [each["id"] for each in page["members"]]
    channels: list[str] = []
    async for page in await bot.conversations_list(limit=3):
        channels += [each["id"] for each in page["channels"]]
    members: list[str] = []
    async for page in await bot.conversations_members(channel=first.general, limit=2):
        members += page["members"]
    assert sorted(people) == sorted(each.id for each in world.users)
    assert sorted(channels) == sorted(each.id for each in world.channels)
    assert sorted(members) == sorted(next(each.members for each in world.channels if each.id == first.general))


async def test_files_are_uploaded_in_their_three_steps(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    uploads: list[Json] = [
        {"filename": "plan.txt", "content": "water the plants"},
        {"filename": "b.bin", "file": b"\x00\x01"},
    ]
    done = await bot.files_upload_v2(file_uploads=uploads, channel=first.general, initial_comment="the plan")
    assert [(each["name"], each["size"]) for each in done["files"]] == [("plan.txt", 16), ("b.bin", 2)]
    message = await sim.wait(AMessage(channel_id=first.general, contains="the plan"), PATIENCE_S)
    assert [each["id"] for each in message["files"]] == [each["id"] for each in done["files"]]
    info = await bot.files_info(file=done["files"][0]["id"])
    assert info["file"]["channels"] == [first.general]


async def test_a_429_is_waited_out(sim: SlackSim, first: First) -> None:
    await sim.ask(FailCalls(method=POST, kind="ratelimited", retry_after_s=1, times=1))
    await patient(sim, first).chat_postMessage(channel=first.general, text="hello")
    assert await errors_of(sim, POST) == ["ratelimited", None]
    assert len((await sim.transcript(first.general)).messages) == 1


async def test_the_simulators_own_limit_is_waited_out(sim: SlackSim, first: First) -> None:
    await sim.ask(SetLimits(posts_burst=1))
    client = patient(sim, first)
    await asyncio.gather(*(client.chat_postMessage(channel=first.general, text=text) for text in ("one", "two")))
    errors = await errors_of(sim, POST)
    assert (errors[0], errors[1], errors[-1]) == (None, "ratelimited", None)
    assert {each["text"] for each in (await sim.transcript(first.general)).messages} == {"one", "two"}


async def test_a_limit_is_told_in_seconds_and_ends_with_them(sim: SlackSim, bot: AsyncWebClient) -> None:
    await sim.ask(SetLimits(per_minute={"users.list": 1}))
    await bot.users_list()
    with pytest.raises(SlackApiError) as limited:
        await bot.users_list()
    assert (limited.value.response.status_code, limited.value.response["error"]) == (429, "ratelimited")
    retry_after = int(limited.value.response.headers["Retry-After"])
    assert 1 <= retry_after <= 60
    await sim.ask(Advance(seconds=float(retry_after)))
    await bot.users_list()


async def test_bolt_waits_out_a_429_as_well(sim: SlackSim, first: First) -> None:
    await sim.ask(FailCalls(method=POST, kind="ratelimited", retry_after_s=1, times=1))
    app = bolt(sim, first)
    app.client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))

    @app.event("app_mention")
    async def answer(event: dict[str, Any], say: AsyncSay) -> None:
        await say(text="at last", thread_ts=event["ts"])

    async with connected(app, sim, first):
        ts = await sim.say(first.you, first.general, f"<@{first.bot_user}> hello")
        await sim.wait(AMessage(channel_id=first.general, thread_ts=ts, contains="at last"), PATIENCE_S)
        await sim.wait(SomeCalls(method=POST, count=2), PATIENCE_S)
    assert await errors_of(sim, POST) == ["ratelimited", None]
