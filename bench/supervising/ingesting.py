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
from bench.supervising.seen import Calls, Heads
from schemas.agent import EndStatus
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings

AGENTS: Final = 1000
ROUNDS: Final = 30
BEGINS_S: Final = 40.0
"""A channel takes a message a second: so long does it take until each task has its own."""
ENDED_EVERY: Final = 10
ENDS: Final[tuple[EndStatus, ...]] = ("complete", "error", "cancelled")
FOLDED_WITHIN_S: Final = 120.0
HEADS_WITHIN_S, SHOWN_WITHIN_S = 120.0, 120.0
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
    agents, calls, began = scene.watched.agents(AGENTS), Calls(scene.watched.slack.sim), CLOCK.monotonic()
    watching = asyncio.create_task(calls.watch())
    pid = scene.supervisor.child.process.pid
    weighed = asyncio.create_task(_busy(pid))
    found = await reported(Plan(scene.supervisor.agents, agents, ROUNDS, 1.0, BEGINS_S), scene.folder)
    busy = await weighed
    folded_s = await _until_folded(scene.database, AGENTS * ROUNDS, found.ended_at)
    rss_mb = scene.supervisor.child.rss_mb()
    heads = Heads(scene.watched.slack.sim)
    channels = [channel for each in scene.watched.workspaces.every for channel in each.channels]
    await _all_have_heads(heads, channels, [each.task_id for each in agents])
    shown_s = await _ends_are_shown(scene, heads)
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


async def _all_have_heads(heads: Heads, channels: list[str], tasks: list[str]) -> None:
    async with asyncio.timeout(HEADS_WITHIN_S):
        while len(heads.found) < len(tasks):
            await heads.look(channels, tasks)
            await asyncio.sleep(LOOK_EVERY_S)


async def _ends_are_shown(scene: Scene, heads: Heads) -> list[float]:
    """One in ten ends, all at once: how long until Slack shows each as it ended."""
    ended = {f"load-{number}": ENDS[number % len(ENDS)] for number in range(0, AGENTS, ENDED_EVERY)}
    at: dict[str, float] = {}
    async with ClientSession() as session:
        for number, (task_id, status) in zip(range(0, AGENTS, ENDED_EVERY), ended.items(), strict=True):
            agent = scene.watched.agent(number)
            told = Reporter(scene.supervisor.agents, agent.token, session, task_id, "loader", agent.channel)
            await told.taken(told.event("task.ended", status=status) | {"id": "ends"})
            at[task_id] = CLOCK.monotonic()
    took: dict[str, float] = {}
    async with asyncio.timeout(SHOWN_WITHIN_S):
        while left := [task_id for task_id in ended if task_id not in took]:
            places = {str(heads.found[task_id]["channel"]) for task_id in left}
            await heads.look(places, left)
            now = CLOCK.monotonic()
            took |= {task_id: now - at[task_id] for task_id in left if heads.shows(task_id, ended[task_id])}
            await asyncio.sleep(LOOK_EVERY_S)
    return list(took.values())
