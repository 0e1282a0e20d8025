"""The way from Slack to an answer and back, all of it, beside the usual way: Bolt, Redis and Celery."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.beds import redis, sides
from bench.beds.router import describe
from bench.beds.sides import Ground, Side
from bench.beds.stamps import Load, Stamped
from bench.beds.traffic import Traffic
from bench.figure import percentile
from bench.pipeline_figures import BURST, CROWDS, RATES, SLOW, WORKSPACES, judge
from bench.suite import Bed, Measured, Suite
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.local import kafka, postgres

WARMS = Load(40, 500)
"""Processes that have only started, and a broker that compiles itself, are slow for a while."""
STEADY = {10: Load(10, 200), 50: Load(50, 750), 100: Load(100, 1000)}
WEIGHED_AT = 50
SLOWLY = Load(10, 100, words=20, pause_s=0.05, first_s=3.0)
CROWD = {count: Load(4, 40, workspaces=count) for count in CROWDS}
AT_ONCE = Load(400, 600)
WARMS_ANEW = Load(50, 150)
NO_REDIS = f"redis-server is not installed, so Threadline is measured alone; get it with: {redis.HOW_TO_GET_IT}"


class Run:
    """One run: every load on each side in turn, and what came of it."""

    def __init__(self, number: int, there: dict[str, Side]) -> None:
        self._number, self._there, self._clock = number, there, SystemClock()
        self.figures: dict[str, float] = {}
        self.raw: dict[str, dict[str, list[float]]] = {}

    async def on_each(self, name: str, load: Load) -> None:
        """Both in turn; who begins changes from load to load, and from run to run."""
        self._number += 1
        for side in sorted(self._there, reverse=bool(self._number % 2)):
            await self.on_one(side, name, load)

    async def on_one(self, side: str, name: str, load: Load) -> None:
        """One of them."""
        stamped = await self._there[side].slack.load(load)
        self._keep(f"{side} {name}", stamped)

    async def weighed(self, name: str, load: Load) -> None:
        """The same, and what each process took for it."""
        self._number += 1
        for side in sorted(self._there, reverse=bool(self._number % 2)):
            before, begun = {each: there.cpu_s() for each, there in self._there.items()}, self._clock.monotonic()
            await self.on_one(side, name, load)
            took_s = self._clock.monotonic() - begun
            for each, there in self._there.items():
                what, count = ("cpu", load.count) if each == side else ("idle", took_s)
                for part, used in there.cpu_s().items():
                    self.figures[f"{each} {what} {part}"] = (used - before[each][part]) / count * 1000
        for side, there in self._there.items():
            self.figures |= {f"{side} rss {part}": held for part, held in there.rss_mb().items()}
            self.figures |= {f"{side} pss {part}": held for part, held in there.pss_mb().items()}

    def _keep(self, name: str, stamped: Stamped) -> None:
        samples = {
            "ack": stamped.acks(),
            "model": stamped.to_model(),
            "message": stamped.to_message(),
            "end": stamped.to_end(),
            "late": stamped.late_ms,
        }
        self.raw[name] = {what: [round(each, 2) for each in found] for what, found in samples.items()}
        for what, found in samples.items():
            self.figures |= {f"{name} {what} p50": percentile(found, 50), f"{name} {what} p99": percentile(found, 99)}
        self.figures[f"{name} per second"] = stamped.per_second()
        self.figures[f"{name} slack cpu"] = stamped.cpu_s / len(stamped.stamps) * 1000


async def run(bed: Bed, number: int) -> Measured:
    """Both are there all the time, and take turns."""
    ground = Ground.of(bed, f"bench-pipeline-{bed.seed}-{number}.")
    await _topics(ground.kafka)
    await describe(bed.database, Traffic(bed.seed, workspaces=WORKSPACES).document())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="threadline-pipeline-")))
        ours = await stack.enter_async_context(sides.threadline(ground, folder))
        there = {"threadline": ours}
        if redis.program() is None:
            print(NO_REDIS, file=sys.stderr)
        else:
            there["usual"] = await stack.enter_async_context(sides.usual(folder))
        for side in there.values():
            await side.slack.load(WARMS)
        running = Run(number, there)
        await _in_turn(running)
        await running.on_each(BURST, AT_ONCE)
        async with sides.second_pair(ground, ours, folder):
            await ours.slack.load(WARMS_ANEW)
            await running.on_one("threadline", f"{BURST}, two", AT_ONCE)
    return Measured(running.figures, running.raw)


async def _in_turn(running: Run) -> None:
    """Each rate, a slow model, and how many workspaces there are."""
    for rate in RATES:
        measured = running.weighed if rate == WEIGHED_AT else running.on_each
        await measured(f"{rate}/s", STEADY[rate])
    await running.on_each(SLOW, SLOWLY)
    for count, load in CROWD.items():
        await running.on_one("threadline", f"{count} workspaces", load)


async def _topics(settings: KafkaSettings) -> None:
    async with admin.admin_client(settings) as client:
        await admin.create(client, (await admin.standing_of(client, settings)).missing)


SUITE = Suite(
    name="pipeline",
    kind="bench",
    what="from Slack through ingress, router, responder and a model back to Slack, beside Bolt + Redis + Celery",
    runs=3,
    run=run,
    judge=judge,
    parts=(kafka.NAME, postgres.NAME),
)
