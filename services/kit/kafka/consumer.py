"""Reads topics: as a member of a group that commits by hand, or alone from a moment on."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Tracer

from schemas.attributes import Attributes
from schemas.base import Event
from schemas.record import UnknownEvent, decode
from schemas.topics import BY_NAME, Topic
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.kafka.connection import client_arguments
from services.kit.telemetry.traces import About, spanning

SETTLED_S = 0.1
POLL_MS = 1000


class NoSuchTopic(Fault):
    """A topic that was never made."""


class FetchesNoMore(Fault):
    """A client reads nothing any more, and only another one would."""


@dataclass(frozen=True)
class Record:
    """One record of a topic, not yet opened."""

    topic: Topic
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    appended_ms: int
    """When the broker appended it."""

    def decode(self) -> tuple[Attributes, Event | UnknownEvent]:
        """What it says; `schemas.record.CannotRead` where it cannot be understood."""
        return decode(self.topic, self.headers, self.value)


def record_of(raw: ConsumerRecord, prefix: str) -> Record:
    """A client's record as ours."""
    return Record(
        topic=BY_NAME[raw.topic.removeprefix(prefix)],
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        value=raw.value,
        headers=tuple(raw.headers),
        appended_ms=raw.timestamp,
    )


def processing(topic: Topic, record_id: str, trace: Context, tracer: Tracer) -> AbstractContextManager[Span]:
    """Within it, the work on a record is part of the trace that the record belongs to."""
    facts = {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic.name,
        "messaging.message.id": record_id,
    }
    return spanning(tracer, About(f"process {topic.name}", SpanKind.CONSUMER, facts), trace)


@asynccontextmanager
async def group_consumer(
    settings: KafkaSettings,
    group: str,
    topics: Iterable[Topic],
    listener: ConsumerRebalanceListener | None = None,
    member: str | None = None,
) -> AsyncIterator[AIOKafkaConsumer]:
    """A member of a group. It commits nothing by itself: what is done with, only the service knows.

    One with a name of its own is the same member when it comes back, and has its partitions again at once.
    """
    consumer = AIOKafkaConsumer(
        **client_arguments(settings),
        group_id=f"{settings.topic_prefix}{group}",
        group_instance_id=member,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    consumer.subscribe([f"{settings.topic_prefix}{topic.name}" for topic in topics], listener=listener)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def reader(
    settings: KafkaSettings, topic: Topic, since: datetime | None = None
) -> AsyncIterator[AIOKafkaConsumer]:
    """Every partition of a topic, without a group, from a moment on or from the beginning."""
    name = f"{settings.topic_prefix}{topic.name}"
    async with admin_client(settings) as client:
        await must_be_there(client, name, settings)
    consumer = AIOKafkaConsumer(name, **client_arguments(settings), group_id=None, auto_offset_reset="earliest")
    try:
        await consumer.start()
        await _seek(consumer, sorted(consumer.assignment()), since)
        yield consumer
    finally:
        await let_go(consumer)


async def must_be_there(client: AIOKafkaAdminClient, name: str, settings: KafkaSettings) -> None:
    """A consumer would wait for a topic that is not, without a word."""
    if name not in await client.list_topics():
        raise NoSuchTopic(f"there is no topic {name} at {settings.kafka_brokers}; `threadline topics apply` makes it")


@asynccontextmanager
async def newest_of(
    settings: KafkaSettings, topic: Topic, partition: int, most: int
) -> AsyncIterator[AIOKafkaConsumer]:
    """One partition of a topic, without a group, from its newest records on."""
    here = TopicPartition(f"{settings.topic_prefix}{topic.name}", partition)
    async with _alone(settings, here) as consumer:
        first, end = (await consumer.beginning_offsets([here]))[here], (await consumer.end_offsets([here]))[here]
        consumer.seek(here, max(first, end - most))
        yield consumer


@asynccontextmanager
async def _alone(settings: KafkaSettings, here: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**client_arguments(settings), group_id=None)
    try:
        await consumer.start()
        consumer.assign([here])
        yield consumer
    finally:
        await let_go(consumer)


async def to_end(consumer: AIOKafkaConsumer) -> AsyncIterator[ConsumerRecord]:
    """Everything that stands in its partitions now, each in its order; what comes meanwhile is left."""
    ends = await consumer.end_offsets(consumer.assignment())
    left = {tp for tp, end in ends.items() if await consumer.position(tp) < end}
    while left:
        for tp, records in (await fetched(consumer, *left, timeout_ms=200)).items():
            for record in records:
                if record.offset < ends[tp]:
                    yield record
        left = {tp for tp in left if await consumer.position(tp) < ends[tp]}


async def onward(consumer: AIOKafkaConsumer) -> AsyncIterator[ConsumerRecord]:
    """Everything from where it stands, each partition in its order, and then what comes. It does not end."""
    while True:
        for records in (await fetched(consumer, timeout_ms=POLL_MS)).values():
            for record in records:
                yield record


async def fetched(
    consumer: AIOKafkaConsumer, *partitions: TopicPartition, timeout_ms: int, max_records: int | None = None
) -> dict[TopicPartition, list[ConsumerRecord]]:
    """What came within a time. `FetchesNoMore` where nothing ever will."""
    found: dict[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(
        *partitions, timeout_ms=timeout_ms, max_records=max_records
    )
    if not found:
        must_fetch(consumer)
    return found


def must_fetch(consumer: AIOKafkaConsumer) -> None:
    """Raises where aiokafka's own fetching has ended: version 0.14 tells nobody, and gives nothing for ever."""
    fetcher = consumer._fetcher  # noqa: SLF001 - there is no other way to ask
    if fetcher is not None and fetcher._fetch_task.done() and not fetcher._closed:  # noqa: SLF001 - likewise
        raise FetchesNoMore("aiokafka fetches no more; what was not done with is read again after a start")


async def _seek(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], since: datetime | None) -> None:
    if since is None:
        await consumer.seek_to_beginning(*partitions)
        return
    for partition, offset in (await offsets_at(consumer, partitions, since)).items():
        consumer.seek(partition, offset)


async def offsets_at(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], moment: datetime
) -> dict[TopicPartition, int]:
    """The first offset of each that was appended then or later; its end where there is none."""
    ends = await consumer.end_offsets(partitions)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, int(moment.timestamp() * 1000)))
    return {each: at.offset if (at := found.get(each)) is not None else ends[each] for each in partitions}


async def let_go(consumer: AIOKafkaConsumer) -> None:
    """Stops a reader. aiokafka 0.14 lets a cancellation of its own out where a fetch waits to be tried again."""
    try:
        await asyncio.sleep(0)  # its fetcher fails where partitions go before it has heard that they are there
        consumer.unsubscribe()  # and no fetch waits for anything
        await asyncio.sleep(SETTLED_S)
    finally:  # also where Ctrl-C comes just now
        try:
            await consumer.stop()
        except asyncio.CancelledError:
            if is_cancelled():
                raise


def is_cancelled() -> bool:
    """Whether this task is told to end. A library that gives up may let a cancellation of its own out, too."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
