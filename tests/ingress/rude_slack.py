"""A Slack that says on its sockets exactly what it is told to, and remembers what it hears."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

from services.kit.http import served

HELLO = json.dumps({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
TOKEN = "xapp-1-A1-1-planted"


class RudeSlack:
    """It opens sockets for anybody."""

    def __init__(self) -> None:
        self.address = ""
        self.greets = True
        self.ends_at_once = False
        self.sockets: list[web.WebSocketResponse] = []
        self.opened = 0
        self.asked = 0
        self.heard: list[Any] = []
        self.answer: Callable[[], web.Response] | None = None
        """What apps.connections.open says, where it is not an address."""

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/api/apps.connections.open", self._open)
        application.router.add_get("/link", self._serve)
        return application

    async def say(self, text: str) -> None:
        """On the newest socket."""
        await self.sockets[-1].send_str(text)

    async def until_opened(self, count: int, within_s: float = 30.0) -> None:
        async with asyncio.timeout(within_s):
            while self.opened < count:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.02)

    async def until_heard(self, count: int, within_s: float = 30.0) -> None:
        async with asyncio.timeout(within_s):
            while len(self.heard) < count:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.02)

    async def _open(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.answer is not None:
            return self.answer()
        url = f"{self.address.replace('http', 'ws')}/link?ticket=planted-ticket-0123456789"
        return web.json_response({"ok": True, "url": url})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened += 1
        self.sockets.append(socket)
        if self.greets:
            await socket.send_str(HELLO)
        if self.ends_at_once:
            await socket.close()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.heard.append(json.loads(message.data))
        return socket


@asynccontextmanager
async def rude_slack() -> AsyncIterator[RudeSlack]:
    slack = RudeSlack()
    async with served(slack.application(), "127.0.0.1", 0) as address:
        slack.address = str(address)
        yield slack
        for socket in slack.sockets:
            await socket.close()
