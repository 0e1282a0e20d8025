"""audit.runs, by a client of its own: what it refuses waits, and nothing else waits with it."""

import asyncio
import logging
from types import TracebackType
from typing import Final, Self

from aiokafka.errors import KafkaError

from schemas.run import RunAudit
from schemas.topics import AUDIT_RUNS
from services.kit.groups import KafkaSettings
from services.kit.kafka.durable import durable
from services.kit.kafka.producer import Producer
from services.kit.telemetry.instruments import Instruments
from services.responder import metrics
from services.responder.settings import SERVICE

log = logging.getLogger(__name__)

AGAIN_S: Final = 1.0


class AuditTopic:
    """Writes to it, however long it takes nothing. A client that was refused is out of step, and is replaced."""

    def __init__(self, settings: KafkaSettings, instruments: Instruments) -> None:
        self._settings, self._instruments = settings, instruments
        self._producer = self._another()
        self._renewing = asyncio.Lock()
        self._waiting: dict[str, str] = {}
        """Records that were refused, and why."""

    async def __aenter__(self) -> Self:
        """Connects."""
        await self._producer.__aenter__()
        self._instruments.emitter.set(metrics.AUDIT_DOWN, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Whoever waited for something has gone: who has the partitions next writes it."""
        await self._producer.abandon()

    def trouble(self) -> str | None:
        """Why what becomes of runs is not written, for those who watch."""
        if not self._waiting:
            return None
        why = next(iter(self._waiting.values()))
        return (
            f"{AUDIT_RUNS.name} takes nothing ({why}): {len(self._waiting)} records wait in memory, and answers go on"
        )

    async def write(self, key: str, record: RunAudit, record_id: str) -> None:
        """Returns when it stands."""
        try:
            while (why := await self._refusal(key, record, record_id)) is not None:
                self._waits(record_id, why)
                await asyncio.sleep(AGAIN_S)
        finally:
            self._waits_no_more(record_id)

    async def _refusal(self, key: str, record: RunAudit, record_id: str) -> str | None:
        """Why the topic did not take it; nothing where it did."""
        producer = self._producer
        try:
            await durable(lambda: producer.send(AUDIT_RUNS, key, record, record_id))
        except KafkaError as error:
            await self._renew(producer)
            return type(error).__name__
        return None

    async def _renew(self, failed: Producer) -> None:
        async with self._renewing:
            if self._producer is not failed:
                return
            await failed.abandon()
            another = self._another()
            try:
                await another.__aenter__()
            except KafkaError as error:
                log.info("no client connects for %s (%s): it is tried again", AUDIT_RUNS.name, type(error).__name__)
            else:
                self._producer = another

    def _another(self) -> Producer:
        return Producer(self._settings, SERVICE, self._instruments)

    def _waits(self, record_id: str, why: str) -> None:
        if not self._waiting:
            log.error("%s takes nothing (%s): its records wait in memory, and answers go on", AUDIT_RUNS.name, why)
            self._instruments.emitter.set(metrics.AUDIT_DOWN, 1)
        self._waiting[record_id] = why

    def _waits_no_more(self, record_id: str) -> None:
        if self._waiting.pop(record_id, None) is not None and not self._waiting:
            log.warning("%s takes what waited for it", AUDIT_RUNS.name)
            self._instruments.emitter.set(metrics.AUDIT_DOWN, 0)
