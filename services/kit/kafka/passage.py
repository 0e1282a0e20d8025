"""Passages of a topic: the records of a partition between two offsets, in batches, one partition after the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.topics import Topic
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import let_go, must_be_there, offsets_at

WAITS_MS = 200
AT_ONCE = 1000
QUIET = 300
"""So many waits in a row without a record are a minute."""
FETCH_BYTES = 4 << 20
"""The client asks for more only when it has handed over what it got: larger answers, fewer waits."""


class NothingComes(Fault):
    """The broker stopped to send what it has."""


class Passages:
    """One client, which reads one partition at a time."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        self._consumer, self._partitions = consumer, partitions

    async def between(self, since: datetime, until: datetime | None = None) -> dict[int, range]:
        """The offsets of each partition that were appended in a stretch of time; up to now where it has no end."""
        consumer, partitions = self._consumer, self._partitions
        first = await offsets_at(consumer, partitions, since)
        end = await (consumer.end_offsets(partitions) if until is None else offsets_at(consumer, partitions, until))
        return {each.partition: range(first[each], max(first[each], end[each])) for each in self._partitions}

    async def begins(self) -> dict[int, int]:
        """The first offset of each partition that retention left."""
        found = await self._consumer.beginning_offsets(self._partitions)
        return {each.partition: offset for each, offset in found.items()}

    def read(self, partition: int, offsets: range) -> "Passage":
        """Goes to these records of a partition. The one that was read before is over."""
        here = next(each for each in self._partitions if each.partition == partition)
        self._consumer.assign([here])
        self._consumer.seek(here, offsets.start)
        return Passage(self._consumer, here, offsets.stop)


class Passage:
    """Some records of one partition."""

    def __init__(self, consumer: AIOKafkaConsumer, here: TopicPartition, stop: int) -> None:
        self._consumer, self._here, self._stop = consumer, here, stop

    async def more(self) -> list[ConsumerRecord]:
        """The next of them, in their order; none at the end."""
        waited = 0
        while await self._consumer.position(self._here) < self._stop:
            batch = (await self._consumer.getmany(self._here, timeout_ms=WAITS_MS)).get(self._here, [])
            found = [record for record in batch if record.offset < self._stop]
            if found:
                return found
            waited = 0 if batch else waited + 1
            if waited > QUIET:
                raise NothingComes(
                    f"{self._here.topic} has records that the broker does not send for a minute; nothing came of it. "
                    "Is the broker there, and every partition with a leader?"
                )
        return []


@asynccontextmanager
async def passages(settings: KafkaSettings, topic: Topic) -> AsyncIterator[Passages]:
    """Of one topic, without a group."""
    name = f"{settings.topic_prefix}{topic.name}"
    async with admin_client(settings) as client:
        await must_be_there(client, name, settings)
        [described] = await client.describe_topics([name])
    numbers = sorted(each["partition"] for each in described["partitions"])
    consumer = AIOKafkaConsumer(
        **client_arguments(settings),
        group_id=None,
        max_partition_fetch_bytes=FETCH_BYTES,
        max_poll_records=AT_ONCE,
        auto_offset_reset="earliest",  # what retention deletes meanwhile is gone, and what follows it is still read
    )
    try:
        await consumer.start()
        yield Passages(consumer, [TopicPartition(name, number) for number in numbers])
    finally:
        await let_go(consumer)
