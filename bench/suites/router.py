"""The router's speed: decisions a second beside bare Faust and a plain loop, and from event in to command out."""

import asyncio
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.beds.child import child
from bench.beds.decided import end_of, until_quiet
from bench.beds.inbox import encoded
from bench.beds.preloaded import preload, rate_of, topics_of
from bench.beds.router import describe, own_router, router_environment
from bench.beds.traffic import Traffic
from bench.figure import Figure, Goal, Peer
from bench.load import open_loop
from bench.suite import Bed, Measured, Suite
from schemas.record import read
from schemas.topics import AUDIT_DECISIONS, RUNS_COMMANDS, SLACK_INBOUND
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.local import kafka, postgres
from services.router.decisions import rate_limit
from services.router.decisions.facts import Agent, Facts, Limit, Tenant
from services.router.decisions.wanted import Wanted
from services.router.stream.memory import Memory

EVENTS = 20_000
PER_SECOND, LATENCY_EVENTS = 50, 1_500
WARM = 200
KEYS = 1_000_000
CHECKS = 20_000
WITHIN_S = 120.0


async def run(bed: Bed, number: int) -> Measured:
    """The same log for each of the three, one after the other; then single events at a steady pace."""
    figures: dict[str, float] = {}
    traffic = Traffic(7)
    await describe(bed.database, traffic.document())
    with TemporaryDirectory(prefix="threadline-router-") as folder:
        for name, kind in (("router", _router), ("bare Faust", _bare), ("plain loop", _plain)):
            settings = await topics_of(bed, f"bench-{number}-{name.replace(' ', '-')}.")
            log = Traffic(7).envelopes(EVENTS, SystemClock().now().timestamp() - 600)
            sends = await preload(settings, log)
            figures |= {f"{name}: {what}": value for what, value in (await kind(bed, settings, Path(folder))).items()}
            figures["records an event leads to"] = sends / EVENTS
        figures |= await _latency(bed, await topics_of(bed, f"bench-{number}-latency."), Path(folder))
    figures |= _check_of_the_limit()
    if number == 0:
        figures |= await _memory()
    return Measured(figures)


async def _router(bed: Bed, settings: KafkaSettings, folder: Path) -> dict[str, float]:
    environment = router_environment(settings, bed.database)
    async with own_router(folder / "router", environment) as running:
        await until_quiet(settings, AUDIT_DECISIONS, EVENTS, WITHIN_S)
        await running.until("threadline_router_lag", 0)
        cpu, rss = running.child.cpu_s(), running.child.rss_mb()
    return {"events/s": await rate_of(settings, EVENTS), "CPU for each, ms": cpu / EVENTS * 1000, "RSS after, MB": rss}


async def _bare(_: Bed, settings: KafkaSettings, folder: Path) -> dict[str, float]:
    return await _peer("bench.peers.bare_faust", settings, folder)


async def _plain(_: Bed, settings: KafkaSettings, folder: Path) -> dict[str, float]:
    return await _peer("bench.peers.plain_router", settings, folder)


async def _peer(module: str, settings: KafkaSettings, folder: Path) -> dict[str, float]:
    told = {
        "PEER_BROKER": settings.kafka_brokers,
        "PEER_PREFIX": settings.topic_prefix,
        "PEER_PARTITIONS": str(settings.topic_partitions),
    }
    command = (sys.executable, "-m", module)
    async with child(command, told, folder / f"{module}.log", Path.cwd()) as started:
        try:
            await _until_it_stands_still(settings)
        except TimeoutError:
            raise TimeoutError(f"{module} did not get through; {started.said()[-800:]}") from None
        cpu = started.cpu_s()
    return {
        "events/s": await rate_of(settings, EVENTS),
        "CPU for each, ms": cpu / EVENTS * 1000,
    }


async def _until_it_stands_still(settings: KafkaSettings) -> None:
    """A peer says nothing of itself: it is done when nothing comes any more."""
    before = -1
    async with asyncio.timeout(WITHIN_S):
        while (now := await end_of(settings, AUDIT_DECISIONS)) != before or now < EVENTS:
            before = now
            await asyncio.sleep(2)


async def _latency(bed: Bed, settings: KafkaSettings, folder: Path) -> dict[str, float]:
    """From the broker's yes for an event until its command is read."""
    traffic, clock = Traffic(11), SystemClock()
    put: dict[str, float] = {}
    arrived: dict[str, asyncio.Future[float]] = {}
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_brokers, acks="all")
    consumer = AIOKafkaConsumer(
        f"{settings.topic_prefix}{RUNS_COMMANDS.name}", bootstrap_servers=settings.kafka_brokers, group_id=None
    )
    async with own_router(folder / "latency", router_environment(settings, bed.database)) as running:
        idle = running.child.rss_mb()
        await producer.start()
        await consumer.start()

        async def listen() -> None:
            async for raw in consumer:
                command = read(RUNS_COMMANDS.types["run.requested"], raw.value)
                name = str(getattr(command, "event_id", ""))
                if name in arrived and not arrived[name].done():
                    arrived[name].set_result(clock.monotonic())

        async def one(_: int) -> None:
            envelope = traffic.one("dm", clock.now().timestamp())
            arrived[envelope.event_id] = asyncio.get_running_loop().create_future()
            value, headers = encoded(envelope)
            name = f"{settings.topic_prefix}{SLACK_INBOUND.name}"
            await producer.send_and_wait(name, value, envelope.connection.encode(), headers=list(headers))
            put[envelope.event_id] = clock.monotonic()
            await asyncio.wait_for(arrived[envelope.event_id], 30)

        listening = asyncio.create_task(listen())
        await open_loop(PER_SECOND, LATENCY_EVENTS, one)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await producer.stop()
        await consumer.stop()
    took = sorted((arrived[name].result() - put[name]) * 1000 for name in list(put)[WARM:])
    return {
        "event in to command out, p50, ms": statistics.median(took),
        "event in to command out, p99, ms": took[int(len(took) * 0.99)],
        "RSS idle, MB": idle,
    }


def _check_of_the_limit() -> dict[str, float]:
    """Of three buckets at once."""
    limits = tuple(Limit(scope, 30, 30) for scope in ("connection", "channel", "user"))
    tenant = Tenant("acme", agents=(Agent("mara", "Mara"),), limits=limits)
    memory, clock = Memory(), SystemClock()
    facts = Facts(tenant, 1, memory)
    took = []
    for number in range(CHECKS):
        wanted = Wanted("mention", f"cause-{number}", "mara", f"C{number % 7}", f"U{number % 31}")
        began = clock.monotonic()
        rate_limit.gate(wanted, "A1:T1", tenant, facts, 1e9 + number)
        took.append((clock.monotonic() - began) * 1e6)
    return {"check of the limit, p99, µs": sorted(took)[int(CHECKS * 0.99)]}


async def _memory() -> dict[str, float]:
    """A process that remembers a million deliveries."""
    script = (
        "import os, psutil\n"
        "from services.router.stream.memory import Memory\n"
        "from services.router.stream.row import Row\n"
        "me = psutil.Process()\n"
        "before = me.memory_info().rss\n"
        "memory = Memory()\n"
        f"for n in range({KEYS}):\n"
        "    key = f'event A0123456789:T0123456789 A0123456789:Ev0{n:09d}'\n"
        "    memory.keep(n, Row(n / 300, n / 300 + 3600, ((key, None, n / 300 + 3600),), b''))\n"
        "    memory.settle(n)\n"
        "print((me.memory_info().rss - before) / 1e6)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, cwd=Path.cwd()
    )
    output, _ = await process.communicate()
    return {"memory for 1,000,000 keys, MB": float(output)}


GOALS = {
    "event in to command out, p50, ms": Goal("<=", 10),
    "event in to command out, p99, ms": Goal("<=", 40),
    "check of the limit, p99, µs": Goal("<=", 50),
    "RSS idle, MB": Goal("<=", 110),
    "router, as a share of bare Faust": Goal(">=", 0.7),
}


def judge(runs: list[Measured]) -> list[Figure]:
    """The router beside the other two."""
    for each in runs:
        each.figures["router, as a share of bare Faust"] = (
            each.figures["router: events/s"] / each.figures["bare Faust: events/s"]
        )
        each.figures["router, as a share of the plain loop"] = (
            each.figures["router: events/s"] / each.figures["plain loop: events/s"]
        )
    plain = statistics.median(each.figures["plain loop: events/s"] for each in runs)
    found = []
    for name in runs[0].figures:
        values = tuple(each.figures[name] for each in runs if name in each.figures)
        unit = "ms" if name.endswith("ms") else "MB" if name.endswith("MB") else ""
        peer = Peer("plain loop", plain) if name == "router: events/s" else None
        found.append(Figure(name, unit, values, GOALS.get(name), peer))
    return found


SUITE = Suite(
    name="router",
    kind="bench",
    what=f"the router: {EVENTS:,} preloaded events beside bare Faust and a plain loop; {PER_SECOND}/s in to out",
    runs=3,
    run=run,
    judge=judge,
    parts=(kafka.NAME, postgres.NAME),
)
