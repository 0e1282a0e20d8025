"""What operators decided, and where a router stopped: audit.operations, read whole and kept up with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError

from schemas.operation import LettersPaused, LettersResumed, LossAccepted
from schemas.record import CannotRead
from schemas.topics import AUDIT_OPERATIONS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import Record, reader, record_of

TRY_AGAIN_S = 1.0


@dataclass
class Operations:
    """The fold of what stands on the topic."""

    accepted: dict[int, LossAccepted] = field(default_factory=dict)
    """By partition, the loss that was accepted last."""
    paused: dict[int, LettersPaused] = field(default_factory=dict)
    """By partition, the pause that nobody has ended."""

    def take(self, event: object) -> int | None:
        """One of them; gives the partition that it changes."""
        match event:
            case LossAccepted(partition=partition):
                self.accepted[partition] = event
            case LettersPaused(partition=partition):
                self.paused[partition] = event
            case LettersResumed(partition=partition):
                self.paused.pop(partition, None)
            case _:
                return None
        return partition


async def follow(settings: KafkaSettings, operations: Operations, changed: Callable[[int], None]) -> None:
    """Reads what is there, then whatever comes, until it is cancelled. It waits while the broker is away."""
    while True:
        try:
            async with reader(settings, AUDIT_OPERATIONS) as consumer:
                async for raw in consumer:
                    _take(record_of(raw, settings.topic_prefix), operations, changed)
        except (KafkaError, OSError):
            await asyncio.sleep(TRY_AGAIN_S)


async def read_all(settings: KafkaSettings) -> Operations:
    """What stands there now."""
    operations = Operations()
    async with reader(settings, AUDIT_OPERATIONS) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for raw in records:
                    _take(record_of(raw, settings.topic_prefix), operations, lambda _: None)
    return operations


def _take(record: Record, operations: Operations, changed: Callable[[int], None]) -> None:
    try:
        _, event = record.decode()
    except CannotRead:
        return  # it is no decision of an operator's, and stands there for whoever looks
    partition = operations.take(event)
    if partition is not None:
        changed(partition)
