"""The journal: one row for each record of the source, in the same partition. Memory is made of it."""

import asyncio
import logging
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import fetched
from services.kit.kafka.pace import pace
from services.router.stream import row
from services.router.stream.lane import Letter
from services.router.stream.row import Row

log = logging.getLogger(__name__)

FETCH_BYTES = 8 << 20


class Journal:
    """Rows of the topic `topic`, for records of the same partition of the source."""

    def __init__(self, topic: Topic, settings: KafkaSettings) -> None:
        self._topic, self._settings = topic, settings

    def letter(self, partition: int, offset: int, kept: bytes, settled: Callable[[], None]) -> Letter:
        """A row, on its way into the journal."""
        return Letter(self._topic, str(offset), kept, (), settled, partition)

    def tombstone(self, partition: int, offset: int) -> Letter:
        """A row, on its way out of it."""
        return Letter(self._topic, str(offset), None, (), partition=partition)

    async def read(self, partitions: set[int]) -> dict[int, dict[int, Row]]:
        """Every row of these partitions as the journal stands now.

        Of two rows for one record the first counts: it was the decision, and whoever wrote the other was not ours to
        write any more. Both were decided with the same memory.
        """
        found: dict[int, dict[int, Row]] = {partition: {} for partition in partitions}
        if not found:
            return found
        consumer = AIOKafkaConsumer(
            **client_arguments(self._settings),
            group_id=None,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
            max_poll_records=None,
        )
        pace(consumer._client)  # noqa: SLF001 - there is no other way to it
        try:
            await consumer.start()
            await self._read_to_end(consumer, found)
        finally:
            await asyncio.shield(asyncio.create_task(consumer.stop()))
        return found

    async def _read_to_end(self, consumer: AIOKafkaConsumer, found: dict[int, dict[int, Row]]) -> None:
        name = f"{self._settings.topic_prefix}{self._topic.name}"
        assigned = [TopicPartition(name, partition) for partition in sorted(found)]
        consumer.assign(assigned)
        ends = await consumer.end_offsets(assigned)
        await consumer.seek_to_beginning(*assigned)
        left = {each for each in assigned if ends[each] > 0}
        while left:
            for each in list(left):
                if await consumer.position(each) >= ends[each]:
                    left.discard(each)
                    consumer.pause(each)
            if not left:
                break
            for tp, records in (await fetched(consumer, *left, timeout_ms=200)).items():
                rows = found[tp.partition]
                for record in records:
                    _fold(rows, int(record.key), record.value)


def _fold(rows: dict[int, Row], offset: int, value: bytes | None) -> None:
    if value is None:
        rows.pop(offset, None)
    elif offset not in rows:
        rows[offset] = row.decode(value)
