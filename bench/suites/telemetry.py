"""What telemetry costs: the router with every measurement and every trace, and with none, over the same log."""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.beds.child import child
from bench.beds.decided import until_quiet
from bench.beds.preloaded import preload, rate_of, topics_of
from bench.beds.router import describe, own_router, router_environment
from bench.beds.traffic import Traffic
from bench.figure import Figure, Goal, Peer
from bench.suite import Bed, Measured, Suite
from schemas.topics import AUDIT_DECISIONS
from services.kit.clock import SystemClock
from services.local import kafka, postgres

EVENTS = 20_000
WITHIN_S = 120.0
SCRAPED_EVERY_S = 5.0
"""Three times as often as the sample configuration has it."""
WITH, WITHOUT = "with telemetry", "without"


async def run(bed: Bed, number: int) -> Measured:
    """Both over the same log, one after the other; each run begins with the other one."""
    await describe(bed.database, Traffic(7).document())
    figures: dict[str, float] = {}
    with TemporaryDirectory(prefix="threadline-telemetry-") as folder:
        async with _collector(Path(folder)) as address:
            for how in (WITH, WITHOUT) if number % 2 else (WITHOUT, WITH):
                told = {"OTEL_EXPORTER_OTLP_ENDPOINT": address} if how == WITH else {"THREADLINE_METRICS": "false"}
                figures |= await _router(bed, number, how, told, Path(folder))
    return Measured(figures)


async def _router(bed: Bed, number: int, how: str, told: dict[str, str], folder: Path) -> dict[str, float]:
    settings = await topics_of(bed, f"bench-telemetry-{number}-{how.replace(' ', '-')}.")
    log = Traffic(7).envelopes(EVENTS, SystemClock().now().timestamp() - 600)
    await preload(settings, log, is_traced=True)
    async with own_router(folder / how, router_environment(settings, bed.database, **told)) as running:

        async def scrape() -> None:
            while True:
                async with running.session.get(f"{running.address}/metrics") as answer:
                    await answer.read()
                await asyncio.sleep(SCRAPED_EVERY_S)

        scraping = asyncio.create_task(scrape()) if how == WITH else None
        await until_quiet(settings, AUDIT_DECISIONS, EVENTS, WITHIN_S)
        if scraping is not None:
            scraping.cancel()
            await asyncio.gather(scraping, return_exceptions=True)
        cpu, rss = running.child.cpu_s(), running.child.rss_mb()
    return {
        f"{how}: events/s": await rate_of(settings, EVENTS),
        f"{how}: CPU for each, ms": cpu / EVENTS * 1000,
        f"{how}: RSS, MB": rss,
    }


@asynccontextmanager
async def _collector(folder: Path) -> AsyncIterator[str]:
    """In a process of its own; gives its address."""
    log = folder / "collector.log"
    async with child((sys.executable, "-m", "bench.peers.collector"), {}, log, Path.cwd()) as started:
        async with asyncio.timeout(WITHIN_S):
            while not started.said().endswith("\n"):  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.05)
        yield started.said().strip()


def judge(runs: list[Measured]) -> list[Figure]:
    """One beside the other."""
    share = "router's pace with telemetry, as a share of without"
    for each in runs:
        each.figures[share] = each.figures[f"{WITH}: events/s"] / each.figures[f"{WITHOUT}: events/s"]
    without = statistics.median(each.figures[f"{WITHOUT}: events/s"] for each in runs)
    found = []
    for name in runs[0].figures:
        values = tuple(each.figures[name] for each in runs)
        unit = "ms" if name.endswith("ms") else "MB" if name.endswith("MB") else ""
        peer = Peer(WITHOUT, without) if name == f"{WITH}: events/s" else None
        found.append(Figure(name, unit, values, Goal(">=", 0.95) if name == share else None, peer))
    return found


SUITE = Suite(
    name="telemetry",
    kind="bench",
    what=f"the router over {EVENTS:,} preloaded events with every measurement, scraped, and every trace; and with none",
    runs=5,
    run=run,
    judge=judge,
    parts=(kafka.NAME, postgres.NAME),
)
