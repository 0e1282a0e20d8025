"""An embedded broker of one's own, which may be stopped, held up and started again."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.beds.child import Child, child
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.local import jars, kafka, ports
from services.local.home import Home, LocalSettings
from services.local.program import nothing

READY_WITHIN_S = 60.0


class OwnBroker:
    """One broker. Its address and its data stay the same from start to start."""

    def __init__(self, broker: kafka.Broker) -> None:
        self._broker = broker
        self._running = AsyncExitStack()
        self.child: Child | None = None

    @property
    def settings(self) -> KafkaSettings:
        """How clients reach it."""
        return kafka.settings_at(self._broker.address)

    async def start(self) -> None:
        """Starts it and waits until it takes part in its cluster."""
        await self._broker.prepare()
        program = self._broker.program(once_ready=nothing)
        log = self._broker.home.logs / "kafka.log"
        self.child = await self._running.enter_async_context(
            child(program.command, program.environment, log, self._broker.home.kafka)
        )
        await self.ready()

    async def ready(self) -> None:
        """Waits until it takes part in its cluster. One that was held up for long must join it again."""
        async with asyncio.timeout(READY_WITHIN_S):
            while not await self._broker.is_ready():  # noqa: ASYNC110 - a process has no event to wait for
                await asyncio.sleep(0.05)

    async def make_topics(self, prefix: str = "") -> None:
        """Makes every declared topic."""
        settings = self.settings.model_copy(update={"topic_prefix": prefix})
        async with admin.admin_client(settings) as client:
            await admin.create(client, (await admin.standing_of(client, settings)).missing)

    async def stop(self) -> None:
        """Stops it in order."""
        await self._running.aclose()

    async def kill(self) -> None:
        """Kill -9."""
        if self.child is not None:
            await self.child.kill()
        await self._running.aclose()

    def hold_up(self) -> None:
        """It stands still: connections stay open, and nothing answers."""
        if self.child is not None:
            self.child.send(signal.SIGSTOP)

    def let_go(self) -> None:
        """It goes on."""
        if self.child is not None:
            self.child.send(signal.SIGCONT)


@asynccontextmanager
async def own_broker(folder: Path) -> AsyncIterator[OwnBroker]:
    """Under a folder of its own. The jars come from the cache that all checkouts share."""
    settings = LocalSettings(home=folder)
    home = Home.of(settings)
    home.make()
    classpath = jars.fetch(jars.wanted(), jars.Store(home.jars, settings.jar_repository))
    taken: set[int] = set()
    at = [ports.choose(name, 0, home.ports_file, taken) for name in ("kafka", "controller")]
    owned = OwnBroker(kafka.Broker(home, tuple(classpath), *at))
    await owned.start()
    try:
        yield owned
    finally:
        await owned.stop()
