"""Writes down what an operator decided, where every router hears of it."""

from collections.abc import Iterable

from schemas.attributes import Attributes
from schemas.operation import LetterSettled, LettersResumed, LossAccepted
from schemas.record import encode
from schemas.topics import AUDIT_OPERATIONS, name_of
from services.kit.fresh_ids import RandomIds
from services.kit.groups import KafkaSettings
from services.kit.kafka.writer import Writer

SOURCE = "/threadline/command-line"


async def write_down(settings: KafkaSettings, decided: Iterable[LettersResumed | LetterSettled | LossAccepted]) -> None:
    """Returns when all of it is durable."""
    async with Writer(settings, "operations") as writer:
        for each in decided:
            attributes = Attributes(RandomIds().new(), name_of(type(each)), SOURCE, each.at)
            record = encode(AUDIT_OPERATIONS, each, attributes)
            await (await writer.hand_over(AUDIT_OPERATIONS, str(each.partition), record.value, record.headers))
