"""An ingress in a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession
from prometheus_client.parser import text_string_to_metric_families

from bench.beds.child import Child, child

READY_WITHIN_S = 30.0


@dataclass(frozen=True)
class OwnIngress:
    """The process, and what it shows of itself."""

    child: Child
    address: str
    """Where its /health and /metrics are."""
    session: ClientSession

    async def health(self) -> dict[str, Any]:
        """What it says of itself."""
        async with self.session.get(f"{self.address}/health") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's series with these labels."""
        async with self.session.get(f"{self.address}/metrics") as answer:
            text = await answer.text()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def until(self, name: str, value: float, within_s: float = 30.0, **labels: str) -> None:
        """Waits until a metric has a value."""
        found = float("nan")
        try:
            async with asyncio.timeout(within_s):
                while (found := await self.metric(name, **labels)) != value:  # noqa: ASYNC110 - a page has no event
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"{name}{labels} is {found}, not {value}; {self.child.said()[-1500:]}") from None

    async def child_says(self, words: str, within_s: float = 30.0) -> None:
        """Waits until it has said something."""
        async with asyncio.timeout(within_s):
            while words not in self.child.said():  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.05)

    def http_address(self) -> str:
        """Where Slack and programs may call it."""
        line = next(line for line in self.child.said().splitlines() if "takes calls at" in line)
        return line.partition("takes calls at ")[2].partition(": ")[0]


@asynccontextmanager
async def own_ingress(folder: Path, environment: Mapping[str, str], *, ready: bool = True) -> AsyncIterator[OwnIngress]:
    """Runs it in a folder, where its spool is, until it is connected; or only until it can be asked."""
    given = {"THREADLINE_SPOOL_FOLDER": str(folder / "spool"), "THREADLINE_STATE_FOLDER": str(folder / "state")}
    command = (sys.executable, "-m", "services.ingress")
    log = folder / "ingress.log"
    seen = len(log.read_text("utf-8")) if log.exists() else 0
    async with child(command, {**given, **environment}, log, folder) as started, ClientSession() as session:
        address = await _address_of(started, seen)
        found = OwnIngress(started, address, session)
        if ready:
            await _until_ready(found)
        yield found


async def _address_of(started: Child, seen: int) -> str:
    async with asyncio.timeout(READY_WITHIN_S):
        while started.is_running:
            _, there, rest = started.said()[seen:].partition("ingress serves ")
            if there and "/health" in rest:
                return rest.partition("/health")[0]
            await asyncio.sleep(0.02)
    raise RuntimeError(f"ingress did not start: {started.said()[seen:][-1500:]}")


async def _until_ready(found: OwnIngress) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                try:
                    if (await found.health())["ready"]:
                        return
                except ClientError:
                    if not found.child.is_running:
                        raise
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise TimeoutError(f"ingress is not ready; {found.child.said()[-1500:]}") from None
