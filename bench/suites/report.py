"""How fast reports read: topics, beside the bare client and the plain way, and ten million events of a file."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

import polars as pl
from confluent_kafka import Consumer, Producer, TopicPartition

from bench.beds.audit_log import records
from bench.beds.weighing import rss_mb
from bench.figure import Figure, Goal, Peer
from bench.suite import Bed, Measured, Suite
from bench.suites.broker import replace_prefix
from schemas.lines import Kept
from schemas.record import UnknownEvent
from schemas.topics import AUDIT_DECISIONS, AUDIT_REACTIONS, AUDIT_RUNS, Cluster, settings_for
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.kit.kafka.consumer import reader, record_of, to_end
from services.report.adapters import exporting, parquet, sources
from services.report.adapters.batch import Batch, Stretch, silent
from services.report.adapters.shelf import shelf
from services.report.adapters.topics import AT_ONCE, WAIT_S, Topics
from services.report.decisions.baseline import Baseline
from services.report.decisions.composing import Wanted, baseline_of
from services.report.decisions.gathering import Gathered
from services.report.decisions.heap import Room
from services.report.decisions.names import Revealed
from services.report.decisions.page import page

EVENTS = 1_000_000
OTHER_PARTITIONS = 7
LOOK_EVERY_S = 0.05
OF_FILE = 10_000_000
GROWN_FROM = 200_000
PLAIN = 30_000
"""So many are read the plain way: its pace is the same from the first to the last."""
AUDIT = (AUDIT_RUNS, AUDIT_DECISIONS, AUDIT_REACTIONS)
CLOCK = SystemClock()


async def run(bed: Bed, number: int) -> Measured:
    """One log on topics, read in each way; and one in a file."""
    settings = replace_prefix(bed.kafka, f"bench-report-{bed.seed}-{number}.")
    async with _on_topics(settings, settings.topic_partitions, bed.seed) as count:
        figures = {
            "bare": count / await asyncio.to_thread(_timed, lambda: _bare(settings)),
            "report": count / await asyncio.to_thread(_timed, lambda: _from_topics(settings)),
            "plain": PLAIN / await _plain(settings),
        }
        if number == 0:
            figures["others"] = await _others(bed, settings)
    path = bed.home.root / "log.parquet"
    if not path.exists():
        await asyncio.to_thread(_grown, path, bed.seed)
    figures["parquet"] = await asyncio.to_thread(_timed, lambda: _baseline(parquet.batches(path, Stretch(), silent)))
    figures["memory"] = await _memory(path)
    return Measured(figures)


@asynccontextmanager
async def _on_topics(settings: KafkaSettings, partitions: int, seed: int) -> AsyncIterator[int]:
    """The log, on topics that are there as long as it is read. Gives how many events."""
    cluster = Cluster(1, settings.topic_prefix, partitions)
    async with admin.admin_client(settings) as client:
        await admin.create(client, [settings_for(topic, cluster) for topic in AUDIT])
        yield await asyncio.to_thread(_put, settings, records(EVENTS, seed))
        await client.delete_topics([f"{settings.topic_prefix}{topic.name}" for topic in AUDIT])


async def _others(bed: Bed, settings: KafkaSettings) -> int:
    """How many reports of the same log are others: made again, of files of both kinds, of more partitions."""
    made = await asyncio.to_thread(_from_topics, settings)
    others = [await asyncio.to_thread(_from_topics, settings)]
    for name in ("same.jsonl", "same.parquet"):
        path = bed.home.root / name
        log = Topics(settings, [topic.name for topic in AUDIT], Stretch()).records(silent)
        await asyncio.to_thread(exporting.write, path, log)
        others.append(await asyncio.to_thread(_from_file, path))
    elsewhere = replace_prefix(settings, f"{settings.topic_prefix}other-")
    async with _on_topics(elsewhere, OTHER_PARTITIONS, bed.seed):
        others.append(await asyncio.to_thread(_from_topics, elsewhere))
    return sum(each.model_dump_json() != made.model_dump_json() or page(each) != page(made) for each in others)


async def _memory(path: Path) -> float:
    """The most that the command holds, in MB, of many looks at it."""
    command = (sys.executable, "-m", "threadline", "report", "baseline", str(path), "--reveal")
    started = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    ended, most = asyncio.create_task(started.wait()), 0.0
    while not ended.done():
        most = max(most, rss_mb(started.pid))
        await asyncio.wait({ended}, timeout=LOOK_EVERY_S)
    if ended.result():
        raise RuntimeError(f"the command ended with {ended.result()}")
    return most


def _timed(work: Callable[[], object]) -> float:
    begun = CLOCK.monotonic()
    work()
    return CLOCK.monotonic() - begun


def _put(settings: KafkaSettings, log: Iterable[Kept]) -> int:
    producer, count = Producer({"bootstrap.servers": settings.kafka_brokers, "partitioner": "murmur2_random"}), 0
    for each in log:
        while True:
            try:
                topic = f"{settings.topic_prefix}{each.topic}"
                producer.produce(topic, each.value, each.key, headers=list(each.headers))
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
    producer.flush()
    return count


def _bare(settings: KafkaSettings) -> None:
    """Takes every record in hand, and looks at none."""
    consumer = Consumer({"bootstrap.servers": settings.kafka_brokers, "group.id": "bench", "enable.auto.commit": False})
    try:
        known = consumer.list_topics(timeout=10).topics
        names = [f"{settings.topic_prefix}{topic.name}" for topic in AUDIT]
        places = [TopicPartition(name, each, 0) for name in names for each in known[name].partitions]
        left = sum(consumer.get_watermark_offsets(each)[1] for each in places)
        consumer.assign(places)
        while left > 0:
            left -= len(consumer.consume(AT_ONCE, WAIT_S))
    finally:
        consumer.close()


def _from_topics(settings: KafkaSettings) -> Baseline:
    return _baseline(Topics(settings, [topic.name for topic in AUDIT], Stretch()).batches(silent))


def _from_file(path: Path) -> Baseline:
    return _baseline(sources.batches(path, Stretch(), silent))


def _baseline(batches: Iterator[Batch]) -> Baseline:
    """From reading to the page."""
    with shelf() as kept:
        gathered = Gathered(Room(kept))
        for batch in batches:
            gathered.add(batch.events)
        made = baseline_of(gathered, Wanted(Revealed()))
    page(made)
    return made


async def _plain(settings: KafkaSettings) -> float:
    """Aiokafka and a pydantic model for each event, which are only counted. Of one topic, and not all of it."""
    begun, count = CLOCK.monotonic(), 0
    async with reader(settings, AUDIT_DECISIONS) as consumer:
        async for raw in to_end(consumer):
            _, event = record_of(raw, settings.topic_prefix).decode()
            count += not isinstance(event, UnknownEvent)
            if count == PLAIN:
                break
    return CLOCK.monotonic() - begun


def _grown(path: Path, seed: int) -> None:
    """A file with copies of a log, each with names of its own."""
    log, small = records(GROWN_FROM, seed), path.with_name("small.parquet")
    exporting.write(small, iter(lambda: list(islice(log, AT_ONCE)), []))
    rows = pl.scan_parquet(small)
    count = int(rows.select(pl.len()).collect().item())
    names = [f"{parquet.OPENED}{name}" for name in ("id", "run_id", "session", "stop_id")]
    copies = [
        rows.with_columns(
            pl.when(pl.col(name).is_not_null()).then(pl.format("{}-{}", name, pl.lit(copy))).alias(name)
            for name in names
        )
        for copy in range(-(-OF_FILE // count))
    ]
    pl.concat(copies).head(OF_FILE).sink_parquet(path, row_group_size=parquet.AT_ONCE)


def judge(runs: list[Measured]) -> list[Figure]:
    """From the broker each second, and from a file in seconds."""

    def values(name: str) -> tuple[float, ...]:
        return tuple(each.figures[name] for each in runs)

    bare = Figure("the bare client", "events/s", values("bare"))
    plain = Figure("aiokafka and pydantic, counted only", "events/s", values("plain"))
    beside = Peer("the bare client", bare.value)
    others = (runs[0].figures["others"],)
    return [
        Figure("a baseline from the broker", "events/s", values("report"), goal=Goal(">=", 100_000), peer=beside),
        bare,
        plain,
        Figure(f"a baseline of {OF_FILE:,} events from Parquet", "s", values("parquet"), goal=Goal("<=", 5)),
        Figure("the same: the most memory it holds", "MB", values("memory")),
        Figure("reports of one log that are others", "", others, goal=Goal("<=", 0)),
    ]


SUITE = Suite(
    name="report",
    kind="bench",
    what="how fast a baseline reads topics and files, beside the bare client and the plain way",
    runs=3,
    run=run,
    judge=judge,
)
