"""A server of tools, over HTTP, that says or breaks what a test wants."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from services.kit.http import served

BREAKS_OFF, HANGS = 0, -1
"""In place of a status: what never answers."""
LOOK_S: Final = 0.05


@dataclass(frozen=True)
class Request:
    """What it was asked."""

    tool: str
    body: dict[str, Any]
    raw: bytes
    headers: dict[str, str]


@dataclass
class ToolServer:
    """Every address of it is a tool. The plan says the status and the words of its next answers."""

    address: str = ""
    plan: list[tuple[int, str]] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What any POST gives."""
        raw = await request.read()
        self.asked.append(Request(request.match_info["tool"], json.loads(raw), raw, dict(request.headers)))
        status, said = self.plan.pop(0) if self.plan else (200, f"done: {self.asked[-1].body['arguments']}")
        if status == BREAKS_OFF and request.transport is not None:
            request.transport.abort()
        while status == HANGS and request.transport is not None:  # noqa: ASYNC110 - until who asks is gone, of which nobody tells
            await asyncio.sleep(LOOK_S)
        return web.Response(status=status if status > 0 else 200, text=said)

    def of(self, **arguments: Any) -> list[Request]:
        """The requests with these arguments."""
        return [each for each in self.asked if each.body["arguments"] == arguments]


@asynccontextmanager
async def tool_server() -> AsyncIterator[ToolServer]:
    """Listens within it."""
    server = ToolServer()
    application = web.Application()
    application.router.add_post("/{tool}", server.answer)
    async with served(application, "127.0.0.1", 0) as address:
        server.address = str(address)
        yield server
