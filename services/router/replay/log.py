"""The log of a stretch of time: each record of slack.inbound with the decision that stands on audit.decisions."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiokafka import AIOKafkaConsumer

from schemas.decision import DecisionMade
from schemas.record import CannotRead
from schemas.topics import AUDIT_DECISIONS, SLACK_INBOUND
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.kafka.consumer import one_partition, record_of, to_end
from services.router.stream.deciding import Source

MOST_AHEAD: Final = 20_000
"""Decisions that are remembered until their record comes. A router writes them nearly in order."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One record, and what was decided about it."""

    source: Source
    recorded: DecisionMade | None
    """None where nothing was decided yet, or the audit does not reach back so far."""


async def logged(settings: KafkaSettings, partition: int, since: datetime) -> AsyncIterator[Logged]:
    """A partition, from a moment to its end now, in its order."""
    async with AsyncExitStack() as stack:
        inbound = await stack.enter_async_context(one_partition(settings, SLACK_INBOUND, partition, since))
        decisions = Decisions(
            await stack.enter_async_context(one_partition(settings, AUDIT_DECISIONS, partition, since)), settings
        )
        async for raw in to_end(inbound):
            headers = tuple(raw.headers)
            source = Source(raw.partition, raw.offset, raw.key, raw.value, headers, raw.timestamp / 1000)
            yield Logged(source, await decisions.of(raw.offset))


class Decisions:
    """Those of one partition, met in the order in which they were first written."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: KafkaSettings) -> None:
        self._records, self._prefix = to_end(consumer), settings.topic_prefix
        self._ahead: OrderedDict[int, DecisionMade] = OrderedDict()
        self._newest = -1
        self._is_over = False

    async def of(self, offset: int) -> DecisionMade | None:
        """The decision about a record; records are asked for in their order."""
        while offset not in self._ahead and self._newest < offset and not self._is_over:
            await self._read_one()
        return self._ahead.pop(offset, None)

    async def _read_one(self) -> None:
        raw = await anext(self._records, None)
        if raw is None:
            self._is_over = True
            return
        try:
            _, event = record_of(raw, self._prefix).decode()
        except CannotRead:
            return  # a newer router wrote it, or nobody's: it is as if nothing were known of its record
        if isinstance(event, DecisionMade) and event.source_offset > self._newest:
            self._newest = event.source_offset
            self._ahead[event.source_offset] = event
            if len(self._ahead) > MOST_AHEAD:
                self._ahead.popitem(last=False)


async def partitions_of(settings: KafkaSettings) -> list[int]:
    """Those that slack.inbound has."""
    async with admin_client(settings) as client:
        [described] = await client.describe_topics([f"{settings.topic_prefix}{SLACK_INBOUND.name}"])
    return sorted(each["partition"] for each in described["partitions"])
