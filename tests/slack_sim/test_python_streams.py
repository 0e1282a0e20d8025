"""Streamed messages, as the Python SDK's `chat_stream`, Bolt's `say_stream` and the plain calls write them."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncSayStream
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import MarkdownTextChunk, PlanUpdateChunk, TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import StopAgent
from services.slack_sim.control.conditions import AMessage, ASession, SomeCalls
from tests.slack_sim.first import First
from tests.slack_sim.peers import PATIENCE_S, bolt, connected

STREAMS = ("chat.startStream", "chat.appendStream", "chat.stopStream")


async def streamed(sim: SlackSim, first: First, thread_ts: str) -> dict[str, Any]:
    """The message, once its stream is over."""
    return await sim.wait(AMessage(channel_id=first.general, thread_ts=thread_ts, user_id=first.bot_user), PATIENCE_S)


async def said_in(sim: SlackSim, method: str) -> list[dict[str, Any]]:
    """What the calls of a method said beside their place."""
    place = {"channel", "thread_ts", "ts", "recipient_team_id", "recipient_user_id"}
    calls = await sim.calls(method)
    assert {each.error for each in calls} <= {None}
    return [{name: value for name, value in each.arguments.items() if name not in place} for each in calls]


async def test_a_stream_that_is_appended_to_piece_by_piece(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    ts = await sim.say(first.you, first.general, "hello")
    stream = await bot.chat_stream(
        channel=first.general, thread_ts=ts, recipient_team_id=first.team, recipient_user_id=first.you, buffer_size=4
    )
    assert await stream.append(markdown_text="**w") is None
    await stream.append(markdown_text="ater ")
    await stream.append(markdown_text="the pl")
    await stream.stop(markdown_text="ants**")
    assert (await streamed(sim, first, ts))["text"] == "**water the plants**"
    pieces = [await said_in(sim, method) for method in STREAMS]
    texts = ["**water ", "the pl", "ants**"]
    assert pieces == [[{"chunks": [{"type": "markdown_text", "text": text}]}] for text in texts]


async def test_a_stream_that_starts_without_a_text_and_stops_without_a_chunk(
    sim: SlackSim, first: First, bot: AsyncWebClient
) -> None:
    ts = await sim.say(first.you, first.general, "hello")
    stream = await bot.chat_stream(
        channel=first.general, thread_ts=ts, recipient_team_id=first.team, recipient_user_id=first.you
    )
    await stream.stop()
    assert (await streamed(sim, first, ts))["text"] == ""
    assert [await said_in(sim, method) for method in STREAMS] == [[{}], [], [{"chunks": []}]]


async def test_a_stream_of_tasks_that_ends_with_blocks_metadata_and_a_status(
    sim: SlackSim, first: First, bot: AsyncWebClient
) -> None:
    ts = await sim.say(first.you, first.general, "hello")
    stream = await bot.chat_stream(
        channel=first.general,
        thread_ts=ts,
        recipient_team_id=first.team,
        recipient_user_id=first.you,
        task_display_mode="plan",
    )
    task = TaskUpdateChunk(id="t1", title="Water", status="in_progress")
    await stream.append(chunks=[PlanUpdateChunk(title="The garden"), task])
    await stream.append(chunks=[TaskUpdateChunk(id="t1", title="Water", status="complete", output="wet")])
    await stream.stop(
        chunks=[MarkdownTextChunk(text="All done.")],
        blocks=[{"type": "divider"}],
        metadata={"event_type": "run", "event_payload": {"id": "r1"}},
        session_status="active",
    )
    message = await streamed(sim, first, ts)
    assert (message["text"], message["metadata"]["event_payload"]) == ("All done.", {"id": "r1"})
    assert [each["type"] for each in message["blocks"]][-1] == "divider"
    await sim.wait(ASession(channel_id=first.general, thread_ts=ts, status="active"), PATIENCE_S)


async def test_a_stream_by_plain_calls_takes_text_or_chunks_and_never_both(
    sim: SlackSim, first: First, bot: AsyncWebClient
) -> None:
    ts = await sim.say(first.you, first.general, "hello")
    started = await bot.chat_startStream(
        channel=first.general, thread_ts=ts, recipient_team_id=first.team, recipient_user_id=first.you
    )
    stream = str(started["ts"])
    await bot.chat_appendStream(channel=first.general, ts=stream, markdown_text="one ")
    with pytest.raises(SlackApiError) as refused:
        await bot.chat_appendStream(channel=first.general, ts=stream, chunks=[MarkdownTextChunk(text="two")])
    assert refused.value.response["error"] == "streaming_mode_mismatch"
    await bot.chat_stopStream(channel=first.general, ts=stream, markdown_text="three")
    assert (await streamed(sim, first, ts))["text"] == "one three"
    with pytest.raises(SlackApiError) as late:
        await bot.chat_appendStream(channel=first.general, ts=stream, markdown_text="four")
    assert late.value.response["error"] == "message_not_in_streaming_state"


async def test_a_stream_that_somebody_stops_is_refused_what_comes_after(
    sim: SlackSim, first: First, bot: AsyncWebClient
) -> None:
    ts = await sim.say(first.you, first.general, "hello")
    stream = await bot.chat_stream(
        channel=first.general, thread_ts=ts, recipient_team_id=first.team, recipient_user_id=first.you, buffer_size=1
    )
    await stream.append(markdown_text="first of a thousand words")
    stopped = await sim.ask(StopAgent(user_id=first.you, channel_id=first.general, thread_ts=ts, app_id=first.app.id))
    assert stopped.streaming_message_ts == [stream.ts]
    with pytest.raises(SlackApiError) as refused:
        await stream.append(markdown_text="second")
    assert refused.value.response["error"] == "stopped_by_user"


async def test_bolt_streams_to_whoever_mentioned_it(sim: SlackSim, first: First) -> None:
    app = bolt(sim, first)

    @app.event("app_mention")
    async def answer(say_stream: AsyncSayStream) -> None:
        stream = await say_stream(buffer_size=1)
        await stream.append(markdown_text="water ")
        await stream.append(markdown_text="the plants")
        await stream.stop()

    @app.event("message")
    async def hear() -> None:
        """Only acknowledges."""

    async with connected(app, sim, first):
        ts = await sim.say(first.you, first.general, f"<@{first.bot_user}> what now?")
        assert (await streamed(sim, first, ts))["text"] == "water the plants"
        await sim.wait(SomeCalls(method="chat.stopStream"), PATIENCE_S)
    (started,) = await sim.calls("chat.startStream")
    assert started.arguments["recipient_user_id"] == first.you
    assert started.arguments["recipient_team_id"] == first.team
