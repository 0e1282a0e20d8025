"""Agents made with Bolt, connected over Socket Mode."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.conditions import SomeSockets
from tests.slack_sim.first import First


def made(sim: SlackSim, first: First) -> AsyncApp:
    """An agent that does nothing yet."""
    client = AsyncWebClient(first.bot_token, base_url=sim.api_url)
    return AsyncApp(client=client, signing_secret=first.app.signing_secret)


@asynccontextmanager
async def connected(app: AsyncApp, sim: SlackSim, first: First) -> AsyncIterator[None]:
    """It is connected within it."""
    handler = AsyncSocketModeHandler(app, first.app.app_token)
    handler.client.web_client = AsyncWebClient(first.app.app_token, base_url=sim.api_url)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # the SDK says nothing of its types
    await sim.wait(SomeSockets(app_id=first.app.id), 30)
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # likewise
