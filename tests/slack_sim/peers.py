"""Agents made of Slack's own Python clients, and what they say and show."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp, AsyncSay
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.answers import EnvelopeShown
from services.slack_sim.control.conditions import Settled, SomeSockets
from tests.slack_sim.first import First

Json = dict[str, Any]
Take = Callable[[AsyncBaseSocketModeClient, SocketModeRequest], Awaitable[None]]
Agent = Callable[[SlackSim, First, list[Json]], AbstractAsyncContextManager[None]]
"""Connects an agent that answers a mention in its thread, and notes every body that it hears."""

PATIENCE_S = 60.0
PING_S = 1.0
"""How often clients look after their sockets, so that they soon see that one is gone."""


async def connect(client: SocketModeClient | AsyncSocketModeHandler) -> None:
    """Opens a socket."""
    if isinstance(client, SocketModeClient):
        await client.connect()  # type: ignore[no-untyped-call]  # the SDK says nothing of its types
    else:
        await client.connect_async()  # type: ignore[no-untyped-call]  # likewise


@asynccontextmanager
async def socket_client(sim: SlackSim, first: First, take: Take) -> AsyncIterator[SocketModeClient]:
    """The SDK's own client, connected."""
    web_client = AsyncWebClient(base_url=sim.api_url)
    client = SocketModeClient(first.app.app_token, web_client=web_client, ping_interval=PING_S)
    client.socket_mode_request_listeners.append(take)
    try:
        await connect(client)
        await sim.wait(SomeSockets(app_id=first.app.id), PATIENCE_S)
        yield client
    finally:
        await client.close()  # type: ignore[no-untyped-call]  # likewise


async def ack(client: AsyncBaseSocketModeClient, request: SocketModeRequest, payload: Json | None = None) -> None:
    """Acknowledges, with an answer perhaps."""
    await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))


def into(queue: asyncio.Queue[SocketModeRequest]) -> Take:
    """Takes what comes without acknowledging it."""

    async def take(_: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await queue.put(request)

    return take


async def soon(queue: asyncio.Queue[SocketModeRequest]) -> SocketModeRequest:
    """What comes next."""
    async with asyncio.timeout(PATIENCE_S):
        return await queue.get()


def bolt(sim: SlackSim, first: First) -> AsyncApp:
    """An app of Bolt's."""
    client = AsyncWebClient(first.bot_token, base_url=sim.api_url)
    return AsyncApp(client=client, signing_secret=first.app.signing_secret)


@asynccontextmanager
async def connected(app: AsyncApp, sim: SlackSim, first: First) -> AsyncIterator[None]:
    """Bolt's own socket handler, connected."""
    web_client = AsyncWebClient(first.app.app_token, base_url=sim.api_url)
    handler = AsyncSocketModeHandler(app, first.app.app_token, web_client=web_client, ping_interval=PING_S)
    try:
        await connect(handler)
        await sim.wait(SomeSockets(app_id=first.app.id), PATIENCE_S)
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # likewise


@asynccontextmanager
async def with_sdk(sim: SlackSim, first: First, heard: list[Json]) -> AsyncIterator[None]:
    """An `Agent` on the SDK alone."""
    bot = AsyncWebClient(first.bot_token, base_url=sim.api_url)

    async def take(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await ack(client, request)
        heard.append(request.payload)
        event = request.payload["event"]
        if event["type"] == "app_mention":
            await bot.chat_postMessage(channel=event["channel"], text=answer_to(event), thread_ts=event["ts"])

    async with socket_client(sim, first, take):
        yield


@asynccontextmanager
async def with_bolt(sim: SlackSim, first: First, heard: list[Json]) -> AsyncIterator[None]:
    """An `Agent` on Bolt."""
    app = bolt(sim, first)

    @app.event("app_mention")
    async def answer(body: Json, event: Json, say: AsyncSay) -> None:
        heard.append(body)
        await say(text=answer_to(event), thread_ts=event["ts"])

    @app.event("message")
    async def hear(body: Json) -> None:
        heard.append(body)

    async with connected(app, sim, first):
        yield


def answer_to(event: Json) -> str:
    """What both say."""
    return f"You said: {event['text'].partition('> ')[2]}"


async def settled(sim: SlackSim, name: str | None = None) -> list[EnvelopeShown]:
    """Every delivery, once each has come to its end."""
    await sim.wait(Settled(), PATIENCE_S)
    return await sim.envelopes(name)


def assert_prompt(envelopes: list[EnvelopeShown]) -> None:
    """Each was acknowledged at its first attempt, in time."""
    assert envelopes
    for each in envelopes:
        assert (each.state, each.late, len(each.attempts)) == ("acknowledged", False, 1), each
