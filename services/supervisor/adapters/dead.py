"""What cannot be understood is kept, byte for byte, and holds up nobody."""

import logging

from schemas import ids
from schemas.letter import DeadLetter
from schemas.topics import DEAD_LETTERS
from services.kit.kafka.consumer import Record
from services.supervisor import metrics
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.sending import send_all
from services.supervisor.decisions.following import Following
from services.supervisor.settings import SERVICE

log = logging.getLogger(__name__)


async def keep_dead(given: Given, record: Record, why: str) -> None:
    """Returns when the letter that keeps a record is durable. It is said aloud, and counted."""
    log.error(
        "a record of %s cannot be understood and is kept in dead.letters (%s, partition %d, offset %d)",
        *(record.topic.name, why, record.partition, record.offset),
    )
    letter = DeadLetter(
        at=given.instruments.clock.now(),
        service=SERVICE,
        reason="cannot_read",
        detail=why,
        source_topic=record.topic.name,
        source_partition=record.partition,
        source_offset=record.offset,
        key=record.key,
        value=record.value,
        headers=record.headers,
    )
    given.instruments.emitter.count(metrics.DEAD_LETTERS)
    name = ids.record_id(record.topic.name, record.partition, record.offset, 0)
    await send_all(given.producer, [Following(DEAD_LETTERS, record.key, letter, name)])
