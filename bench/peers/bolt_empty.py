"""Bolt for Python in Socket Mode with a listener that does nothing: the least that any answer to Slack takes."""

import asyncio

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from services.kit.groups import SlackSettings
from services.kit.settings import load


async def main() -> None:
    """Runs until it is ended."""
    settings = load(SlackSettings)
    if settings.slack_bot_token is None or settings.slack_app_token is None:
        raise SystemExit("SLACK_BOT_TOKEN and SLACK_APP_TOKEN are needed")
    client = AsyncWebClient(settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url)
    app = AsyncApp(client=client, signing_secret="unused")  # noqa: S106 - sockets are not signed
    app.event("message")(_nothing)
    app.event("app_mention")(_nothing)
    token = settings.slack_app_token.get_secret_value()
    web_client = AsyncWebClient(base_url=settings.slack_api_url)
    await AsyncSocketModeHandler(app, token, web_client=web_client).start_async()  # type: ignore[no-untyped-call]


async def _nothing() -> None:
    return


if __name__ == "__main__":
    asyncio.run(main())
