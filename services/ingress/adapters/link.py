"""One socket of Socket Mode: Slack's own client, which leaves it to us what a message means and what comes after it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient
from typing_extensions import override

from services.kit.clock import Clock
from services.kit.quiet import QUIET

PING_EVERY_S = 5.0
DEAF_AFTER_S = 4 * PING_EVERY_S
"""Without a word and without an answer to our pings for so long, a link is deaf."""
HELLO_WITHIN_S = 10.0
ANSWER_WITHIN_S = 3.0
"""A socket that answers a ping and says nothing is taken as it is: a Slack-compatible server may know no hello."""
CONNECT_WITHIN_S = 15.0
LOOK_EVERY_S = 0.5
CLOSE_WITHIN_S = 2.0


Heard = Callable[["Link", str], None]
"""Is given every text frame of a link."""


class NotSent(Exception):
    """The socket is gone."""


class Link(SocketModeClient):
    """One socket. It never opens another by itself."""

    def __init__(self, app_token: str, web_client: AsyncWebClient, heard: "Heard", clock: Clock) -> None:
        super().__init__(
            app_token, logger=QUIET, web_client=web_client, auto_reconnect_enabled=False, ping_interval=PING_EVERY_S
        )
        self._heard, self._clock = heard, clock
        self._heard_at = clock.monotonic()
        self._last_pong: float | None = None
        self.greeted_at: float | None = None
        """When Slack said hello."""
        self.farewell: str | None = None
        """Why Slack wants it to go, once it said so."""
        self.told = asyncio.Event()
        """Set by the first word, whatever it is, and by a farewell."""

    async def ask_for_address(self) -> None:
        """Asks Slack where to connect. `SlackApiError` where it does not want us; other errors are the network's."""
        response = await self.web_client.apps_connections_open(app_token=self.app_token)
        url = response.get("url")
        if not isinstance(url, str):
            raise ConnectionError("Slack's answer holds no address")
        self.wss_uri = url

    async def shake_hands(self) -> None:
        """Connects and waits for Slack's hello, its farewell, or at least an answer to our ping."""
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await self.connect()  # type: ignore[no-untyped-call]  # the SDK says nothing of its types
        self._heard_at = self._clock.monotonic()
        await _wait_for(self.told, ANSWER_WITHIN_S)
        answers = self.last_ping_pong_time is not None  # the client puts a time of its own there only later
        async with asyncio.timeout(HELLO_WITHIN_S):
            while not self.told.is_set():
                if self.is_closed:
                    raise ConnectionResetError("the socket closed before Slack said hello")
                if answers:
                    return
                await _wait_for(self.told, LOOK_EVERY_S)

    @property
    def is_closed(self) -> bool:
        """Whether it carries nothing any more."""
        return self.current_session is None or self.current_session.closed

    def is_deaf(self) -> bool:
        """Whether it is open, and our pings stay unanswered while nothing else comes."""
        if self.last_ping_pong_time != self._last_pong:
            self._last_pong, self._heard_at = self.last_ping_pong_time, self._clock.monotonic()
        return self._clock.monotonic() - self._heard_at > DEAF_AFTER_S

    async def over(self) -> str:
        """Waits until it is to be replaced, and says why."""
        while True:
            if self.is_closed:
                return "lost"
            if self.farewell is not None:
                return self.farewell
            if self.is_deaf():
                return "deaf"
            await _wait_for(self.told, LOOK_EVERY_S)
            if self.farewell is None:
                self.told.clear()

    async def gone(self) -> None:
        """Waits until it carries nothing any more."""
        while not (self.is_closed or self.is_deaf()):  # noqa: ASYNC110 - the client has no event for it
            await asyncio.sleep(LOOK_EVERY_S)

    async def closed_by_slack(self, within_s: float) -> None:
        """Waits until Slack has closed it: until then something may still come by it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.is_closed:  # noqa: ASYNC110 - the client has no event for it
                    await asyncio.sleep(LOOK_EVERY_S)

    @override
    async def enqueue_message(self, message: str) -> None:
        """The client hands over every text frame here, in order, before it looks at it."""
        self._heard_at = self._clock.monotonic()
        if self.greeted_at is None:
            self.told.set()
        self._heard(self, message)

    @override
    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """The client would go on with another socket. Which one comes next the slot decides."""

    async def say(self, text: str) -> None:
        """Sends a frame on this socket, or `NotSent`."""
        session = self.current_session
        if session is None or session.closed:
            raise NotSent
        try:
            await session.send_str(text)
        except (ConnectionError, aiohttp.ClientError) as error:
            raise NotSent from error

    async def end(self) -> None:
        """Closes it, as far as it lets itself be closed."""
        with suppress(TimeoutError, ConnectionError, aiohttp.ClientError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.close()  # type: ignore[no-untyped-call]  # likewise
        for task in (self.message_processor, self.current_session_monitor, self.message_receiver):
            if task is not None:  # where closing took too long, the client has not come to end these
                task.cancel()
        await self.aiohttp_client_session.close()


async def _wait_for(event: asyncio.Event, within_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
