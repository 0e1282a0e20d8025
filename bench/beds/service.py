"""A service in a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientError, ClientSession
from prometheus_client.parser import text_string_to_metric_families

from bench.beds.child import Child, child

READY_WITHIN_S = 30.0


@dataclass(frozen=True)
class OwnService:
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
        return sum(value for _, value in await self._series(name, labels))

    async def metric_by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """The series with these labels, as they are at one moment, by what another label says."""
        return {found[label]: value for found, value in await self._series(name, labels)}

    async def _series(self, name: str, labels: Mapping[str, str]) -> list[tuple[dict[str, str], float]]:
        async with self.session.get(f"{self.address}/metrics") as answer:
            text = await answer.text()
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

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

    async def until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Waits until it is ready for its work."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        if (await self.health())["ready"]:
                            return
                    except ClientError:
                        if not self.child.is_running:
                            raise
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"it is not ready; {self.child.said()[-1500:]}") from None


AnyService = TypeVar("AnyService", bound=OwnService)


@asynccontextmanager
async def own_service(
    kind: type[AnyService], name: str, folder: Path, environment: Mapping[str, str], *, ready: bool = True
) -> AsyncIterator[AnyService]:
    """Runs `services.<name>` in a folder until it is ready for its work; or only until it can be asked."""
    given = {"THREADLINE_STATE_FOLDER": str(folder / "state")}
    command = (sys.executable, "-m", f"services.{name}")
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    seen = len(log.read_text("utf-8")) if log.exists() else 0
    async with child(command, {**given, **environment}, log, folder) as started, ClientSession() as session:
        found = kind(started, await _address_of(started, name, seen), session)
        if ready:
            await found.until_ready()
        yield found


async def _address_of(started: Child, name: str, seen: int) -> str:
    async with asyncio.timeout(READY_WITHIN_S):
        while started.is_running:
            _, there, rest = started.said()[seen:].partition(f"{name} serves ")
            if there and "/health" in rest:
                return rest.partition("/health")[0]
            await asyncio.sleep(0.02)
    raise RuntimeError(f"{name} did not start: {started.said()[seen:][-1500:]}")
