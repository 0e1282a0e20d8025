"""The broker is killed again and again while events are written: nothing that was acknowledged may be missing."""

import asyncio
import math
import os
import random
import signal
from collections import Counter

from bench.figure import Figure, Goal
from bench.load import open_loop
from bench.suite import Bed, Measured, Suite
from bench.suites.broker import replace_prefix
from schemas.run import RunState
from schemas.topics import AUDIT_RUNS, Cluster, settings_for
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings, TelemetrySettings
from services.kit.kafka import admin
from services.kit.kafka.consumer import reader, record_of
from services.kit.kafka.metrics import CATALOGUE
from services.kit.kafka.producer import Producer
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.metrics import metrics_of
from services.kit.telemetry.traces import tracer_for
from services.local import kafka, state
from services.local.home import Home

RATE, COUNT, KILLS = 50.0, 1500, 3
AFTERWARDS = 50
"""Written when the last kill is over, so that there is always somebody to be back for."""


async def run(bed: Bed, number: int) -> Measured:
    """Half a minute of writing with three kills in it, then the count."""
    settings = replace_prefix(bed.kafka, f"chaos-broker-{bed.seed}-{number}.")
    topic = settings_for(AUDIT_RUNS, Cluster(1, settings.topic_prefix, settings.topic_partitions))
    async with admin.admin_client(settings) as client:
        if await admin.live_topics(client, [topic.name]):  # of a run that was cut off
            await client.delete_topics([topic.name])
            await asyncio.sleep(1)
        await admin.create(client, [topic])
    acknowledged: dict[str, float] = {}
    clock = SystemClock()
    with tracer_for("chaos", TelemetrySettings()) as tracer:
        instruments = Instruments(clock, metrics_of("chaos", CATALOGUE).emitter, tracer)
        async with Producer(settings, "chaos", instruments) as producer:

            async def call(index: int) -> None:
                run_id = f"run-{index}"
                event = RunState(
                    at=clock.now(), state="start", run_id=run_id, tenant_id="acme", connection="A1:T1",
                    session="T1:C1:1.0", channel="C1", origin="channel",
                )  # fmt: skip
                await producer.publish(AUDIT_RUNS, f"T1:C1:{index % 8}", event, run_id)
                acknowledged[run_id] = clock.monotonic()

            killing = asyncio.create_task(_kill(bed, random.Random(bed.seed + number)))  # noqa: S311 - a seeded plan
            outcome = await open_loop(RATE, COUNT, call, clock)
            killed_at = await killing
            await open_loop(RATE, AFTERWARDS, lambda index: call(COUNT + index), clock)
    found, disordered = await _count(settings)
    async with admin.admin_client(settings) as client:
        await client.delete_topics([topic.name])
    back = [min((at for at in acknowledged.values() if at > killed), default=math.inf) - killed for killed in killed_at]
    return Measured(
        {
            "kills": len(killed_at),
            "acknowledged": len(acknowledged),
            "failed": len(outcome.failures),
            "missing": len(set(acknowledged) - set(found)),
            "doubled": sum(times > 1 for times in found.values()),
            "out of order": disordered,
            "back after": max(back),
        },
        {"latencies_ms": outcome.latencies_ms, "failures": outcome.failures, "back_after_s": back},
    )


async def _kill(bed: Bed, chance: random.Random) -> list[float]:
    """Kills the broker, waits until it is back, and again. Only the one that this bed started."""
    home, killed_at = bed.home, []
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(2.0, 4.0))
        running = state.running(home)
        mark = running.programs[kafka.NAME].process if running else None
        if mark is None or mark.process() is None:
            raise RuntimeError("the bed's broker is not running")
        os.kill(mark.pid, signal.SIGKILL)
        killed_at.append(SystemClock().monotonic())
        await _until_back(home, mark)
    return killed_at


async def _until_back(home: Home, before: state.ProcessMark) -> None:
    async with asyncio.timeout(60):
        while True:
            found = state.running(home)
            if found is not None and found.is_ready and found.programs[kafka.NAME].process != before:
                return
            await asyncio.sleep(0.1)


async def _count(settings: KafkaSettings) -> tuple[Counter[str], int]:
    """How often each event is on the topic, and how many keys' events do not stand in the order of their sending."""
    found: Counter[str] = Counter()
    last: dict[bytes, int] = {}
    disordered: set[bytes] = set()
    async with reader(settings, AUDIT_RUNS) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        for _ in range(sum(ends.values())):
            record = record_of(await consumer.getone(), settings.topic_prefix)
            attributes, _ = record.decode()
            index = int(attributes.id.removeprefix("run-"))
            found[attributes.id] += 1
            key = record.key or b""
            if index < last.get(key, -1):
                disordered.add(key)
            last[key] = index
    return found, len(disordered)


def judge(runs: list[Measured]) -> list[Figure]:
    """Nothing acknowledged is missing, doubled or out of order, and the broker is back soon."""

    def figure(name: str, unit: str, goal: Goal | None) -> Figure:
        return Figure(name, unit, tuple(run.figures[name] for run in runs), goal)

    return [
        figure("kills", "", Goal("==", KILLS)),
        figure("acknowledged", "events", None),
        figure("failed", "events", None),
        figure("missing", "events", Goal("==", 0)),
        figure("doubled", "events", Goal("==", 0)),
        figure("out of order", "keys", Goal("==", 0)),
        figure("back after", "s", Goal("<=", 15)),
    ]


SUITE = Suite(
    name="broker",
    kind="chaos",
    what=f"kill -9 of the embedded broker, {KILLS} times in each run, while {RATE:.0f} events a second are written",
    runs=1,
    run=run,
    judge=judge,
)
