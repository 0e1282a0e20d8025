"""The two ways from Slack to an answer, each before a Slack of its own: Threadline's, and the usual one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.beds import weighing
from bench.beds.child import Child, child
from bench.beds.redis import own_redis
from bench.beds.responder import own_pipeline, own_responder
from bench.beds.router import own_router, router_environment
from bench.beds.stamps import StampingSlack, stamping_slack
from bench.peers import READY
from bench.suite import Bed
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.local import kafka, postgres

WORKERS = 8
STARTS_WITHIN_S = 30.0
SOCKETS = {"threadline": 2, "usual": 1}
"""As each of them opens them."""
SHARED = (kafka.NAME, postgres.NAME)


@dataclass(frozen=True)
class Side:
    """One of them."""

    slack: StampingSlack
    parts: Mapping[str, int]
    """Its processes, by their pid; those that they started count as theirs."""

    def cpu_s(self) -> dict[str, float]:
        """What each has used."""
        return {name: weighing.cpu_s(pid) for name, pid in self.parts.items()}

    def rss_mb(self) -> dict[str, float]:
        """What each holds, as `ps` counts it."""
        return {name: weighing.rss_mb(pid) for name, pid in self.parts.items()}

    def pss_mb(self) -> dict[str, float]:
        """What each holds, where what they share counts once."""
        return {name: weighing.pss_mb(pid) for name, pid in self.parts.items()}


@dataclass(frozen=True)
class Ground:
    """What Threadline stands on."""

    kafka: KafkaSettings
    database: DatabaseSettings
    pids: Mapping[str, int] = field(default_factory=dict)
    """The processes of both, where they are known."""

    @classmethod
    def of(cls, bed: Bed, prefix: str) -> "Ground":
        """The bed's, with topics of one's own."""
        marks = {name: bed.stack.programs[name].process for name in SHARED} if bed.stack is not None else {}
        pids = {name: mark.pid for name, mark in marks.items() if mark is not None}
        return cls(bed.kafka.model_copy(update={"topic_prefix": prefix}), bed.database, pids)

    def environment(self, slack: StampingSlack) -> dict[str, str]:
        """What the services are told. Answers grow by edits, as the usual way's do."""
        return router_environment(
            self.kafka,
            self.database,
            SLACK_API_URL=f"{slack.address}/api/",
            SLACK_APP_TOKEN="xapp-1-A1-bench",  # noqa: S106 - it is none
            SLACK_BOT_TOKEN="xoxb-bench",  # noqa: S106 - likewise
            THREADLINE_MODEL="openai:bench",
            OPENAI_BASE_URL=f"{slack.address}/v1",
            THREADLINE_RESPONDER_STREAMS="false",
        )


@asynccontextmanager
async def threadline(ground: Ground, folder: Path) -> AsyncIterator[Side]:
    """Ingress, router and responder, with the broker and the database."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(stamping_slack(folder / "slack.log"))
        running = await stack.enter_async_context(own_pipeline(folder, ground.environment(slack)))
        await slack.until_connected(SOCKETS["threadline"])
        services = {"ingress": running.ingress, "router": running.router, "responder": running.responder}
        pids = {name: each.child.process.pid for name, each in services.items()}
        yield Side(slack, {**pids, **ground.pids})


@asynccontextmanager
async def second_pair(ground: Ground, side: Side, folder: Path) -> AsyncIterator[None]:
    """Another router and another responder, which take half of the partitions."""
    environment = ground.environment(side.slack)
    async with own_router(folder / "router-2", environment), own_responder(folder / "responder-2", environment):
        yield


@asynccontextmanager
async def usual(folder: Path) -> AsyncIterator[Side]:
    """Bolt, Redis, and Celery's workers."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(stamping_slack(folder / "usual-slack.log"))
        redis = await stack.enter_async_context(own_redis(folder))
        told = {
            "PEER_REDIS": redis.url,
            "PEER_SLACK": f"{slack.address}/api/",
            "PEER_MODEL": f"{slack.address}/v1",
        }
        worker = (sys.executable, "-m", "celery", "--app", "bench.peers.usual_worker", "worker")
        lean = (f"--concurrency={WORKERS}", "--without-gossip", "--without-mingle", "--without-heartbeat")
        log = folder / "celery.log"
        workers = await stack.enter_async_context(child((*worker, *lean, "--loglevel=WARNING"), told, log, Path.cwd()))
        await _until_it_says(workers, READY)
        listener = (sys.executable, "-m", "bench.peers.usual_listener")
        door = await stack.enter_async_context(child(listener, told, folder / "bolt.log", Path.cwd()))
        await slack.until_connected(SOCKETS["usual"])
        children = {"bolt": door, "celery": workers, "redis": redis.child}
        parts = {name: each.process.pid for name, each in children.items()}
        yield Side(slack, parts)


async def _until_it_says(started: Child, words: str) -> None:
    async with asyncio.timeout(STARTS_WITHIN_S):
        while words not in started.said():  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.05)
