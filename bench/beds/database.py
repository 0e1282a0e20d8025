"""An embedded Postgres of one's own, which may be stopped, killed, held up and started again."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.beds.part import OwnPart
from services.kit.groups import DatabaseSettings
from services.local import ports, postgres
from services.local.home import Home, LocalSettings
from services.local.stack import make_tables

READY_WITHIN_S = 60.0
AGAIN_AFTER_S = 0.3


class OwnDatabase(OwnPart):
    """One Postgres. Its address and its data stay the same from start to start."""

    def __init__(self, database: postgres.Database) -> None:
        super().__init__()
        self._database = database

    @property
    def settings(self) -> DatabaseSettings:
        """How services and operators sign in."""
        return self._database.settings()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return ports.HOST, self._database.port

    async def start(self) -> None:
        """Starts it and waits until it answers. What a killed one left may hold up the next for a moment."""
        program = self._database.program()
        await self._database.prepare()
        async with asyncio.timeout(READY_WITHIN_S):
            while not await self._database.is_ready():
                if self.child is None or not self.child.is_running:
                    await self._running.aclose()
                    await self._run(program, self._database.home.logs / "postgres.log", Path("/"))
                await asyncio.sleep(AGAIN_AFTER_S)
        await program.once_ready()

    async def make_tables(self) -> None:
        """Brings the directory's tables to what this version needs."""
        await make_tables(self._database)

    async def stop(self) -> None:
        """Stops it in order. Clients are cut off."""
        if self.child is not None:
            self.child.let_go()
            self.child.send(signal.SIGINT)
            await self.child.process.wait()
        await self._running.aclose()


@asynccontextmanager
async def own_database(folder: Path) -> AsyncIterator[OwnDatabase]:
    """Under a folder of its own, with the directory's tables."""
    settings = LocalSettings(home=folder)
    home = Home.of(settings)
    home.make()
    owned = OwnDatabase(postgres.Database(home, ports.free()))
    await owned.start()
    try:
        await owned.make_tables()
        yield owned
    finally:
        await owned.stop()
