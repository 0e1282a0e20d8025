"""What cannot be understood is kept, byte for byte, and holds up nobody."""

import logging
from datetime import datetime

from schemas import ids
from schemas.letter import DeadLetter
from schemas.topics import DEAD_LETTERS
from services.kit.kafka.consumer import Record
from services.supervisor.decisions.following import Following
from services.supervisor.settings import SERVICE

log = logging.getLogger(__name__)


def dead_letter(record: Record, why: str, now: datetime) -> Following:
    """The letter that keeps a record, said aloud."""
    log.error(
        "a record of %s cannot be understood and is kept in dead.letters (%s, partition %d, offset %d)",
        *(record.topic.name, why, record.partition, record.offset),
    )
    letter = DeadLetter(
        at=now,
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
    name = ids.record_id(record.topic.name, record.partition, record.offset, 0)
    return Following(DEAD_LETTERS, record.key, letter, name)
