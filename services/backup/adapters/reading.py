"""Reads partitions into files, each record as it stands there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.lines import Kept
from services.backup.adapters.folder import Lines, Tell, summed
from services.backup.decisions.fitting import is_exact
from services.backup.decisions.manifest import KeptPartition
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import let_go
from services.kit.kafka.passage import AT_ONCE, FETCH_BYTES, Passages

SOON_MS: Final = 10
"""So long a broker holds an answer back where it has nothing: all that is asked for stands there."""


class Hole(Fault):
    """Records are missing between others."""


class _CutShort(Exception):
    """Retention deleted records while they were being read."""


class Keeper:
    """Keeps partitions in a folder."""

    def __init__(self, folder: Path, total: int, tell: Tell) -> None:
        self._folder, self._total, self._tell = folder, total, tell
        self._done = 0

    async def keep(self, settings: KafkaSettings, bounds: Mapping[tuple[str, int], range]) -> list[KeptPartition]:
        """All that stands between these bounds."""
        found = []
        async with _reading(settings) as consumer:
            for topic, places in groupby(bounds, key=lambda place: place[0]):
                numbers = [number for _, number in places]
                reading = Passages(
                    consumer, [TopicPartition(f"{settings.topic_prefix}{topic}", each) for each in numbers]
                )
                found += [await self._keep(reading, topic, number, bounds[topic, number]) for number in numbers]
        return found

    async def _keep(self, reading: Passages, topic: str, partition: int, offsets: range) -> KeptPartition:
        done = self._done
        while True:
            try:
                records, newest_ms = await self._write(reading, topic, partition, offsets) if offsets else (0, None)
                break
            except _CutShort:
                begins = (await reading.begins())[partition]
                if begins <= offsets.start:
                    raise Hole(
                        f"{topic} {partition} lacks records between others, which neither retention nor compaction "
                        "does: its log is damaged, and was not kept. `threadline topics check` says whether it is as "
                        "declared; --only postgres keeps the directory"
                    ) from None
                self._done, offsets = done, range(min(begins, offsets.stop), offsets.stop)
        self._done = done + len(offsets)
        name = _name(topic, partition)
        if not records:
            (self._folder / name).unlink(missing_ok=True)
        return KeptPartition(
            topic=topic,
            partition=partition,
            begins=offsets.start,
            ends=offsets.stop,
            records=records,
            newest_ms=newest_ms,
            file=summed(self._folder, name) if records else None,
        )

    async def _write(self, reading: Passages, topic: str, partition: int, offsets: range) -> tuple[int, int | None]:
        file, passage, exact = (
            Lines(self._folder / _name(topic, partition)),
            reading.read(partition, offsets),
            is_exact(topic),
        )
        records, newest_ms, expected = 0, None, offsets.start
        try:
            while batch := await passage.more():
                if exact and [record.offset for record in batch] != list(range(expected, expected + len(batch))):
                    raise _CutShort
                await asyncio.to_thread(file.add, [_kept(topic, record) for record in batch])
                records, expected = records + len(batch), batch[-1].offset + 1
                newest_ms = max(newest_ms or 0, *(record.timestamp for record in batch))
                self._done += len(batch)
                self._tell(min(self._done, self._total), self._total)
        finally:
            file.close()
        if exact and expected != offsets.stop:
            raise _CutShort
        return records, newest_ms


@asynccontextmanager
async def _reading(settings: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """One client for every topic, without a group."""
    consumer = AIOKafkaConsumer(
        **client_arguments(settings),
        group_id=None,
        max_partition_fetch_bytes=FETCH_BYTES,
        max_poll_records=AT_ONCE,
        fetch_max_wait_ms=SOON_MS,
        auto_offset_reset="earliest",  # what retention deletes meanwhile shows as a hole
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await let_go(consumer)


def _kept(topic: str, record: ConsumerRecord) -> Kept:
    return Kept(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        appended_ms=record.timestamp,
        key=record.key,
        headers=tuple(record.headers),
        value=record.value,
    )


def _name(topic: str, partition: int) -> str:
    return f"{topic}-{partition}.jsonl.gz"
