"""What is asked of the Slack that only stamps, and when what happened to each event that it sent."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout

from bench.beds.child import Child, child

READY_WITHIN_S = 30.0


@dataclass(frozen=True)
class Load:
    """Mentions, so many a second, each in a thread of its own; and how the model answers them."""

    per_second: float
    count: int
    workspaces: int = 200
    words: int = 10
    pause_s: float = 0.01
    """After each word."""
    first_s: float = 0.0
    """Until the first."""
    within_s: float = 120.0
    """How long all answers may take after the last event."""


@dataclass(frozen=True)
class Stamps:
    """One event's times, in ms since the first was due."""

    due: float
    acked: float
    asked: float
    """The model's call has come."""
    placed: float
    """So has the first message."""
    last_word: float
    ended: float
    """And the whole answer."""


@dataclass(frozen=True)
class Stamped:
    """What came of a load."""

    stamps: list[Stamps]
    late_ms: list[float]
    """How far behind its time each event was sent: the stamping process's own fault."""
    cpu_s: float
    """What that process used."""

    def acks(self) -> list[float]:
        """From each event to its acknowledgement."""
        return [each.acked - each.due for each in self.stamps]

    def to_model(self) -> list[float]:
        """From each event to the model's call."""
        return [each.asked - each.due for each in self.stamps]

    def to_message(self) -> list[float]:
        """From each event to the first message."""
        return [each.placed - each.due for each in self.stamps]

    def to_end(self) -> list[float]:
        """From the last word to the last call."""
        return [each.ended - each.last_word for each in self.stamps]

    def per_second(self) -> float:
        """How many calls of the model began a second, from the first event to the last call."""
        return len(self.stamps) / max(each.asked for each in self.stamps) * 1000


@dataclass(frozen=True)
class StampingSlack:
    """The process, and how it is asked."""

    address: str
    child: Child
    session: ClientSession

    async def load(self, wanted: Load) -> Stamped:
        """Does it, and waits until everything is answered."""
        async with self.session.post(f"{self.address}/load", json=asdict(wanted)) as answer:
            found = await answer.json()
        if missing := found["missing"]:
            raise TimeoutError(f"after {wanted.within_s:.0f} s, of {wanted.count} events: {missing}")
        return Stamped([Stamps(*each) for each in found["stamps"]], found["late_ms"], found["cpu_s"])

    async def until_connected(self, sockets: int) -> None:
        """Waits until so many sockets are open."""
        async with asyncio.timeout(READY_WITHIN_S):
            while await self._sockets() < sockets:  # noqa: ASYNC110 - a page has no event
                await asyncio.sleep(0.05)

    async def _sockets(self) -> int:
        async with self.session.get(f"{self.address}/sockets") as answer:
            return int(await answer.text())


@asynccontextmanager
async def stamping_slack(log: Path) -> AsyncIterator[StampingSlack]:
    """Runs it on a free port."""
    command = (sys.executable, "-m", "bench.beds.stamping")
    async with child(command, {}, log, Path.cwd()) as started, ClientSession(timeout=ClientTimeout(None)) as session:
        yield StampingSlack(await _address_of(started), started, session)


async def _address_of(started: Child) -> str:
    async with asyncio.timeout(READY_WITHIN_S):
        while started.is_running:
            if "serves " in started.said():
                return started.said().partition("serves ")[2].split()[0]
            await asyncio.sleep(0.02)
    raise RuntimeError(f"the Slack that stamps did not start: {started.said()[-1500:]}")
