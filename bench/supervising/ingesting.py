"""A thousand agents report once a second, and Slack is told of them."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import asyncpg
from aiohttp import ClientSession
from pydantic import SecretStr

from bench.beds import weighing
from bench.beds.reporting import Plan, Reported, reported
from bench.beds.supervisor import OwnSupervisor, Reporter
from bench.beds.watched import Watched
from bench.figure import percentile
from bench.supervising.seen import Calls
from schemas.agent import EndStatus
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings

AGENTS: Final = 1000
ROUNDS: Final = 24
BEGINS_S: Final = 40.0
"""A channel takes a message a second: so long does it take until each task has its own."""
ENDING: Final = 100
"""So many tasks end at once, as many in each workspace as in any other: their numbers go round the workspaces."""
ENDS: Final[tuple[EndStatus, ...]] = ("complete", "error", "cancelled")
FOLDED_WITHIN_S: Final = 120.0
SHOWN_WITHIN_S: Final = 180.0
LOOK_EVERY_S: Final = 0.2
CLOCK: Final = SystemClock()


@dataclass(frozen=True)
class Scene:
    """What it goes on in."""

    watched: Watched
    supervisor: OwnSupervisor
    database: DatabaseSettings
    folder: Path


async def ingest(scene: Scene) -> tuple[dict[str, float], Reported]:
    """The load, what the supervisor took for it, and how long its end takes to be seen."""
    agents, began = scene.watched.agents(AGENTS), CLOCK.monotonic()
    calls = Calls(scene.watched.slack.sim, wanted=frozenset(each.task_id for each in agents))
    watching = asyncio.create_task(calls.watch())
    pid = scene.supervisor.child.process.pid
    weighed = asyncio.create_task(_busy(pid))
    found = await reported(Plan(scene.supervisor.agents, agents, ROUNDS, 1.0, BEGINS_S), scene.folder)
    busy = await weighed
    folded_s = await _until_folded(scene.database, AGENTS * ROUNDS, found.ended_at)
    rss_mb = scene.supervisor.child.rss_mb()
    await _until_all_shown(calls)
    shown_s = await _ends_are_shown(scene, calls)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    minutes = (CLOCK.monotonic() - began) / 60
    figures = {
        "ingest p50": percentile(found.checkpoints_ms, 50),
        "ingest p99": percentile(found.checkpoints_ms, 99),
        "starts p99": percentile(found.starts_ms, 99),
        "not taken": float(sum(count for status, count in found.answers.items() if status != "202")),
        "folded after": folded_s,
        "cpu": busy * 100,
        "rss": rss_mb,
        "late p99": percentile(found.late_ms, 99),
        "loader cpu": found.cpu_share * 100,
        "posts": calls.posts / minutes,
        "updates": calls.updates / minutes,
        "too fast": float(calls.too_fast),
        "ends shown p50": percentile(shown_s, 50),
        "ends shown last": max(shown_s),
    }
    return figures, replace(found, late_ms=[])


async def _busy(pid: int) -> float:
    """How much of a core it takes, from somewhat after the first checkpoints to somewhat before the last."""
    await asyncio.sleep(BEGINS_S + ROUNDS / 3)
    used, began = weighing.cpu_s(pid), CLOCK.monotonic()
    await asyncio.sleep(ROUNDS / 3)
    return (weighing.cpu_s(pid) - used) / (CLOCK.monotonic() - began)


async def _until_folded(database: DatabaseSettings, count: int, ended_at: float) -> float:
    """How long after the last report every checkpoint stands in its table."""
    connection = await asyncpg.connect((database.database_owner_url or SecretStr("")).get_secret_value())
    try:
        async with asyncio.timeout(FOLDED_WITHIN_S):
            while await connection.fetchval("select count(*) from threadline.agent_checkpoints") < count:  # noqa: ASYNC110 - a table has no event
                await asyncio.sleep(0.02)
        return max(0.0, CLOCK.now().timestamp() - ended_at)
    finally:
        await connection.close()


async def _until_all_shown(calls: Calls) -> None:
    async with asyncio.timeout(SHOWN_WITHIN_S):
        while len(calls.shown) < len(calls.wanted):  # noqa: ASYNC110 - what is waited for is counted beside
            await asyncio.sleep(LOOK_EVERY_S)


async def _ends_are_shown(scene: Scene, calls: Calls) -> list[float]:
    """Some end, all at once: how long until Slack shows each as it ended."""
    ended = {f"load-{number}": ENDS[number % len(ENDS)] for number in range(ENDING)}
    at: dict[str, float] = {}
    async with ClientSession() as session:
        for number, (task_id, status) in enumerate(ended.items()):
            agent = scene.watched.agent(number)
            told = Reporter(scene.supervisor.agents, agent.token, session, task_id, "loader", agent.channel)
            at[task_id] = CLOCK.now().timestamp()
            await told.taken(told.event("task.ended", status=status) | {"id": "ends"})
    async with asyncio.timeout(SHOWN_WITHIN_S):
        while any(calls.shows(task_id, status) is None for task_id, status in ended.items()):  # noqa: ASYNC110 - likewise
            await asyncio.sleep(LOOK_EVERY_S)
    return [(calls.shows(task_id, status) or 0.0) - at[task_id] for task_id, status in ended.items()]
