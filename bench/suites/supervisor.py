"""What watching agents costs: a thousand that report, people who decide, and the tables of a long past made anew."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from pydantic import SecretStr

from bench.beds.ingress import own_ingress
from bench.beds.responder import own_responder
from bench.beds.router import own_router, router_environment
from bench.beds.supervisor import own_supervisor
from bench.beds.watched import watched
from bench.figure import percentile
from bench.suite import Bed, Measured, Suite
from bench.supervising.approving import approve
from bench.supervising.bare import bare
from bench.supervising.figures import judge
from bench.supervising.ingesting import AGENTS, Scene, ingest
from bench.supervising.past import past, put
from bench.supervising.rebuilding import dumps, rebuilt
from bench.supervising.reporting import reporting
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka import admin
from services.local import kafka, postgres
from services.supervisor.adapters.rebuilding import TABLES

WORKSPACES = 20
PAST_TASKS = 9_000
"""More than 200,000 events."""
FOLDED_WITHIN_S = 300.0
HOW_FAR = "select coalesce(sum(next_offset), 0) from threadline.agent_projections"
ALL_TABLES = (*TABLES, "agent_heartbeats", "agent_tellings", "agent_projections")


async def run(bed: Bed, number: int) -> Measured:
    """What a program pays, the clicks, then the load, on one supervisor; then the past, on topics of its own."""
    figures: dict[str, float] = {}
    raw: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="threadline-supervisor-")))
        settings = await _topics(bed.kafka, f"bench-supervisor-{bed.seed}-{number}.")
        there = await stack.enter_async_context(watched(settings, bed.database, folder, WORKSPACES))
        environment = {**there.environment, "THREADLINE_SUPERVISOR_UPDATE_S": "30"}
        await _empty(bed.database)
        await stack.enter_async_context(own_responder(folder / "responder", environment))
        supervisor = await stack.enter_async_context(own_supervisor(folder / "supervisor", environment))
        await stack.enter_async_context(own_router(folder / "router", environment))
        await stack.enter_async_context(own_ingress(folder / "ingress", environment))
        figures |= await reporting(there, supervisor, folder)
        clicks = await approve(there, supervisor)
        figures |= {"approval p50": percentile(clicks, 50), "approval p99": percentile(clicks, 99)}
        raw["approvals_ms"] = _short(clicks)
        of_load, load = await ingest(Scene(there, supervisor, bed.database, folder))
        figures |= of_load
        floor = await _topics(bed.kafka, f"bench-supervisor-bare-{bed.seed}-{number}.")
        figures |= await bare(floor, there.agents(AGENTS), folder)
        raw["ingest"] = {"starts_ms": _short(load.starts_ms), "checkpoints_ms": _short(load.checkpoints_ms)}
    return Measured(figures | await _long_past(bed, number), raw)


async def _long_past(bed: Bed, number: int) -> dict[str, float]:
    settings = await _topics(bed.kafka, f"bench-supervisor-past-{bed.seed}-{number}.")
    await _empty(bed.database)
    began = SystemClock().now() - timedelta(days=7)
    tenants = [f"tenant-{each}" for each in range(WORKSPACES)]
    count = await put(settings, past(bed.seed, PAST_TASKS, tenants, began))
    with TemporaryDirectory(prefix="threadline-supervisor-") as named:
        folder = Path(named)
        environment = router_environment(settings, bed.database)
        began_s = SystemClock().monotonic()
        async with own_supervisor(folder / "supervisor", environment) as supervisor:
            await _folded(bed.database, count)
            folded_s = SystemClock().monotonic() - began_s
            await supervisor.child.stop()
        before = await dumps(bed.database)
        rate, memory_mb = await rebuilt(settings, bed.database, folder)
        after = await dumps(bed.database)
    differ = sum(before[table] != after[table] for table in before)
    return {
        "events": float(count),
        "live fold": count / folded_s,
        "rebuild": rate,
        "rebuild rss": memory_mb,
        "tables that differ": float(differ),
    }


async def _topics(of_bed: KafkaSettings, prefix: str) -> KafkaSettings:
    settings = of_bed.model_copy(update={"topic_prefix": prefix})
    async with admin.admin_client(settings) as client:
        await admin.create(client, (await admin.standing_of(client, settings)).missing)
    return settings


async def _empty(database: DatabaseSettings) -> None:
    """Other topics, other tasks."""
    await _execute(database, f"truncate {', '.join(f'threadline.{table}' for table in ALL_TABLES)}")


async def _folded(database: DatabaseSettings, count: int) -> None:
    """Until every event that was put there is folded."""
    async with asyncio.timeout(FOLDED_WITHIN_S):
        while await _execute(database, HOW_FAR) < count:  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.2)


async def _execute(database: DatabaseSettings, question: str) -> Any:
    connection = await asyncpg.connect((database.database_owner_url or SecretStr("")).get_secret_value())
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def _short(samples: list[float]) -> list[float]:
    return [round(each, 2) for each in samples]


SUITE = Suite(
    name="supervisor",
    kind="bench",
    what=f"{AGENTS:,} agents that report each second, clicks until agents go on, and tables made anew",
    runs=1,
    run=run,
    judge=judge,
    parts=(kafka.NAME, postgres.NAME),
)
