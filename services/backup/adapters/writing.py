"""Writes partitions from files: each record at the offset that it had, which the broker's own answer proves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import RecordMetadata

from schemas.lines import Headers
from services.backup.adapters.folder import Tell, lines_in
from services.backup.decisions.fitting import Ends, fillers, is_exact
from services.backup.decisions.manifest import KeptPartition, Manifest
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.pace import pace

BATCH_BYTES: Final = 512 << 10
LARGEST: Final = 8 << 20
NOT_TOLD: Final = -1
"""What the client gives as the offset where a broker says that it has this batch already."""


class Displaced(Fault):
    """A record did not get the offset that it had."""


@asynccontextmanager
async def producer_of(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    """A producer whose batches are filled by hand."""
    producer = AIOKafkaProducer(
        **client_arguments(settings),
        client_id="threadline-backup",
        acks="all",
        enable_idempotence=True,
        max_batch_size=BATCH_BYTES,
        max_request_size=LARGEST,
        compression_type="gzip",
    )
    pace(producer.client)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


class Row:
    """One partition's records, one behind the other."""

    def __init__(self, producer: AIOKafkaProducer, here: TopicPartition, next_offset: int) -> None:
        self._producer, self._here, self._next = producer, here, next_offset
        self._batch: Any = producer.create_batch()
        self._sent: asyncio.Future[RecordMetadata] | None = None
        self._sent_at = next_offset

    async def add(self, key: bytes | None, value: bytes | None, headers: Headers, appended_ms: int) -> None:
        """The next one."""
        record = {"timestamp": appended_ms, "key": key, "value": value, "headers": list(headers)}
        if self._batch.append(**record) is None:
            await self._send()
            self._batch.append(**record)

    async def end(self) -> int:
        """Returns when all of it is durable, with the offset that comes next."""
        await self._send()
        await self._settle()
        return self._next

    async def _send(self) -> None:
        await self._settle()
        count, batch, self._batch = self._batch.record_count(), self._batch, self._producer.create_batch()
        if count:
            self._sent_at = self._next
            self._sent = await self._producer.send_batch(batch, self._here.topic, partition=self._here.partition)
            self._next += count

    async def _settle(self) -> None:
        if self._sent is None:
            return
        found = (await self._sent).offset
        self._sent = None
        if found != self._sent_at:
            raise Displaced(_told(self._here, self._sent_at, found))


def _told(here: TopicPartition, wanted: int, found: int) -> str:
    place, marked = f"{here.topic} {here.partition}", "what was restored so far is marked as unfinished"
    if found == NOT_TOLD:
        return (
            f"{place}: the records from offset {wanted} on were sent twice, and the broker does not tell where they "
            f"stand; {marked}. Restore with --anew"
        )
    return (
        f"{place}: a record of offset {wanted} was given {found}: somebody else writes there; {marked}. No group shows "
        "an ingress that runs, and it writes to slack.inbound. Stop every service, then restore with --anew"
    )


class Putter:
    """Puts a backup's records on topics that are empty."""

    def __init__(self, producer: AIOKafkaProducer, settings: KafkaSettings, there: Ends, tell: Tell) -> None:
        self._producer, self._prefix, self._there, self._tell = producer, settings.topic_prefix, there, tell
        self._done = self._total = 0

    async def put(self, folder: Path, manifest: Manifest) -> dict[TopicPartition, int]:
        """Every record. Gives the partitions that must begin above 0, and where."""
        self._total = sum(self._first(each)[1] + each.records for each in manifest.partitions)
        begins = {}
        for kept in manifest.partitions:
            here = TopicPartition(f"{self._prefix}{kept.topic}", kept.partition)
            await self._put(folder, kept, here)
            if is_exact(kept.topic) and kept.begins:
                begins[here] = kept.begins
        return begins

    def _first(self, kept: KeptPartition) -> tuple[int, int]:
        """The offset that comes next there, and how many records fill the partition up to its beginning."""
        next_offset = self._there.get((kept.topic, kept.partition), range(0)).stop
        return next_offset, fillers(kept, next_offset)

    async def _put(self, folder: Path, kept: KeptPartition, here: TopicPartition) -> None:
        next_offset, count = self._first(kept)
        row, filled = Row(self._producer, here, next_offset), count == 0
        ends = kept.ends if is_exact(kept.topic) else next_offset + kept.records
        for record in lines_in(folder / kept.file.name) if kept.file is not None else ():
            if not filled:
                await self._fill(row, count, record.appended_ms)
                filled = True
            await row.add(record.key, record.value, record.headers, record.appended_ms)
            self._step(1)
        if not filled:
            await self._fill(row, count, 0)
        if (reached := await row.end()) != ends:
            raise Displaced(f"{kept.topic} {kept.partition} ends at {reached} and not at {ends}: the backup is damaged")

    async def _fill(self, row: Row, count: int, appended_ms: int) -> None:
        for _ in range(count):
            await row.add(None, None, (), appended_ms)
            self._step(1)

    def _step(self, count: int) -> None:
        self._done += count
        if self._done % 1000 == 0 or self._done == self._total:
            self._tell(self._done, self._total)


async def delete_fillers(client: AIOKafkaAdminClient, begins: dict[TopicPartition, int]) -> None:
    """Partitions begin where they began."""
    if begins:
        await client.delete_records({here: RecordsToDelete(before_offset=at) for here, at in begins.items()})
