"""The decisions that stand on audit.decisions, each found when its record comes."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from aiokafka import ConsumerRecord

from schemas.decision import DecisionMade
from schemas.record import CannotRead, read
from schemas.topics import AUDIT_DECISIONS, name_of
from services.kit.groups import KafkaSettings
from services.kit.kafka.passage import Passage, passages
from services.router.decisions.saying import NAMELESS

OUT_OF_ORDER: Final = 10_000
"""How far a decision may stand behind those about later records: as many as a router may have in flight."""

TYPE: Final = name_of(DecisionMade).encode()


class Decisions:
    """Those about one partition. Of several about a record the first counts: the others say the same again."""

    def __init__(self, partition: int, passage: Passage) -> None:
        self._partition, self._passage = partition, passage
        self._ahead: dict[int, DecisionMade] = {}
        self._newest = -1
        self._is_over = False

    async def of(self, offset: int) -> DecisionMade | None:
        """The decision about a record; records are asked for in their order."""
        while offset not in self._ahead and self._newest <= offset + OUT_OF_ORDER and not self._is_over:
            await self._read(offset)
        return self._ahead.pop(offset, None)

    async def _read(self, wanted: int) -> None:
        batch = await self._passage.more()
        self._is_over = not batch
        for event in _opened(batch):
            if event.source_partition == self._partition and event.source_offset >= wanted:
                self._ahead.setdefault(event.source_offset, event)
                self._newest = max(self._newest, event.source_offset)


class Nameless:
    """Those about records that could not be read, or are of a newer version: no connection keeps them together.

    They stand in any partition, and are few. They are looked for when one is asked for.
    """

    def __init__(self, settings: KafkaSettings, since: datetime) -> None:
        self._settings, self._since = settings, since
        self._found: dict[tuple[int, int], DecisionMade] | None = None

    async def of(self, partition: int, offset: int) -> DecisionMade | None:
        """The decision about a record."""
        if self._found is None:
            self._found = await self._all()
        return self._found.get((partition, offset))

    async def _all(self) -> dict[tuple[int, int], DecisionMade]:
        found: dict[tuple[int, int], DecisionMade] = {}
        async with passages(self._settings, AUDIT_DECISIONS) as audit:
            for number, offsets in (await audit.between(self._since)).items():
                passage = audit.read(number, offsets)
                while batch := await passage.more():
                    for event in _opened(raw for raw in batch if (raw.key or b"").startswith(NAMELESS.encode())):
                        found.setdefault((event.source_partition, event.source_offset), event)
        return found


def _opened(batch: Iterable[ConsumerRecord]) -> Iterator[DecisionMade]:
    """What a newer router wrote, or nobody's, is as if nothing were known of its record."""
    for raw in batch:
        if raw.value is not None and dict(raw.headers).get("ce_type") == TYPE:
            with suppress(CannotRead):
                yield read(DecisionMade, raw.value)
