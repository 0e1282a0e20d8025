"""Puts envelopes on slack.inbound as ingress does, and reads what came of them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from opentelemetry.trace import NoOpTracer

from schemas.attributes import Attributes
from schemas.base import Event
from schemas.decision import DecisionMade
from schemas.envelope import Envelope
from schemas.record import CannotRead, encode
from schemas.topics import AUDIT_DECISIONS, SLACK_INBOUND, Topic, name_of
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import Record, reader, record_of, to_end
from services.kit.kafka.producer import Producer
from services.kit.kafka.writer import Writer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments

AnyEvent = TypeVar("AnyEvent", bound=Event)


@dataclass(frozen=True)
class Found:
    """One record, opened."""

    id: str
    event: Any
    record: Record


@dataclass
class Inbox:
    """One cluster."""

    kafka: KafkaSettings
    put: int = 0

    async def put_all(self, envelopes: Iterable[Envelope]) -> None:
        """In their order."""
        instruments = Instruments(SystemClock(), NoEmitter(), NoOpTracer())
        async with Producer(self.kafka, "ingress", instruments) as producer:
            last = None
            for envelope in envelopes:
                last = await producer.send(SLACK_INBOUND, envelope.connection, envelope, envelope.event_id)
                self.put += 1
            if last is not None:
                await last

    async def put_raw(
        self, key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes], ...] = ()
    ) -> None:
        """Whatever it is."""
        async with Writer(self.kafka, "ingress") as writer:
            await (await writer.hand_over(SLACK_INBOUND, key, value, headers))
            self.put += 1

    async def found(self, topic: Topic, *, passing_over: bool = False) -> list[Found]:
        """Everything on a topic, each id once, each partition in its order.

        What nobody understands is passed over only where it was put there on purpose.
        """
        found: dict[str, Found] = {}
        async with reader(self.kafka, topic) as consumer:
            async for raw in to_end(consumer):
                record = record_of(raw, self.kafka.topic_prefix)
                try:
                    attributes, event = record.decode()
                except CannotRead:
                    if passing_over:
                        continue
                    raise
                found.setdefault(attributes.id, Found(attributes.id, event, record))
        return sorted(found.values(), key=lambda each: (each.record.partition, each.record.offset))

    async def decisions(self, within_s: float = 30.0) -> list[DecisionMade]:
        """As many as there are envelopes, in their order."""
        async with asyncio.timeout(within_s):
            while len(found := await self.found(AUDIT_DECISIONS)) < self.put:  # noqa: ASYNC110 - a topic has no event
                await asyncio.sleep(0.1)
        made: list[DecisionMade] = [each.event for each in found]
        return sorted(made, key=lambda each: (each.source_partition, each.source_offset))


def encoded(envelope: Envelope) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    """An envelope as it stands on the topic."""
    attributes = Attributes(envelope.event_id, name_of(type(envelope)), "/threadline/ingress", envelope.at)
    record = encode(SLACK_INBOUND, envelope, attributes)
    return record.value, record.headers
