"""What routers made of a log: every record of a topic, read fast, with its id."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import reader, to_end


@dataclass(frozen=True, slots=True)
class Seen:
    """One record, not opened."""

    id: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    appended_ms: int


async def seen(kafka: KafkaSettings, topic: Topic) -> AsyncIterator[Seen]:
    """Everything that stands on it now, each partition in its order."""
    async with reader(kafka, topic) as consumer:
        async for raw in to_end(consumer):
            name = next((value.decode("utf-8", "replace") for header, value in raw.headers if header == "ce_id"), "")
            headers = tuple(raw.headers)
            yield Seen(name, raw.partition, raw.offset, raw.key, raw.value or b"", headers, raw.timestamp)


async def end_of(kafka: KafkaSettings, topic: Topic) -> int:
    """How many records were ever written to it."""
    consumer = AIOKafkaConsumer(**client_arguments(kafka), group_id=None)
    await consumer.start()
    try:
        name = f"{kafka.topic_prefix}{topic.name}"
        partitions = [TopicPartition(name, number) for number in range(kafka.topic_partitions)]
        return sum((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()


async def until_quiet(kafka: KafkaSettings, topic: Topic, at_least: int, within_s: float) -> int:
    """Waits until so many records stand on a topic; gives how many there are."""
    async with asyncio.timeout(within_s):
        while (end := await end_of(kafka, topic)) < at_least:  # noqa: ASYNC110 - a topic has no event
            await asyncio.sleep(0.2)
    return end
