"""The log of a stretch of time: each record of slack.inbound with the decision that stands on audit.decisions."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import ConsumerRecord

from schemas.decision import DecisionMade
from schemas.topics import AUDIT_DECISIONS, SLACK_INBOUND
from services.kit.groups import KafkaSettings
from services.kit.kafka.passage import Passages, passages
from services.router.adapters.opening import opened
from services.router.replay.recorded import Decisions, Nameless
from services.router.stream.deciding import Source


@dataclass(frozen=True, slots=True)
class Logged:
    """One record, and what was decided about it."""

    source: Source
    recorded: DecisionMade | None
    """None where nothing was decided yet, or the audit does not reach back so far."""


@dataclass(frozen=True)
class Log:
    """Both topics, as far as the stretch goes."""

    inbound: Passages
    audit: Passages
    nameless: Nameless
    offsets: Mapping[int, range]
    """Of slack.inbound, by partition."""
    is_cut: bool
    """Whether retention deleted what stood before it in a partition: it may have deleted some of it, too."""
    decided: Mapping[int, range]
    """Of audit.decisions, likewise, up to now: a decision may be written long after its record."""

    async def batches(self, partition: int) -> AsyncIterator[list[Logged]]:
        """A partition, in its order."""
        passage = self.inbound.read(partition, self.offsets[partition])
        decisions = Decisions(partition, self.audit.read(partition, self.decided[partition]))
        while batch := await passage.more():
            yield [Logged(source, await self._about(source, decisions)) for source in map(_source, batch)]

    async def _about(self, source: Source, decisions: Decisions) -> DecisionMade | None:
        found = await decisions.of(source.offset)
        if found is not None or opened(source).names is not None:
            return found
        return await self.nameless.of(source.partition, source.offset)


@asynccontextmanager
async def log_of(settings: KafkaSettings, since: datetime, until: datetime) -> AsyncIterator[Log]:
    """The log between two moments, as the broker appended it."""
    async with passages(settings, SLACK_INBOUND) as inbound, passages(settings, AUDIT_DECISIONS) as audit:
        offsets, decided = await inbound.between(since, until), await audit.between(since)
        begins = await inbound.begins()
        is_cut = any(0 < begins[partition] == each.start for partition, each in offsets.items())
        yield Log(inbound, audit, Nameless(settings, since), offsets, is_cut, decided)


def _source(raw: ConsumerRecord) -> Source:
    return Source(raw.partition, raw.offset, raw.key, raw.value, tuple(raw.headers), raw.timestamp / 1000)
