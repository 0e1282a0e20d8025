"""How long Slack waits for its acknowledgement: ours, after the durable write, beside Bolt's, which writes nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.beds.child import Child, child
from bench.beds.ingress import own_ingress
from bench.beds.slack import own_slack
from bench.figure import Figure, Goal, Peer, percentile
from bench.load import open_loop
from bench.suite import Bed, Measured, Suite
from bench.suites.broker import replace_prefix, with_aiokafka
from schemas.topics import DEAD_LETTERS, SLACK_INBOUND, Cluster, settings_for
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.slack_sim.client import SlackSim
from services.slack_sim.control.answers import WorldShown
from services.slack_sim.control.asks import Load, Reset
from services.slack_sim.control.conditions import Settled, SomeSockets

RATE, COUNT = 100, 1000
BURST = 1000
WARMING = 200
BROKER_WARMS, BROKER_WARMS_AT = 20_000, 4_000
"""A broker that has only started compiles itself for a while; one that runs has done so long ago."""
SLOTS = 2
SETTLES_S = 5.0


@asynccontextmanager
async def _threadline(bed: KafkaSettings, sim: SlackSim, world: WorldShown, folder: Path) -> AsyncIterator[Child]:
    given = {
        "SLACK_API_URL": sim.api_url,
        "SLACK_APP_TOKEN": world.apps[0].app_token,
        "THREADLINE_KAFKA_BROKERS": bed.kafka_brokers,
        "THREADLINE_TOPIC_PREFIX": bed.topic_prefix,
        "THREADLINE_CONFIG": "/dev/null",
        "DATABASE_URL": "",
    }
    async with own_ingress(folder, given) as running:
        yield running.child


@asynccontextmanager
async def _bolt(_: KafkaSettings, sim: SlackSim, world: WorldShown, folder: Path) -> AsyncIterator[Child]:
    given = {
        "SLACK_API_URL": sim.api_url,
        "SLACK_APP_TOKEN": world.apps[0].app_token,
        "SLACK_BOT_TOKEN": world.installations[0].bot_token,
    }
    command = (sys.executable, "-m", "bench.peers.bolt_empty")
    async with child(command, given, folder / "bolt.log", Path.cwd()) as running:
        yield running


WITH = {"threadline": _threadline, "bolt": _bolt}


async def run(bed: Bed, number: int) -> Measured:
    """Both in turn, beginning with the other one each time, and the broker alone."""
    settings = replace_prefix(bed.kafka, f"bench-ingress-{bed.seed}-{number}.")
    cluster = Cluster(1, settings.topic_prefix, settings.topic_partitions)
    topics = [settings_for(topic, cluster) for topic in (SLACK_INBOUND, DEAD_LETTERS)]
    figures: dict[str, float] = {}
    raw: dict[str, list[float]] = {}
    async with admin.admin_client(settings) as client:
        await admin.create(client, topics)
        try:
            async with with_aiokafka(settings) as call:
                await open_loop(BROKER_WARMS_AT, BROKER_WARMS, call)
            for name in sorted(WITH, reverse=bool(number % 2)):
                await _measure(name, settings, bed.seed, figures, raw)
            async with with_aiokafka(settings) as call:
                await open_loop(RATE, WARMING, call)
                raw["broker steady"] = (await open_loop(RATE, COUNT, call)).latencies_ms
        finally:
            await client.delete_topics([each.name for each in topics])
    for name, samples in raw.items():
        figures |= {f"{name} p50": percentile(samples, 50), f"{name} p99": percentile(samples, 99)}
        figures[f"{name} max"] = max(samples)
    return Measured(figures, raw)


async def _measure(
    name: str, settings: KafkaSettings, seed: int, figures: dict[str, float], raw: dict[str, list[float]]
) -> None:
    with TemporaryDirectory(prefix="threadline-bench-") as folder:
        async with AsyncExitStack() as stack:
            slack = await stack.enter_async_context(own_slack(Path(folder), str(seed)))
            world = await slack.sim.world()
            running = await stack.enter_async_context(WITH[name](settings, slack.sim, world, Path(folder)))
            await slack.sim.wait(SomeSockets(app_id=world.apps[0].id, count=SLOTS if name == "threadline" else 1), 30)
            await _said(slack.sim, world, WARMING, RATE)
            await asyncio.sleep(SETTLES_S)
            figures[f"{name} idle"] = running.rss_mb()
            raw[f"{name} steady"] = await _said(slack.sim, world, COUNT, RATE)
            used = running.cpu_s()
            raw[f"{name} burst"] = await _said(slack.sim, world, BURST, BURST)
            figures[f"{name} cpu"] = (running.cpu_s() - used) / BURST * 1000
            figures[f"{name} again"] = await _again(slack.sim)
            figures[f"{name} busy"] = running.rss_mb()


async def _said(sim: SlackSim, world: WorldShown, count: int, rate: float) -> list[float]:
    """From each event to its acknowledgement, at the simulator."""
    await sim.ask(Reset(what="records"))
    user, channel = world.users[0].id, world.channels[0].id
    text = "load {number}: " + "some words that somebody could have said, and a few more of them. " * 8
    await sim.ask(Load(user_id=user, channel_id=channel, count=count, per_second=rate, text=text))
    await sim.wait(Settled(), 60)
    envelopes = await sim.envelopes()
    if len(envelopes) < count:
        raise RuntimeError(f"the simulator remembers {len(envelopes)} of {count} events")
    return [((each.acknowledged_at or float("inf")) - each.made_at) * 1000 for each in envelopes]


async def _again(sim: SlackSim) -> float:
    return float(sum(len(each.attempts) > 1 or each.late for each in await sim.envelopes()))


def judge(runs: list[Measured]) -> list[Figure]:
    """The issue's figures, each beside the floor."""

    def values(name: str) -> tuple[float, ...]:
        return tuple(each.figures[name] for each in runs)

    def beside(name: str, peer: str) -> Peer:
        return Peer(peer, percentile(values(name), 50))

    at = f"event to acknowledgement, {RATE}/s open loop"
    burst = f"{BURST:,} events in 1 s"
    return [
        Figure(f"{at}, p50", "ms", values("threadline steady p50"), Goal("<=", 3.0), beside("bolt steady p50", "bolt")),
        Figure(
            f"{at}, p99", "ms", values("threadline steady p99"), Goal("<=", 15.0), beside("bolt steady p99", "bolt")
        ),
        Figure("of it, the broker alone (acks=all), p50", "ms", values("broker steady p50")),
        Figure("of it, the broker alone (acks=all), p99", "ms", values("broker steady p99")),
        Figure(
            f"{burst}: the slowest",
            "ms",
            values("threadline burst max"),
            Goal("<=", 1000),
            beside("bolt burst max", "bolt"),
        ),
        Figure(f"{burst}: late or sent again", "", values("threadline again"), Goal("==", 0)),
        Figure(f"{burst}: CPU for each event", "ms", values("threadline cpu"), None, beside("bolt cpu", "bolt")),
        Figure("memory, idle", "MB", values("threadline idle"), Goal("<=", 90), beside("bolt idle", "bolt")),
        Figure("memory, after the burst", "MB", values("threadline busy"), None, beside("bolt busy", "bolt")),
    ]


SUITE = Suite(
    name="ingress",
    kind="bench",
    what=f"Slack's wait for its acknowledgement: {RATE}/s and {BURST:,} in 1 s, beside Bolt with an empty listener",
    runs=5,
    run=run,
    judge=judge,
)
