"""A plain Socket Mode client, for what an SDK would not do: acknowledging late, twice, never, or what was not sent."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import ReadSockets
from services.slack_sim.control.conditions import SomeSockets
from tests.slack_sim.calling import call
from tests.slack_sim.first import First

Json = dict[str, Any]


@dataclass
class Socket:
    """One socket, and what came over it."""

    socket: aiohttp.ClientWebSocketResponse
    acknowledges: bool
    frames: list[Json] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def envelopes(self) -> list[Json]:
        return [frame for frame in self.frames if "envelope_id" in frame]

    async def acknowledge(self, envelope: Json, payload: Json | None = None) -> None:
        said: Json = {"envelope_id": envelope["envelope_id"]}
        await self.socket.send_json(said if payload is None else said | {"payload": payload})

    async def until(self, count: int) -> list[Json]:
        """Waits until that many envelopes are there."""
        async with asyncio.timeout(20):
            while len(self.envelopes) < count:
                self.came.clear()
                await self.came.wait()
        return self.envelopes

    async def saying(self, text: str) -> Json:
        """Waits for a message event with that text."""
        async with asyncio.timeout(20):
            while True:
                for envelope in self.envelopes:
                    if envelope["payload"].get("event", {}).get("text") == text:
                        return envelope
                self.came.clear()
                await self.came.wait()

    async def read(self) -> None:
        async for message in self.socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            self.frames.append(frame)
            if self.acknowledges and "envelope_id" in frame:
                await self.acknowledge(frame)
            self.came.set()
        self.came.set()


async def address(sim: SlackSim, first: First) -> str:
    """A fresh address for a socket."""
    opened = await call(sim, "apps.connections.open", first.app.app_token)
    return str(opened["url"])


@asynccontextmanager
async def listening(sim: SlackSim, first: First, *, acknowledges: bool = True) -> AsyncIterator[Socket]:
    """A socket that is open within it."""
    opened = (await sim.ask(ReadSockets())).sockets
    before = sum(each.app_id == first.app.id for each in opened)
    url = await address(sim, first)
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as connection:
        socket = Socket(connection, acknowledges)
        reading = asyncio.create_task(socket.read())
        await sim.wait(SomeSockets(app_id=first.app.id, count=before + 1))
        try:
            yield socket
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
