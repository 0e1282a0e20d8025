"""What operators decided, and where a router stopped: audit.operations, read whole and kept up with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from schemas.operation import LettersPaused, LettersResumed, LossAccepted
from schemas.record import CannotRead
from schemas.topics import AUDIT_OPERATIONS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import Record, reader, record_of, to_end

TRY_AGAIN_S = 1.0


@dataclass
class Operations:
    """The fold of what stands on the topic."""

    accepted: dict[int, LossAccepted] = field(default_factory=dict)
    """By partition, the loss that was accepted last."""
    paused: dict[int, LettersPaused] = field(default_factory=dict)
    """By partition, the pause that nobody has ended."""

    ended: set[int] = field(default_factory=set)
    """Partitions of which a pause was ended."""
    known: set[str] = field(default_factory=set)
    """The pauses that stand on the topic."""

    def replace_by(self, found: "Operations") -> None:
        """What stands on the topic counts, and a pause of our own that does not stand there yet."""
        ours = {number: each for number, each in self.paused.items() if each.pause_id not in found.known}
        self.accepted, self.paused = found.accepted, {**found.paused, **ours}
        self.ended, self.known = found.ended, found.known

    def take(self, event: object) -> int | None:
        """One of them; gives the partition that it changes."""
        match event:
            case LossAccepted(partition=partition):
                self.accepted[partition] = event
            case LettersPaused(partition=partition):
                self.paused[partition] = event
                self.known.add(event.pause_id)
            case LettersResumed(partition=partition):
                self.paused.pop(partition, None)
                self.ended.add(partition)
            case _:
                return None
        return partition


async def follow(settings: KafkaSettings, operations: Operations, changed: Callable[[int], None]) -> None:
    """Reads what is there, then whatever comes, until it is cancelled. It waits while the broker is away.

    What is there is folded apart first: an end of an old pause must not end the one that holds.
    """
    while True:
        try:
            async with reader(settings, AUDIT_OPERATIONS) as consumer:
                operations.replace_by(await _fold(consumer, settings))
                for each in {*operations.accepted, *operations.paused, *operations.ended}:
                    changed(each)
                async for raw in consumer:
                    partition = _taken(record_of(raw, settings.topic_prefix), operations)
                    if partition is not None:
                        changed(partition)
        except (KafkaError, OSError):
            await asyncio.sleep(TRY_AGAIN_S)


async def read_all(settings: KafkaSettings) -> Operations:
    """What stands there now."""
    async with reader(settings, AUDIT_OPERATIONS) as consumer:
        return await _fold(consumer, settings)


async def _fold(consumer: AIOKafkaConsumer, settings: KafkaSettings) -> Operations:
    found = Operations()
    async for raw in to_end(consumer):
        _taken(record_of(raw, settings.topic_prefix), found)
    return found


def _taken(record: Record, operations: Operations) -> int | None:
    try:
        _, event = record.decode()
    except CannotRead:
        return None  # it is no decision of an operator's, and stands there for whoever looks
    return operations.take(event)
