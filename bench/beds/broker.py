"""An embedded broker of one's own, which may be stopped, held up and started again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.beds.part import OwnPart
from bench.beds.relay import Relay, relay
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.local import jars, kafka, ports
from services.local.home import Home, LocalSettings
from services.local.program import nothing

READY_WITHIN_S = 60.0


class OwnBroker(OwnPart):
    """One broker. Its address and its data stay the same from start to start."""

    def __init__(self, broker: kafka.Broker, doors: Mapping[str, int], links: Mapping[str, Relay]) -> None:
        super().__init__()
        self._broker = broker
        self._doors = doors
        """Further ports at which it listens."""
        self.links = links
        """What stands before each of these: who comes by one is told of no other address."""

    @property
    def settings(self) -> KafkaSettings:
        """How clients reach it."""
        return kafka.settings_at(self._broker.address)

    def settings_by(self, link: str) -> KafkaSettings:
        """How they reach it by a link."""
        return kafka.settings_at(f"{ports.HOST}:{self.links[link].port}")

    async def start(self) -> None:
        """Starts it and waits until it takes part in its cluster."""
        await self._broker.prepare()
        await asyncio.to_thread(self._open_doors)
        program = self._broker.program(once_ready=nothing)
        await self._run(program, self._broker.home.logs / "kafka.log", self._broker.home.kafka)
        await self.ready()

    async def ready(self) -> None:
        """Waits until it takes part in its cluster. One that was held up for long must join it again."""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self._broker.is_ready():
                    if self.child is None or not self.child.is_running:
                        raise RuntimeError(f"the broker ended before it was ready; {self.last_words()}")
                    await asyncio.sleep(0.05)  # a process has no event to wait for
        except TimeoutError:
            raise TimeoutError(f"no broker within {READY_WITHIN_S:.0f} s; {self.last_words()}") from None

    async def make_topics(self, prefix: str = "") -> None:
        """Makes every declared topic."""
        settings = self.settings.model_copy(update={"topic_prefix": prefix})
        async with admin.admin_client(settings) as client:
            await admin.create(client, (await admin.standing_of(client, settings)).missing)

    async def stop(self) -> None:
        """Stops it in order."""
        await self._running.aclose()

    def _open_doors(self) -> None:
        """Of two lines with one name the broker takes the later."""
        if not self._doors:
            return
        written = self._broker.configuration.read_text("utf-8")
        listed = dict(line.split("=", 1) for line in written.splitlines())
        inside = [f"{name.upper()}://{ports.HOST}:{port}" for name, port in self._doors.items()]
        outside = [f"{name.upper()}://{ports.HOST}:{link.port}" for name, link in self.links.items()]
        plain = [f"{name.upper()}:PLAINTEXT" for name in self._doors]
        added = {"listeners": inside, "advertised.listeners": outside, "listener.security.protocol.map": plain}
        lines = [f"{name}={','.join([listed[name], *more])}\n" for name, more in added.items()]
        self._broker.configuration.write_text(written + "".join(lines), "utf-8")


@asynccontextmanager
async def own_broker(folder: Path, links: Sequence[str] = ()) -> AsyncIterator[OwnBroker]:
    """Under a folder of its own, with a door behind each link. The jars are from the cache that all checkouts share."""
    settings = LocalSettings(home=folder)
    home = Home.of(settings)
    home.make()
    classpath = jars.fetch(jars.wanted(), jars.Store(home.jars, settings.jar_repository))
    taken: set[int] = set()
    at = [ports.choose(name, 0, home.ports_file, taken) for name in ("kafka", "controller")]
    doors = {name: ports.choose(name, 0, home.ports_file, taken) for name in links}
    async with AsyncExitStack() as stack:
        relays = {name: await stack.enter_async_context(relay(ports.HOST, port)) for name, port in doors.items()}
        owned = OwnBroker(kafka.Broker(home, tuple(classpath), *at), doors, relays)
        await owned.start()
        try:
            yield owned
        finally:
            owned.let_go()
            await owned.stop()
