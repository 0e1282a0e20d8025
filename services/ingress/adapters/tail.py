"""Reads the inbound stream along, through outages of the broker, and hands it to local programs as lines of JSON."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from pydantic_core import to_json

from schemas.record import CannotRead, UnknownEvent
from schemas.topics import SLACK_INBOUND
from services.kit.clock import Clock
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import Record, fetched, is_cancelled, reader, record_of

log = logging.getLogger(__name__)

IDLE_S, ANSWER_WITHIN_S, PAUSE_S = 2.0, 5.0, 1.0
"""After so long without a record the broker is asked whether it is there: the client alone would wait in silence."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LostPlace(Exception):
    """The client was put back to an earlier place, as it is when a broker that starts does not know its topics yet."""


def line_of(record: Record) -> bytes:
    """A record as a line. One that cannot be read is a line, too, and says why."""
    where = {
        "partition": record.partition,
        "offset": record.offset,
        "appended_at": _instant(record.appended_ms),
        "key": record.key.decode("utf-8", "backslashreplace") if record.key is not None else None,
    }
    try:
        attributes, event = record.decode()
    except CannotRead as error:
        return _json({**where, "unreadable": str(error)})
    if isinstance(event, UnknownEvent):
        return _json({**where, "unreadable": f"this version knows no type {event.type}"})
    return _json({**where, "id": attributes.id, "type": attributes.type, "event": event})


def _json(facts: dict[str, object]) -> bytes:
    return to_json(facts, inf_nan_mode="null") + b"\n"


def _instant(milliseconds: int) -> str | None:
    try:
        moment = EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Tail:
    """The inbound stream from a moment, or from now, on. No outage of the broker loses or repeats a line."""

    def __init__(self, settings: KafkaSettings, since: datetime | None, clock: Clock) -> None:
        self._settings, self._since, self._begun = settings, since, clock.now()
        self._topic = f"{settings.topic_prefix}{SLACK_INBOUND.name}"
        self._next: dict[int, int] = {}
        self._is_away = False

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """One for each record, without an end. Those of a partition, and so of a connection, are in its order."""
        while True:
            try:
                async with reader(self._settings, SLACK_INBOUND, self._since) as consumer:
                    await self._go_on(consumer)
                    while True:
                        for record in await self._read(consumer):
                            self._place(record)
                            yield line_of(record)
            except (KafkaError, OSError, LostPlace, asyncio.CancelledError) as error:
                if is_cancelled():
                    raise
                self._away(error)
            await asyncio.sleep(PAUSE_S)

    async def _go_on(self, consumer: AIOKafkaConsumer) -> None:
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        if not self._next:
            begins = ends if self._since is None else {each: await consumer.position(each) for each in partitions}
            self._next = {each.partition: begins[each] for each in partitions}
            since = self._since.isoformat(timespec="seconds") if self._since else "now"
            log.info("reads %s at %s, from %s on", self._topic, self._settings.kafka_brokers, since)
        for each in partitions:
            if self._next.setdefault(each.partition, 0) > ends[each]:
                log.warning("partition %d of %s is shorter than it was: it was made anew", each.partition, self._topic)
                self._next[each.partition] = 0
            consumer.seek(each, self._next[each.partition])
        if self._is_away:
            self._is_away = False
            log.info("%s answers again", self._settings.kafka_brokers)

    async def _read(self, consumer: AIOKafkaConsumer) -> list[Record]:
        """What is there next; nothing where the broker answers, and has nothing."""
        found = await fetched(consumer, timeout_ms=int(IDLE_S * 1000))
        if not found:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await consumer.end_offsets(sorted(consumer.assignment()))
        return [record_of(raw, self._settings.topic_prefix) for batch in found.values() for raw in batch]

    def _place(self, record: Record) -> None:
        expected = self._next.get(record.partition, 0)
        if record.offset < expected:
            raise LostPlace(f"partition {record.partition}: offset {record.offset} came after {expected - 1}")
        if record.offset > expected:
            log.warning("partition %d: the offsets %d to %d are gone", record.partition, expected, record.offset - 1)
        self._next[record.partition] = record.offset + 1

    def _away(self, error: BaseException) -> None:
        if not self._next and self._since is None:
            self._since = self._begun  # what comes in while we look for the broker belongs to what was asked for
        if not self._is_away:
            self._is_away = True
            what = f"no broker answers at {self._settings.kafka_brokers} ({type(error).__name__})"
            log.warning("%s; it is tried again, and no line is lost or repeated", what)
