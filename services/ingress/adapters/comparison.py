"""The two sides of a comparison as they are found: ours in slack.inbound, an older bridge's in its log."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.envelope import SlackEnvelope
from schemas.record import CannotRead
from schemas.topics import SLACK_INBOUND
from services.ingress.decisions.comparing import EPOCH, Sighting, Skip, Stretch, sighting_of, sighting_of_line
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import Record, fetched, is_cancelled, reader, record_of

EARLY = timedelta(minutes=5)
"""By so much the broker's clock may be behind Slack's."""
LATE = timedelta(days=1)
"""So much later a message can come in: Slack repeats for an hour, and a spool waits while the broker is away."""
SILENT_S = 30.0
"""So long the broker may give nothing before the end."""


class NotCompared(Fault):
    """A side cannot be read."""


@dataclass(frozen=True)
class Side:
    """What one side has."""

    sightings: tuple[Sighting, ...]
    unreadable: tuple[str, ...]
    """Which lines or records say nothing that can be understood."""


def bridge_side(log: Path) -> Side:
    """Every message in a bridge's log, a JSON object a line."""
    sightings, unreadable = [], []
    try:
        with log.open(encoding="utf-8-sig", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                found = sighting_of_line(line) if line.strip() else Skip.NO_MESSAGE
                if isinstance(found, Sighting):
                    sightings.append(found)
                elif found is Skip.UNREADABLE:
                    unreadable.append(f"line {number}")
    except OSError as error:
        raise NotCompared(f"{log} cannot be read ({error.strerror}); nothing was compared") from None
    return Side(tuple(sightings), tuple(unreadable))


async def our_side(settings: KafkaSettings, stretch: Stretch) -> Side:
    """Every message of the stretch in slack.inbound, up to where the topic ends now."""
    sightings, unreadable = [], []
    try:
        begin = max(stretch.since - EARLY, EPOCH)
        async with reader(settings, SLACK_INBOUND, begin) as consumer:
            async for record in _records(consumer, stretch, settings.topic_prefix):
                try:
                    _, event = record.decode()
                except CannotRead:
                    unreadable.append(f"partition {record.partition}, offset {record.offset}")
                    continue
                found = sighting_of(event) if isinstance(event, SlackEnvelope) else None
                if found is not None and stretch.holds(found):
                    sightings.append(found)
    except (KafkaError, OSError, asyncio.CancelledError) as error:
        if is_cancelled():
            raise
        what = f"{settings.kafka_brokers} stopped answering, or never did ({type(error).__name__})"
        raise NotCompared(f"{what}; nothing was compared, and it can simply be run again") from error
    return Side(tuple(sightings), tuple(unreadable))


async def _records(consumer: AIOKafkaConsumer, stretch: Stretch, prefix: str) -> AsyncIterator[Record]:
    ends = await _ends(consumer, stretch)
    while True:
        async with asyncio.timeout(SILENT_S):
            left = [each for each, end in ends.items() if await consumer.position(each) < end]
        if not left:
            return
        found = await fetched(consumer, *left, timeout_ms=int(SILENT_S * 1000))
        if not found:
            raise TimeoutError
        for partition, batch in found.items():
            for raw in batch:
                if raw.offset < ends[partition]:
                    yield record_of(raw, prefix)


async def _ends(consumer: AIOKafkaConsumer, stretch: Stretch) -> dict[TopicPartition, int]:
    """Where each partition ends for us: at what came in long after the stretch, or where it ends now."""
    partitions = sorted(consumer.assignment())
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    late = int((stretch.until.timestamp() + LATE.total_seconds()) * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, late))
    return {each: min(end, found[each].offset) if found.get(each) else end for each, end in ends.items()}
