"""Puts records back on topics: their keys, headers and values byte for byte, each key's in their order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from schemas.attributes import Headers
from schemas.lines import Kept
from schemas.topics import BY_NAME
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import LiveTopic, admin_client, live_topics
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.writer import Writer

IN_FLIGHT: Final = 5_000


class NotEmpty(Fault):
    """A topic that holds records already."""


class NotThere(Fault):
    """A topic that the cluster does not have."""


class Putter:
    """Writes records. What a broker has acknowledged is counted in `put`."""

    def __init__(self, writer: Writer, partitions: dict[str, int]) -> None:
        self._writer, self._partitions = writer, partitions
        self._waiting: deque[asyncio.Future[RecordMetadata]] = deque()
        self.put = 0

    async def add(self, record: Kept) -> None:
        """Takes one in. The partition follows from the key, as it does for whoever wrote it first."""
        headers = cast("Headers", record.headers)  # a header may be empty on a topic, though ours are not
        partition = record.partition % self._partitions[record.topic] if record.key is None else None
        future = await self._writer.hand_over(BY_NAME[record.topic], record.key, record.value, headers, partition)
        self._waiting.append(future)
        if len(self._waiting) > IN_FLIGHT:
            await self._settle_one()

    async def settle(self) -> None:
        """Returns when all of it is durable."""
        while self._waiting:
            await self._settle_one()

    async def _settle_one(self) -> None:
        await self._waiting.popleft()
        self.put += 1


@asynccontextmanager
async def putter(settings: KafkaSettings, topics: Sequence[str], *, onto_others: bool) -> AsyncIterator[Putter]:
    """Within it records can be put on these topics. They must be there, and empty unless others may stand there."""
    try:
        partitions = await _partitions(settings, topics, onto_others=onto_others)
        async with Writer(settings, "report") as writer:
            yield Putter(writer, partitions)
    except KafkaError as error:
        raise Fault(
            f"the cluster at {settings.kafka_brokers} did not take all of it ({type(error).__name__}); what it took "
            "stands on the topics. Put it on topics under another THREADLINE_TOPIC_PREFIX to begin anew"
        ) from error


async def _partitions(settings: KafkaSettings, topics: Sequence[str], *, onto_others: bool) -> dict[str, int]:
    """How many each topic has."""
    names = {f"{settings.topic_prefix}{topic}": topic for topic in topics}
    async with admin_client(settings) as client:
        live = await live_topics(client, names)
    absent = sorted(set(names) - set(live))
    if absent:
        raise NotThere(
            f"there is no topic {', '.join(absent)} at {settings.kafka_brokers}; nothing was put anywhere. "
            "`threadline topics apply` makes what is declared"
        )
    if not onto_others:
        await _refuse_others(settings, live)
    return {names[name]: found.partitions for name, found in live.items()}


async def _refuse_others(settings: KafkaSettings, live: Mapping[str, LiveTopic]) -> None:
    consumer = AIOKafkaConsumer(**client_arguments(settings), group_id=None)
    await consumer.start()
    try:
        for name, found in live.items():
            places = [TopicPartition(name, number) for number in range(found.partitions)]
            begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            standing = sum(ends[each] - begins[each] for each in places)
            if standing:
                raise NotEmpty(
                    f"{name} holds {standing} records already; nothing was put on any topic. Another "
                    "THREADLINE_TOPIC_PREFIX names empty ones; --onto-others adds to those that are there"
                )
    finally:
        await consumer.stop()
