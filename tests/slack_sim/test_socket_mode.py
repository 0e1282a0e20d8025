"""Socket Mode, as Slack's own Python clients speak it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.conditions import AMessage, SomeSockets
from tests.slack_sim.first import First


@asynccontextmanager
async def connected(app: AsyncApp, sim: SlackSim, first: First) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(app, first.app.app_token)
    handler.client.web_client = AsyncWebClient(first.app.app_token, base_url=sim.api_url)
    await handler.connect_async()
    await sim.wait(SomeSockets(app_id=first.app.id))
    try:
        yield
    finally:
        await handler.close_async()


def bolt(sim: SlackSim, first: First) -> AsyncApp:
    return AsyncApp(
        client=AsyncWebClient(first.bot_token, base_url=sim.api_url), signing_secret=first.app.signing_secret
    )


async def test_a_mention_is_answered_in_its_thread(sim: SlackSim, first: First) -> None:
    app = bolt(sim, first)

    @app.event("app_mention")
    async def answer(event: dict[str, str], say: object) -> None:
        await say(text=f"You said: {event['text']}", thread_ts=event["ts"])  # type: ignore[operator]

    async with connected(app, sim, first):
        ts = await sim.say(first.you, first.general, f"<@{first.bot_user}> hello")
        reply = await sim.wait(AMessage(channel_id=first.general, thread_ts=ts, user_id=first.bot_user))
        assert reply["text"].endswith("hello")
    assert (await sim.transcript(first.general, ts)).messages[0]["reply_count"] == 1
