"""A program that asks for answers over HTTP, with a token of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from services.directory.owner import owner_database
from services.directory.tokens import Tokens, Wanted
from services.kit.clock import Clock
from services.kit.groups import DatabaseSettings

PATIENCE_S: Final = 20.0
LOOK_EVERY_S: Final = 0.2
NOT_YET_KNOWN: Final = 404
"""What became of a run is known a moment after it was asked for."""


class Caller:
    """It asks, and looks what became of it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, asked: dict[str, str]) -> str:
        """The run that it asks for."""
        told = await self._until(lambda: self._session.post("/v1/runs", json=asked))
        return str(told["run_id"])

    async def look(self, run: str) -> dict[str, Any]:
        """What became of a run."""
        return await self._until(lambda: self._session.get(f"/v1/runs/{run}"))

    async def _until(self, request: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with request() as answer:
                    if answer.status != NOT_YET_KNOWN:
                        answer.raise_for_status()
                        told: dict[str, Any] = await answer.json()
                        return told
                await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def caller_at(address: str, database: DatabaseSettings, tenant: str, clock: Clock) -> AsyncIterator[Caller]:
    """One that may ask in the name of a tenant."""
    async with owner_database(database) as owner:
        made = await Tokens(owner, clock).create(Wanted(tenant, "demo", ("runs",)))
    headers = {"Authorization": f"Bearer {made.token.get_secret_value()}"}
    async with aiohttp.ClientSession(address, headers=headers) as session:
        yield Caller(session)
