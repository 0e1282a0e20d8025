"""Dead letters as operators see them: which there are, and what was done about each."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from schemas.letter import ATTEMPTS, DeadLetter
from schemas.operation import HowSettled, LetterSettled
from schemas.record import CannotRead
from schemas.topics import AUDIT_OPERATIONS, BY_NAME, DEAD_LETTERS, Topic
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import reader, record_of, to_end
from services.kit.kafka.writer import Writer


class NoSuchLetter(Fault):
    """It is not on the topic, or not any more."""


class NotReplayable(Fault):
    """It never was on a topic."""


@dataclass(frozen=True)
class Kept:
    """One dead letter."""

    id: str
    partition: int
    offset: int
    letter: DeadLetter
    settled: HowSettled | None = None


async def letters(settings: KafkaSettings, since: datetime | None = None) -> list[Kept]:
    """Each once, the oldest first."""
    settled = {each.letter_id: each.how async for each in _settled(settings)}
    found: dict[str, Kept] = {}
    async with reader(settings, DEAD_LETTERS, since) as consumer:
        async for raw in to_end(consumer):
            record = record_of(raw, settings.topic_prefix)
            try:
                attributes, event = record.decode()
            except CannotRead:
                continue  # it was put there by hand, and is no letter of ours
            if isinstance(event, DeadLetter):
                kept = Kept(attributes.id, record.partition, record.offset, event, settled.get(attributes.id))
                found.setdefault(kept.id, kept)
    return sorted(found.values(), key=lambda each: each.letter.at)


async def _settled(settings: KafkaSettings) -> AsyncIterator[LetterSettled]:
    async with reader(settings, AUDIT_OPERATIONS) as consumer:
        async for raw in to_end(consumer):
            try:
                _, event = record_of(raw, settings.topic_prefix).decode()
            except CannotRead:
                continue  # likewise
            if isinstance(event, LetterSettled):
                yield event


def one_of(found: list[Kept], name: str) -> Kept:
    """The letter whose id begins so."""
    matching = [each for each in found if each.id.startswith(name)]
    if len(matching) != 1:
        what = "there is no dead letter" if not matching else f"there are {len(matching)} dead letters"
        raise NoSuchLetter(f"{what} whose id begins with {name}; `threadline dlq list --all` shows them")
    return matching[0]


async def put_back(settings: KafkaSettings, kept: Kept) -> None:
    """Writes it to where it came from, byte for byte, with how often it was tried."""
    topic = _source_of(kept)
    tried = (ATTEMPTS, str(kept.letter.attempts).encode())
    headers = [(name, value or b"") for name, value in kept.letter.headers if name != ATTEMPTS]
    async with Writer(settings, "dlq") as writer:
        await (await writer.hand_over(topic, kept.letter.key, kept.letter.value, (*headers, tried)))


def _source_of(kept: Kept) -> Topic:
    source = kept.letter.source_topic
    topic = BY_NAME.get(source) if source is not None else None
    if topic is None:
        raise NotReplayable(
            f"the letter {kept.id} was never on a topic of ours ({kept.letter.detail}): there is nowhere to put it "
            "back to. `threadline dlq show` prints its bytes, `threadline dlq drop` lets it go"
        )
    return topic
